"""A clock that a test moves; between two moves it stands still or goes on with the machine's."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock

from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Clock, SystemClock

Moved = Callable[[], None]
"""Called after every move; by then the clock tells the new time."""


class MovableClock:
    """Tells the time that a test wants it to be."""

    def __init__(
        self,
        start: datetime | None = None,
        *,
        frozen: bool = False,
        machine: Clock | None = None,
    ) -> None:
        self.moved: Moved = lambda: None
        self._machine = machine or SystemClock()
        self._lock = Lock()
        self._frozen = frozen
        self._read_at = self._machine.now()
        self._time = _aware(start) if start else self._read_at
        self._start, self._frozen_at_start = start and self._time, frozen

    def now(self) -> datetime:
        """Return the present moment, timezone-aware in UTC."""
        with self._lock:
            return self._now()

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still between moves."""
        return self._frozen

    def advance(self, by: timedelta | None = None, **parts: float) -> datetime:
        """Move on by a time, such as `advance(days=1)`, and return the new one.

        Raises InvalidInput for a move backwards: what is stored would lie in the future.
        """
        step = (by or timedelta()) + timedelta(**parts)
        with self._lock:
            moment = self._move(self._now() + step)
        self.moved()
        return moment

    def set(self, moment: datetime) -> datetime:
        """Move to a moment, which lies in the future, and return it; raises as `advance`."""
        with self._lock:
            self._move(_aware(moment))
        self.moved()
        return moment

    def freeze(self) -> None:
        """Stand still from now on, but for moves."""
        with self._lock:
            self._time, self._frozen = self._now(), True

    def resume(self) -> None:
        """Go on with the machine's clock."""
        with self._lock:
            self._read_at, self._frozen = self._machine.now(), False

    def restart(self) -> None:
        """Begin again at the start, once nothing is stored that would lie in the future.

        Without a start of its own that is the machine's time.
        """
        with self._lock:
            self._read_at, self._frozen = self._machine.now(), self._frozen_at_start
            self._time = self._start or self._read_at

    def _now(self) -> datetime:
        if self._frozen:
            return self._time
        return self._time + (self._machine.now() - self._read_at)

    def _move(self, moment: datetime) -> datetime:
        now = self._now()
        if moment < now:
            raise InvalidInput(
                f"the clock cannot go back from {now.isoformat()} to {moment.isoformat()}; "
                "start another emulator with the earlier time"
            )
        self._time, self._read_at = moment, self._machine.now()
        return moment


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise InvalidInput(f"the time {moment.isoformat()} has no time zone; add tzinfo=UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidInput(f"the time {moment.isoformat()} lies beyond the calendar") from None
