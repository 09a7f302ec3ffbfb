"""When EBS volumes are idle, or attached to nothing."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from compute_optimizer.catalog.volume_types import VolumeTypes
from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.idle import IdleLimit, Measure, Required
from compute_optimizer.model.ebs_volume import IN_USE, EbsVolume
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.resources.ebs.configurations import present
from compute_optimizer.resources.ebs.demand import demand_of
from compute_optimizer.resources.idleness import IdleRule, Shown

OPERATIONS = ("VolumeReadOps", "VolumeWriteOps")

IDLE_OPERATIONS = 1.0
"""A UTC day, reads and writes together: every day lies below (spec 5.1, published)."""

IDLE_LONGEST_DAYS = 32
"""To which a preference extends the window of idle volumes (spec 5.1, published)."""

UNATTACHED_DAYS = 32
"""For which a volume is attached to nothing (spec 5.1, published)."""

DETACHED = "available"
"""The state of a volume that is attached to no instance."""

SHOWN = {
    "VolumeReadOps": Shown("VolumeReadOpsPerSecond", per_second=True),
    "VolumeWriteOps": Shown("VolumeWriteOpsPerSecond", per_second=True),
}


def _attached(volumes: Sequence[EbsVolume], _types: VolumeTypes, _since: datetime) -> Booleans:
    """Return those that are attached, and from which no instance boots."""
    return np.array([one.state == IN_USE and not one.root for one in volumes], dtype=np.bool_)


def _detached(volumes: Sequence[EbsVolume], _types: VolumeTypes, since: datetime) -> Booleans:
    """Return those that are attached to nothing and known to be as old as the window."""
    found = [
        one.state == DETACHED
        and not one.root
        and one.created_at is not None
        and one.created_at <= since
        for one in volumes
    ]
    return np.array(found, dtype=np.bool_)


def _monthly_usd(
    volumes: Sequence[EbsVolume], samples: ShardSamples, types: VolumeTypes, _as_of: datetime
) -> Floats:
    return present(volumes, types, demand_of(samples, DEFAULT_PREFERENCES)).monthly_usd


RULES = (
    IdleRule(
        idle_type="EBSVolume",
        finding=Finding.IDLE,
        description=(
            "The volume had fewer than {operations_per_day:g} read and write operations per day "
            "over the {days}-day lookback period."
        ),
        limits=(
            IdleLimit(OPERATIONS, Measure.DAILY_SUM, IDLE_OPERATIONS, name="operations_per_day"),
        ),
        shown=SHOWN,
        monthly_usd=_monthly_usd,
        concerned=_attached,
        longest_days=IDLE_LONGEST_DAYS,
    ),
    IdleRule(
        idle_type="EBSVolume",
        finding=Finding.UNATTACHED,
        description=(
            "The volume is not attached to any EC2 instance over the {days}-day lookback period."
        ),
        # A volume sends metrics only while it is attached.
        limits=(IdleLimit(OPERATIONS, Measure.SAMPLES, 0, inclusive=True),),
        shown=SHOWN,
        monthly_usd=_monthly_usd,
        concerned=_detached,
        required=Required(samples=0),
        fixed_days=UNATTACHED_DAYS,
    ),
)
