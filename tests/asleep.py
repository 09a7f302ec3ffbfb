"""A main thread that sleeps, and a signal that another thread is given, which does not wake it."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread, get_ident

from tests.waiting import SECONDS, wait_until

ASLEEP = "S"
"""State of a thread that waits and that a signal can wake (proc_pid_stat(5))."""


def wait_until_asleep(pid: int) -> None:
    """Wait until the main thread of a process sleeps."""
    stat = Path(f"/proc/{pid}/task/{pid}/stat")
    wait_until(lambda: stat.read_text().rpartition(")")[2].split()[0] == ASLEEP)


@contextmanager
def ended_from_another_thread(number: signal.Signals) -> Iterator[Callable[[], None]]:
    """Yield what has another thread of this process given a signal, once the main thread sleeps.

    The block has to end by it: it fails where it ends only by a second one, for the main thread.
    """
    ended, was_late = Event(), Event()

    def get_it() -> None:
        wait_until_asleep(os.getpid())
        signal.pthread_kill(get_ident(), number)
        if not ended.wait(SECONDS):
            was_late.set()
            os.kill(os.getpid(), number)

    thread = Thread(target=get_it)
    yield thread.start
    ended.set()
    thread.join()
    assert not was_late.is_set(), "the main thread slept on"
