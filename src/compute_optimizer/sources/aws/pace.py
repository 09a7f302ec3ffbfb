"""How often something may be asked: evenly, from any number of threads."""

from threading import Lock
from time import monotonic, sleep


class Pace:
    """Lets callers through at a steady rate."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._next = 0.0
        self._lock = Lock()

    def wait(self, amount: float = 1.0) -> None:
        """Return when it is the caller's turn; whoever comes next waits by what it takes."""
        with self._lock:
            turn = max(self._next, monotonic())
            self._next = turn + self._interval * amount
        sleep(max(turn - monotonic(), 0.0))
