"""What the service does beside requests, done when the emulator's clock says that it is due.

A server does it in threads, every so often. Here nothing happens between two requests but by the
clock, so that a test sees the same in every run: Pending stays Pending until its second is over.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from threading import RLock

from compute_optimizer.api.background import Step
from compute_optimizer.interfaces import Clock

WAIT = timedelta(seconds=1)
"""Time by the emulator's clock between a request that leaves work behind and that work: about what
the service itself needs for an opt-in (docs/enrollment.md)."""

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Due:
    """The work that waits."""

    clock: Clock
    steps: tuple[Step, ...] = ()
    daily: Callable[[], object] = lambda: None
    """Done whenever a day has begun, after the steps."""
    asked_at: datetime = NEVER
    """When work was last left behind."""
    waiting: bool = False
    day: date = date.min
    _lock: RLock = field(default_factory=RLock)

    @contextmanager
    def repeat(self, steps: Sequence[Step]) -> Iterator[None]:
        """Take the steps over from whoever would repeat them."""
        self.steps = tuple(steps)
        self.day = self.clock.now().date()
        yield

    def ask(self) -> None:
        """Note that work was left behind."""
        with self._lock:
            self.asked_at, self.waiting = self.clock.now(), True

    def forget(self) -> None:
        """Let nothing wait, and the day be the clock's: what was left behind is gone."""
        with self._lock:
            self.waiting, self.day = False, self.clock.now().date()

    def run_if_due(self) -> None:
        """Do what waits if its time has come."""
        with self._lock:
            now = self.clock.now()
            if self.waiting and now - self.asked_at >= WAIT:
                self.run()
            if now.date() > self.day:
                self.run()
                self.day = now.date()
                self.daily()

    def run(self) -> None:
        """Do what waits now."""
        with self._lock:
            self.waiting = False
            for step in self.steps:
                step.run()
