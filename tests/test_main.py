"""The program as a process, from its first moment on."""

import subprocess
import sys

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
