"""One run of a background job, and when the next one is due."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

MOST_ATTEMPTS = 3
"""Runs of one due time that may fail or lose their process, so that what kills its process every
time does not do so for ever."""

RETRY_AFTER = timedelta(minutes=5)
"""Pause after a first failure, twice as long after the second: most causes are a store or a source
that is away for a moment."""

NextAfter = Callable[[datetime], datetime]
"""Returns the first moment after the given one at which a schedule wants a job."""


class Outcome(StrEnum):
    """How a run ended."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    INTERRUPTED = "Interrupted"
    """Its process was asked to stop; the work is left to the next one at once."""
    LOST = "Lost"
    """Its process is gone, or was too slow to say that it is not."""


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run as the state keeps it."""

    job: str
    generation: int
    due_at: datetime
    attempt: int
    """Counts the runs of one due time, from 1."""
    holder: str
    """Host, process and a random part."""
    started_at: datetime
    lease_until: datetime
    finished_at: datetime | None = None
    outcome: Outcome | None = None
    detail: dict[str, Any] | None = None

    @property
    def is_running(self) -> bool:
        """Whether nobody has ended it."""
        return self.finished_at is None


def due_moment(last: JobRun | None, next_after: NextAfter, now: datetime) -> datetime:
    """Return when the job after the last run is due; `now` where there was none."""
    if last is None:
        return now
    if last.finished_at is None:
        return last.lease_until
    scheduled = next_after(last.due_at)
    if last.outcome is Outcome.INTERRUPTED:
        return last.finished_at
    if last.outcome is Outcome.SUCCEEDED or last.attempt >= MOST_ATTEMPTS:
        return scheduled
    pause = RETRY_AFTER * last.attempt if last.outcome is Outcome.FAILED else timedelta()
    return min(last.finished_at + pause, max(scheduled, last.finished_at))


def following(last: JobRun | None, next_after: NextAfter, now: datetime) -> tuple[datetime, int]:
    """Return the due time and the attempt of a run that begins now.

    Another attempt at the same due time keeps it; whatever was missed meanwhile is one run.
    """
    if last is None or last.outcome is Outcome.SUCCEEDED:
        return now, 1
    if last.outcome is Outcome.INTERRUPTED:
        return last.due_at, last.attempt
    if last.attempt >= MOST_ATTEMPTS or next_after(last.due_at) <= now:
        return now, 1
    return last.due_at, last.attempt + 1
