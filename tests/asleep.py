"""Whether the main thread of a process sleeps, which decides what a signal finds."""

from pathlib import Path

from tests.waiting import wait_until

ASLEEP = "S"
"""State of a thread that waits and that a signal can wake (proc_pid_stat(5))."""


def wait_until_asleep(pid: int) -> None:
    """Wait until the main thread of a process sleeps."""
    stat = Path(f"/proc/{pid}/task/{pid}/stat")
    wait_until(lambda: stat.read_text().rpartition(")")[2].split()[0] == ASLEEP)
