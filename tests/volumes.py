"""Volumes and their samples made by hand, for tests of the type and of its cases."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import structs
from numpy.typing import ArrayLike

from compute_optimizer.catalog.volume_types import load_volume_types
from compute_optimizer.model.ebs_volume import (
    IN_USE,
    EbsVolume,
    EbsVolumeRecommendation,
    VolumeConfiguration,
    VolumeOption,
)
from compute_optimizer.model.metrics import SLOT_SECONDS, MetricKey
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES, Preferences
from compute_optimizer.model.recommendation import (
    Finding,
    PerformanceRisk,
    Results,
    Savings,
    UtilizationMetric,
)
from compute_optimizer.model.resource import EBS_VOLUME
from compute_optimizer.resources.ebs_volume import recommend
from tests.fleets import ACCOUNT, AS_OF, REGION, counter, shard
from tests.records import NOW

READ_OPS, WRITE_OPS = counter("VolumeReadOps"), counter("VolumeWriteOps")
READ_BYTES, WRITE_BYTES = counter("VolumeReadBytes"), counter("VolumeWriteBytes")
MIB = 2**20


def volume_arn(number: int, account: str = ACCOUNT, region: str = REGION) -> str:
    return f"arn:aws:ec2:{region}:{account}:volume/vol-{number:017x}"


def volume(number: int, volume_type: str, size_gib: int, **others: Any) -> EbsVolume:
    region = others.pop("region", REGION)
    arn = volume_arn(number, region=region)
    return EbsVolume(
        arn=arn,
        account_id=ACCOUNT,
        region=region,
        resource_type=EBS_VOLUME,
        resource_id=arn.rpartition("/")[2],
        instance_type=volume_type,
        size_gib=size_gib,
        **{"state": IN_USE, "name": f"data-{number}", **others},
    )


def rate(per_second: ArrayLike) -> np.ndarray:
    """Return what a counter holds in five minutes at so many per second."""
    return np.asarray(per_second, np.float64) * SLOT_SECONDS


def use(iops: ArrayLike, mibps: ArrayLike) -> dict[MetricKey, ArrayLike]:
    """Return reads of so many operations and MiB per second."""
    return {READ_OPS: rate(iops), READ_BYTES: rate(mibps) * MIB}


def analyzed_volumes(
    volumes: Sequence[EbsVolume],
    series: Mapping[MetricKey, ArrayLike],
    preferences: Preferences = DEFAULT_PREFERENCES,
) -> Results[EbsVolumeRecommendation]:
    samples = shard(volumes, series)
    types = load_volume_types()
    return recommend(volumes, samples, types, as_of=AS_OF, preferences=preferences)


def recommended_volume(
    one: EbsVolume, series: Mapping[MetricKey, ArrayLike]
) -> EbsVolumeRecommendation:
    (found,) = analyzed_volumes([one], series).recommendations
    return found


GP2 = VolumeConfiguration("gp2", 500, 1500, 3000, 250, 250)
GP3 = VolumeConfiguration("gp3", 500, 3000, 3000, 125, 125)

BY_HAND = EbsVolumeRecommendation(
    resource_arn=volume_arn(1),
    account_id=ACCOUNT,
    name="data-1",
    tags={"team": "data"},
    root=False,
    configuration=GP2,
    finding=Finding.NOT_OPTIMIZED,
    utilization=(
        UtilizationMetric("VolumeReadOpsPerSecond", 120.0, "Sum"),
        UtilizationMetric("VolumeWriteBytesPerSecond", 1318912.0, "Sum"),
    ),
    lookback_days=14.0,
    # 500 GiB at 0.10 and at 0.08 USD.
    options=(VolumeOption(GP3, 1, 1.0, Savings(20.0, 10.0), 40.0),),
    current_performance_risk=PerformanceRisk.VERY_LOW,
    preferences=DEFAULT_PREFERENCES,
    idle=False,
    last_refresh=NOW,
    monthly_usd=50.0,
    price_date=None,
)


def volume_recommendation(number: int = 1, **changes: Any) -> EbsVolumeRecommendation:
    """Return the recommendation of volume `number`, like BY_HAND but for the changes."""
    changes.setdefault("account_id", ACCOUNT)
    changes.setdefault("resource_arn", volume_arn(number, changes["account_id"]))
    return structs.replace(BY_HAND, **{"name": f"data-{number}", **changes})
