"""The seams between the parts: one callable or protocol each, named here and nowhere else."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

from compute_optimizer.model.collection import Collected, Effort, Scope, Wanted
from compute_optimizer.model.described_type import DescribedType
from compute_optimizer.model.resource import Resource

Found = TypeVar("Found")


class Clock(Protocol):
    """Tells the time; the only source of "now" in the whole program."""

    def now(self) -> datetime:
        """Return the present moment, timezone-aware in UTC."""


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's own clock; there is only one."""

    def now(self) -> datetime:
        """Return the present moment, timezone-aware in UTC."""
        return datetime.now(UTC)


Progress = Callable[[int, int], None]
"""Called with the steps that are done and their number; what it raises ends the work."""

StageProgress = Callable[[str, int, int], None]
"""The same, called with what is being done before them."""


def no_progress(*_told: object) -> None:
    """Tell nobody how far something is, whatever is told of it."""


class Upload(Protocol):
    """A file that is being written and does not exist under its name yet."""

    def write(self, data: bytes, /) -> int:
        """Take the next bytes and return how many."""


class Sink(Protocol):
    """Where exports are written to; a bucket is whatever the place calls so."""

    def check_place(self, bucket: str, key: str, region: str) -> None:
        """Raise NotFound or InvalidInput where nothing can ever be written under the key.

        Raises StoreUnavailable where the place cannot be reached.
        """

    def check_access(self, bucket: str, key: str, region: str, account_id: str) -> None:
        """Raise InvalidInput, with the service's text, for a bucket that may not be written to."""

    def writing(
        self, bucket: str, key: str, region: str, content_type: str
    ) -> AbstractContextManager[Upload]:
        """Open a file that appears whole under its key when the block ends, and not if it fails."""

    def discard(self, bucket: str, key: str, region: str) -> None:
        """Remove what a process that died has left of an unfinished file."""


class MetricSource(Protocol):
    """Where inventory and metrics are collected from; called by several threads at once.

    Every method raises SourceUnavailable for what cannot be read, which ends that account or scope
    only, and InvalidInput for what nobody but the user can mend.
    """

    @property
    def retention(self) -> timedelta | None:
        """How long the source keeps five-minute samples; None where it is not known."""

    def accounts(self) -> Sequence[str]:
        """Return the ids of the accounts that it was told to collect."""

    def scopes(self, account_id: str) -> Sequence[Scope]:
        """Return what there is to collect in one account."""

    def inventory(self, scope: Scope) -> Sequence[Resource]:
        """Return every resource of a scope, each ARN once."""

    def described(self, scope: Scope, names: Sequence[str]) -> Sequence[DescribedType]:
        """Return what the source can tell of instance types of a scope's Region; maybe nothing."""

    def effort(self, scope: Scope, wanted: Wanted) -> Effort:
        """Return what `samples` would take, without asking for samples."""

    def samples(self, scope: Scope, wanted: Wanted) -> Iterable[Collected]:
        """Return the samples that exist of those that are wanted.

        A series that the source does not have is left out, a slot without samples is not filled,
        and no sample comes twice.
        """


class PartOfJob(Protocol):
    """A part of a job that waits for no other one: it can be pickled, and has a name."""

    @property
    def name(self) -> str:
        """Return what people call it, such as `shard 0 of Ec2Instance in ...`."""


Task = TypeVar("Task", bound=PartOfJob)


class Executor(Protocol):
    """Where the tasks of a job are worked off: in how many processes, on which machines."""

    def __call__(
        self,
        work: Callable[[Task], Found],
        tasks: Sequence[Task],
        progress: Progress,
        *,
        resources: int,
    ) -> list[Found]:
        """Return what is found of every task, in their order.

        `work` holds what all tasks share, and goes to each process once. It may be called more
        than once for a task whose process ended, and has to leave the same as once. `progress` is
        called with the tasks that are done and their number; what it raises ends all. `resources`
        is how many resources could be analyzed in the time of all tasks, about: it tells whether
        they are worth more processes. Raises what a task raises, its message naming the task.
        """
