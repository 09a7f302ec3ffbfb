"""A source of metrics that holds arrays: for tests of the job that collects."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.errors import SourceUnavailable
from compute_optimizer.model.collection import Collected, Effort, Scope, Wanted
from compute_optimizer.model.described_type import DescribedType
from compute_optimizer.model.metrics import SLOT_SECONDS, MetricKey, Statistic
from compute_optimizer.model.resource import EC2_INSTANCE, Resource

REGION = "us-east-1"
CPU = MetricKey("CPUUtilization", Statistic.MAXIMUM)


def machine(account_id: str, number: int, region: str = REGION) -> Resource:
    """Return an instance of an account."""
    name = f"i-{number:017x}"
    arn = f"arn:aws:ec2:{region}:{account_id}:instance/{name}"
    return Resource(arn, account_id, region, EC2_INSTANCE, name, "m5.large")


@dataclass(frozen=True)
class Asked:
    """One call of `samples`."""

    scope: Scope
    wanted: Wanted


@dataclass
class ArraySource:
    """Resources, and the value that each of them has in every slot since a moment."""

    fleet: Sequence[Resource]
    since: datetime
    values: Mapping[str, float]
    """By ARN; who is left out has no samples."""
    retention: timedelta | None = None
    broken: frozenset[str] = frozenset()
    """Accounts that refuse to tell their Regions, and Regions that refuse samples."""
    asked: list[Asked] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def accounts(self) -> Sequence[str]:
        return sorted({one.account_id for one in self.fleet})

    def scopes(self, account_id: str) -> Sequence[Scope]:
        if account_id in self.broken:
            raise SourceUnavailable(f"account {account_id}: access denied")
        found = {Scope(o.account_id, o.region, o.resource_type) for o in self.fleet}
        return sorted(one for one in found if one.account_id == account_id)

    def inventory(self, scope: Scope) -> Sequence[Resource]:
        place = scope.account_id, scope.region, scope.resource_type
        return [o for o in self.fleet if (o.account_id, o.region, o.resource_type) == place]

    def described(self, scope: Scope, names: Sequence[str]) -> Sequence[DescribedType]:
        return ()

    def effort(self, scope: Scope, wanted: Wanted) -> Effort:
        asked = sum(int((since < wanted.until).sum()) for since in wanted.since.values())
        return Effort(calls=1, metrics=asked, seconds=1.0, usd=asked / 100)

    def samples(self, scope: Scope, wanted: Wanted) -> Iterator[Collected]:
        with self._lock:
            self.asked.append(Asked(scope, wanted))
        first = int(self.since.timestamp())
        for place, one in enumerate(wanted.resources):
            if one.arn in self.values:
                start = max(int(wanted.since[CPU][place]), first)
                yield _constant(place, np.arange(start, wanted.until, SLOT_SECONDS), one, self)
        if scope.region in self.broken:
            raise SourceUnavailable(f"{scope.region}: throttled for too long")


def _constant(
    place: int, seconds: NDArray[np.int64], one: Resource, source: ArraySource
) -> Collected:
    values = np.full(len(seconds), source.values[one.arn], np.float32)
    return Collected(CPU, np.full(len(seconds), place, np.int64), seconds, values)
