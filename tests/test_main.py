"""The program as a process, from its first moment on."""

import os
import subprocess
import sys
from pathlib import Path

from compute_optimizer.jobs.executors.local import available_cores

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


BESIDE_NUMPY = """
import os
import sys
from compute_optimizer.__main__ import run

sys.argv = ["compute-optimizer", "--version"]
try:
    run()
finally:
    import numpy
    print(os.environ["OPENBLAS_NUM_THREADS"], len(os.listdir("/proc/self/task")))
"""


def threads_beside_numpy(**asked: str) -> tuple[str, int]:
    """Return how many threads OpenBLAS is told to have, and how many a command has with numpy."""
    others = {name: one for name, one in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    command = [sys.executable, "-c", BESIDE_NUMPY]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=others | asked)
    told, _, found = ran.stdout.splitlines()[-1].partition(" ")
    return told, int(found)


def test_numpy_starts_no_threads() -> None:
    assert threads_beside_numpy() == ("1", 1)


def test_numpy_starts_as_many_threads_as_somebody_asked_for() -> None:
    told, found = threads_beside_numpy(OPENBLAS_NUM_THREADS="2")

    assert told == "2"
    assert found == min(2, available_cores())
