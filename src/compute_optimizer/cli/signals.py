"""Waiting for a signal so that none is slept through.

Python runs what handles a signal in the main thread, once that thread executes Python again. A
signal that comes just before the thread falls asleep in a lock or a poll, or that the system gives
to another thread, does not wake it. Only the file of `signal.set_wakeup_fd` hears of every one.
"""

import select
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event


def wait_for_signal(asked: Event) -> None:
    """Wait in the main thread until what handles a signal has set the event."""
    with signals_heard() as heard:
        while not asked.is_set():
            select.select([heard], [], [])


@contextmanager
def signals_heard() -> Iterator[socket.socket]:
    """Yield what can be read as soon as a signal that is handled has come, and from then on."""
    heard, told = socket.socketpair()
    with heard, told:
        told.setblocking(False)
        former = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
        try:
            yield heard
        finally:
            signal.set_wakeup_fd(former)
