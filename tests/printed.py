"""What a process that was just started prints, for whoever waits for it."""

import re
import subprocess

import pytest


def first_printed(process: "subprocess.Popen[str]", pattern: str) -> str:
    """Return the first group of the first line that begins like the pattern; fail without one."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.match(pattern, line):
            return found[1]
    pytest.fail(f"{process.args!r} ended before it printed {pattern}")
