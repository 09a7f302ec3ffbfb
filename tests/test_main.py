"""The program as a process, from its first moment on."""

import subprocess
import sys
from pathlib import Path

INTERRUPTED_WHILE_READ = """
import os
import signal
import sys


class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "compute_optimizer.cli.output":
            os.kill(os.getpid(), signal.SIGINT)


sys.meta_path.insert(0, Interrupting())
signal.signal(signal.SIGINT, signal.default_int_handler)
from compute_optimizer.__main__ import run

run()
"""


def test_ctrl_c_while_modules_are_read_ends_without_a_traceback() -> None:
    command = [sys.executable, "-c", INTERRUPTED_WHILE_READ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    # 128 and 2, the number of SIGINT.
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


INTERRUPTED_AS_A_RECORD_IS_MADE = """
from compute_optimizer import cli
from compute_optimizer.__main__ import run


def main():
    exec("raise KeyboardInterrupt")  # where dataclasses make the methods of a record


cli.main = main
run()
"""


def test_ctrl_c_as_a_record_is_made_ends_with_the_same_code(tmp_path: Path) -> None:
    (tmp_path / "interrupted.py").write_text(INTERRUPTED_AS_A_RECORD_IS_MADE)

    command = [sys.executable, "-m", "interrupted"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    # Not -2, by which Python tells that SIGINT killed it.
    assert (ended.returncode, ended.stderr) == (130, "")
