"""Advice under other preferences is that of an analysis under these preferences."""

import numpy as np
import pytest
from msgspec import structs

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.engine.ranking import NONE
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.preferences import (
    ARCHITECTURES,
    AWS_ARM64,
    CURRENT,
    DEFAULT_PREFERENCES,
)
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.ec2.what_if import (
    DEFAULT_POINT,
    NOT_JUDGED,
    OPTIMIZED,
    OVER_PROVISIONED,
    UNDER_PROVISIONED,
    Advice,
    GridPoint,
    advice,
    changed,
    decisions_at,
    measured_over,
)
from compute_optimizer.resources.ec2_instance import recommend
from compute_optimizer.views.ec2_instance import ranked_options
from tests.fleets import AS_OF, CPU, MEMORY, instance, shard
from tests.mixed_fleet import mixed_shard

TYPES = load_instance_types()

FINDINGS = {
    Finding.OPTIMIZED: OPTIMIZED,
    Finding.OVER_PROVISIONED: OVER_PROVISIONED,
    Finding.UNDER_PROVISIONED: UNDER_PROVISIONED,
}

DEEPEST = GridPoint(structs.replace(DEFAULT_PREFERENCES, cpu_percentile=90.0))
POINTS = [
    GridPoint(
        structs.replace(
            DEFAULT_PREFERENCES, cpu_percentile=percent, cpu_headroom=cpu, memory_headroom=memory
        ),
        pools,
    )
    for percent, cpu, memory in ((99.5, 0.2, 0.2), (99.5, 0.0, 0.3), (95.0, 0.3, 0.1), (90, 0, 0.1))
    for pools in ((CURRENT,), (AWS_ARM64,), ARCHITECTURES)
]


def simulated(fleet: list[Resource], samples: ShardSamples, point: GridPoint) -> Advice:
    """Return the advice from tails that are deep enough for the lowest percentile of all."""
    days = point.preferences.lookback_days
    measured = measured_over(fleet, samples, TYPES, days, [DEEPEST, point])
    return advice(fleet, measured, decisions_at(measured, point), point.architectures)


def published(
    fleet: list[Resource], samples: ShardSamples, point: GridPoint
) -> list[tuple[int, str]]:
    """Return code of the finding and first option, as the service's answers show them."""
    found = recommend(fleet, samples, TYPES, as_of=AS_OF, preferences=point.preferences)
    by_arn = {one.resource_arn: one for one in found.recommendations}
    shown = []
    for resource in fleet:
        one = by_arn.get(resource.arn)
        options = ranked_options(one.options, point.architectures) if one else []
        shown.append(
            (
                FINDINGS[one.finding] if one else NOT_JUDGED,
                options[0].instance_type if options else "",
            )
        )
    return shown


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("point", POINTS)
def test_every_point_is_what_its_own_analysis_says(seed: int, point: GridPoint) -> None:
    fleet, samples = mixed_shard(seed)

    found = simulated(fleet, samples, point)

    first = ["" if place == NONE else TYPES.names[place] for place in found.type_index]
    assert list(zip(found.finding, first, strict=True)) == published(fleet, samples, point)


def test_a_shorter_look_back_sees_the_newest_days_only() -> None:
    # 95 % for 7 days, then 10 %: of the last 7 days nothing is under.
    fleet = [instance(0, "m5.xlarge")]
    cpu = np.repeat([95.0, 10.0], 7 * 288)[None]
    samples = shard(fleet, {CPU: cpu, MEMORY: 20.0})
    week = GridPoint(structs.replace(DEFAULT_PREFERENCES, lookback_days=7))

    assert simulated(fleet, samples, DEFAULT_POINT).finding.tolist() == [UNDER_PROVISIONED]
    assert simulated(fleet, samples, week).finding.tolist() == [OVER_PROVISIONED]


def test_preferred_types_limit_the_options_and_the_finding() -> None:
    # 10 % of 4 vCPUs and 20 % of 16 GiB, with headroom 0.5 vCPU and 4 GiB: m5.large carries them.
    fleet = [instance(0, "m5.xlarge")]
    samples = shard(fleet, {CPU: 10.0, MEMORY: 20.0})

    smaller = simulated(fleet, samples, GridPoint(include=("m5",)))
    none_smaller = simulated(fleet, samples, GridPoint(include=("m5",), exclude=("m5.large",)))

    assert [TYPES.names[place] for place in smaller.type_index] == ["m5.large"]
    assert smaller.price.tolist() == [0.096]
    assert smaller.current_price.tolist() == [0.192]
    assert none_smaller.finding.tolist() == [OPTIMIZED]
    assert [TYPES.names[place] for place in none_smaller.type_index] == ["m5.xlarge"]
    assert none_smaller.price.tolist() == [0.192]


def test_without_an_option_the_price_stays() -> None:
    fleet = [instance(0, "m5.xlarge"), instance(1, "no.such")]
    samples = shard(fleet, {CPU: 10.0, MEMORY: 20.0})

    found = simulated(fleet, samples, GridPoint(architectures=(AWS_ARM64,), include=("m5",)))

    assert found.type_index.tolist() == [NONE, NONE]
    assert found.finding.tolist() == [OVER_PROVISIONED, NOT_JUDGED]
    assert found.price.tolist()[0] == 0.192
    assert np.isnan(found.price[1])


def test_changed_means_another_finding_or_another_first_option() -> None:
    price = np.ones(4)
    one = Advice(np.array([0, 0, 1, 1]), np.array([5, 5, 5, 5]), price, price)
    other = Advice(np.array([0, 1, 1, 1]), np.array([5, 5, 6, 5]), price * 2, price)

    assert changed(one, other).tolist() == [False, True, True, False]
