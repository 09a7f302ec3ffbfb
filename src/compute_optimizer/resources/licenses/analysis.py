"""From the licenses and what was counted on their instances to the arrays that decide."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.catalog.instance_types import InstanceTypes
from compute_optimizer.catalog.license_prices import (
    LEAST_VCPUS,
    STANDARD_MOST_VCPUS,
    vcpu_hour_usd,
)
from compute_optimizer.catalog.prices import hourly_prices
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.statistics import highest
from compute_optimizer.engine.usage import AVERAGE_CPU, CPU_METRIC, MINIMUM_SAMPLES, count_samples
from compute_optimizer.model.license import (
    ENTERPRISE,
    FREE,
    LICENSE_INCLUDED,
    NO_EDITION,
    STANDARD,
    LicensedInstance,
    SqlServer,
)
from compute_optimizer.model.metrics import Matrix, MetricKey, ShardSamples, Statistic

FEATURES = MetricKey("mssql_enterprise_features_used", Statistic.MAXIMUM)
HIGHEST_CPU = MetricKey(CPU_METRIC, Statistic.MAXIMUM)

METRICS = (FEATURES, HIGHEST_CPU, AVERAGE_CPU)
"""Every series that the analysis wants from the tiles. The CPU only tells how long the instance was
watched, where somebody stated what it uses."""


@dataclass(frozen=True, slots=True, eq=False)
class LicenseAnalysis:
    """Every intermediate array of one shard of licenses; arrays are (licenses,)."""

    vcpus: Floats
    """NaN where unknown."""
    features_used: Floats
    """The highest count of the window; NaN where nobody counted."""
    watched: Booleans
    """Something was set up or stated that tells which features are in use."""
    measured: Booleans
    """Enough is known to judge."""
    over: Booleans
    """Pays for Enterprise and uses nothing of it."""
    hourly_usd: Floats
    """What the savings are a share of; NaN where unknown."""
    option_usd: Floats
    """The same with the license that would do; holds where `over`."""
    types: InstanceTypes
    """The catalog, with the prices that machines go by."""


def license_of(one: LicensedInstance) -> SqlServer:
    """Return the license of an instance that has one."""
    assert one.sql_server is not None, f"{one.arn} has no license"
    return one.sql_server


def wanted_edition(one: SqlServer) -> str:
    """Return what does in place of an Enterprise edition of which nothing is used (spec 6.7)."""
    return STANDARD if one.production else FREE


def analyze(
    instances: Sequence[LicensedInstance], samples: ShardSamples, types: InstanceTypes
) -> LicenseAnalysis:
    """Return every array that decides; the instances are in the row order of the samples."""
    licenses = [license_of(one) for one in instances]
    vcpus = _vcpus(instances, types)
    counts = _counts(samples, FEATURES, len(instances))
    stated = np.array([one.features is not None for one in licenses])
    features_used = _highest(samples, len(instances))
    enterprise = np.array([one.edition == ENTERPRISE for one in licenses])
    known = np.array([one.edition != NO_EDITION for one in licenses])
    used = np.nan_to_num(features_used) > 0
    used |= np.array([bool(one.features) for one in licenses]) | (vcpus > STANDARD_MOST_VCPUS)
    enough = (counts >= MINIMUM_SAMPLES) | (stated & _running(samples, len(instances)))
    now = _rates(instances, [one.edition for one in licenses])
    then = _rates(instances, [wanted_edition(one) for one in licenses])
    paid = np.maximum(vcpus, LEAST_VCPUS)
    machine = _machine_usd(instances, types)
    return LicenseAnalysis(
        vcpus=vcpus,
        features_used=features_used,
        watched=stated | (counts > 0) | _has_source(licenses),
        measured=enough & known,
        over=enough & enterprise & ~used,
        hourly_usd=machine + now * paid,
        option_usd=machine + then * paid,
        types=types,
    )


def _vcpus(instances: Sequence[LicensedInstance], types: InstanceTypes) -> Floats:
    """Return the vCPUs as provisioned or, where nobody says so, of the type."""
    places = [types.index.get(one.instance_type) for one in instances]
    of_type = [np.nan if place is None else types.vcpus[place] for place in places]
    own = [np.nan if one.vcpus is None else one.vcpus for one in instances]
    return np.where(np.isnan(own), of_type, own)


def _counts(samples: ShardSamples, key: MetricKey, rows: int) -> Integers:
    """Return how many samples of a series each has."""
    found: Matrix | None = samples.series.get(key)
    return np.zeros(rows, np.int64) if found is None else count_samples(found)


def _highest(samples: ShardSamples, rows: int) -> Floats:
    found = samples.series.get(FEATURES)
    return np.full(rows, np.nan) if found is None else highest(found).astype(np.float64)


def _running(samples: ShardSamples, rows: int) -> Booleans:
    """Return which instances were watched long enough, whatever was counted on them."""
    counts = [_counts(samples, key, rows) for key in (HIGHEST_CPU, AVERAGE_CPU)]
    running: Booleans = np.maximum(*counts) >= MINIMUM_SAMPLES
    return running


def _has_source(licenses: Sequence[SqlServer]) -> Booleans:
    return np.array([one.metrics_source_arn is not None for one in licenses])


def _rates(instances: Sequence[LicensedInstance], editions: Sequence[str]) -> Floats:
    """Return USD for a vCPU and hour of each edition."""
    pairs = zip(instances, editions, strict=True)
    return np.array([vcpu_hour_usd(edition, one.region) for one, edition in pairs])


def _machine_usd(instances: Sequence[LicensedInstance], types: InstanceTypes) -> Floats:
    """Return USD an hour of the instance itself where it is paid together with its license.

    Who brings a license of their own saves a part of the license alone (spec 6.7).
    """
    priced = {(one.region, one.platform) for one in instances}
    prices = {key: hourly_prices(types, *key) for key in priced}
    hourly = [
        prices[one.region, one.platform][types.index[one.instance_type]]
        if one.instance_type in types.index
        else np.nan
        for one in instances
    ]
    included = [license_of(one).license_model == LICENSE_INCLUDED for one in instances]
    return np.where(included, hourly, 0.0)
