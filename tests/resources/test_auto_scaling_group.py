"""Groups of a shard: what one machine of each is told by, and what its members take over."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.model.metrics import Matrix, MetricKey, ShardSamples, Statistic
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.model.recommendation import RecommendationError, Results
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.asg.members import following_groups
from compute_optimizer.resources.asg.support import is_supported, mixable
from compute_optimizer.resources.auto_scaling_group import machines_of, per_machine
from tests.fleets import AS_OF, CPU, CPU_AVERAGE, MEMORY, analyzed, counter, instance, shard
from tests.groups import analyzed_groups, group, group_arn, recommended_group

SENT = counter("NetworkIn")
NAN = np.nan


def member(number: int, of: int, instance_type: str = "m5.xlarge") -> Resource:
    return replace(instance(number, instance_type), auto_scaling_group_arn=group_arn(of))


def samples(arns: list[str], **series: list[list[float]]) -> ShardSamples:
    """Return a few slots; a name is CPU, AVERAGE or SENT."""
    keys = {"CPU": CPU, "AVERAGE": CPU_AVERAGE, "SENT": SENT}
    found: dict[MetricKey, Matrix] = {
        keys[name]: np.array(rows, np.float32) for name, rows in series.items()
    }
    return replace(shard([], {}), resource_arns=tuple(arns), series=found)


def rows(found: ShardSamples, key: MetricKey) -> Any:
    return [
        [None if value != value else value for value in row] for row in found.series[key].tolist()
    ]


def test_members_make_one_machine_slot_by_slot_the_highest_or_the_mean() -> None:
    groups = [group(1, "m5.xlarge"), group(2, "m5.xlarge")]
    members = [member(1, 2), member(2, 1), member(3, 2), member(4, 9)]
    sent = samples(
        [one.arn for one in members],
        CPU=[[10, NAN, 30], [1, 2, 3], [20, NAN, 5], [99, 99, 99]],
        AVERAGE=[[4, NAN, 8], [1, 1, 1], [8, NAN, NAN], [99, 99, 99]],
        SENT=[[100, 0, NAN], [7, 7, 7], [50, NAN, 60], [999, 999, 999]],
    )

    found = per_machine(groups, samples([one.arn for one in groups]), members, sent)

    assert rows(found, CPU) == [[1, 2, 3], [20, None, 30]]
    assert rows(found, CPU_AVERAGE) == [[1, 1, 1], [6, None, 8]]
    assert rows(found, SENT) == [[7, 7, 7], [100, 0, 60]]


def test_a_series_of_the_group_stands_with_its_gaps_and_counters_are_divided() -> None:
    groups = [group(1, "m5.xlarge", size=4), group(2, "m5.xlarge", size=0)]
    own = samples([one.arn for one in groups], CPU=[[50, NAN], [NAN, NAN]], SENT=[[8, 4], [8, 4]])
    before = own.series[SENT].copy()
    members = [member(1, 1), member(2, 2)]
    sent = samples([one.arn for one in members], CPU=[[NAN, 1], [2, 2]])

    found = per_machine(groups, own, members, sent)

    assert rows(found, CPU) == [[50, None], [2, 2]]
    # A group of no machine is not divided by zero.
    assert rows(found, SENT) == [[2, 1], [8, 4]]
    assert (own.series[SENT] == before).all()


@pytest.mark.parametrize(("own", "told"), [(360, 50), (359, 10)])
def test_thirty_hours_of_its_own_are_enough_for_a_group(own: int, told: float) -> None:
    one, other = group(1, "m5.xlarge"), member(1, 1)
    used = np.full(4032, NAN, np.float32)
    used[:own] = 50

    found = per_machine([one], shard([one], {CPU: used}), [other], shard([other], {CPU: 10}))

    # 360 samples of five minutes are 30 hours; with fewer the members are asked, who have more.
    assert np.nanmax(found.series[CPU]) == told


def test_a_group_is_told_the_same_alone_and_among_others() -> None:
    fleet = [
        group(1, "m5.xlarge"),
        group(2, "m5.xlarge", "m5.2xlarge"),
        group(3, "c5.2xlarge", scaling="dynamic", max_size=9),
        group(4, "m5.xlarge", spot=True),
    ]
    use = {CPU: np.array([[10], [20], [30], [40]]), MEMORY: np.array([[30], [20], [10], [40]])}

    together = analyzed_groups(fleet, use)

    alone = [
        recommended_group(one, {key: values[place] for key, values in use.items()})
        for place, one in enumerate(fleet[:3])
    ]
    assert sorted(together.recommendations, key=lambda one: one.resource_arn) == alone
    assert [one.resource_arn for one in together.errors] == [group_arn(4)]


@pytest.mark.parametrize("types", [("m5.xlarge",), ("m5.2xlarge", "m5.xlarge")])
def test_a_group_keeps_the_price_of_one_machine_of_its_cheapest_type(
    types: tuple[str, ...],
) -> None:
    found = recommended_group(group(1, *types, size=3), {CPU: np.array([10])})

    # m5.xlarge in us-east-1: 0.192 USD an hour, whatever the size of the group.
    assert found.current_hourly_usd == pytest.approx(0.192)


def test_an_empty_shard_has_no_results() -> None:
    assert analyzed_groups([], {}) == Results((), ())


def test_mixed_groups_are_of_the_series_for_general_use_compute_and_memory() -> None:
    types = load_instance_types()

    allowed = {types.families[place] for place in np.flatnonzero(mixable(types))}

    assert {"m5", "m7i-flex", "c6i", "r7g"} <= allowed
    assert not {"t3", "i4i", "g5", "mac2", "x2idn"} & allowed


def test_a_reserved_prefix_of_a_tag_is_a_sign_and_a_part_of_one_is_not() -> None:
    types = load_instance_types()

    def supported(*keys: str) -> bool:
        return is_supported(group(1, "m5.xlarge", tags=dict.fromkeys(keys, "")), types)

    assert supported("Team", "my-kubernetes.io/cluster/x")
    assert not supported("Team", "kubernetes.io/cluster/x")
    assert not supported("eks:cluster-name")


def test_members_take_over_what_decides_and_keep_what_is_theirs() -> None:
    members = [member(1, 1), member(2, 1), instance(3, "m5.xlarge"), member(4, 7)]
    alone = analyzed(members, {CPU: np.array([[10], [70], [10], [10]]), MEMORY: 20})
    own = group(1, "m5.xlarge")
    machine = machines_of(
        [own],
        shard([own], {CPU: 70, MEMORY: 20}),
        load_instance_types(),
        as_of=AS_OF,
        preferences=DEFAULT_PREFERENCES,
    )

    found = following_groups(members, alone, machine).recommendations

    (whole,) = machine.recommendations
    assert [one.follows_group for one in found] == [True, True, False, False]
    for before, after in zip(alone.recommendations[:2], found[:2], strict=True):
        assert (after.options, after.finding) == (whole.options, whole.finding)
        assert (after.resource_arn, after.utilization, after.idle) == (
            before.resource_arn,
            before.utilization,
            before.idle,
        )
    assert found[2:] == alone.recommendations[2:]


def test_members_of_a_refused_group_have_its_error_beside_their_own() -> None:
    young = RecommendationError(member(9, 1).arn, "INSUFFICIENT_METRIC_DATA", "Too little.")
    members = [member(1, 1), instance(2, "m5.xlarge"), member(9, 1)]
    found = analyzed(members[:2], {CPU: 10})
    refused = RecommendationError(group_arn(1), "UNSUPPORTED_RESOURCE", "Not supported.")

    answer = following_groups(
        members, Results(found.recommendations, (young,)), Results((), (refused,))
    )

    assert [one.resource_arn for one in answer.recommendations] == [members[1].arn]
    assert answer.errors == (young, replace(refused, resource_arn=members[0].arn))


def test_a_mean_decides_only_where_a_group_follows_its_load() -> None:
    use = {CPU: 90, CPU_AVERAGE: 30, MEMORY: 40}

    fixed = recommended_group(group(1, "m5.xlarge"), use)
    following = recommended_group(group(1, "m5.xlarge", scaling="dynamic", max_size=4), use)

    assert (fixed.utilization[0].value, fixed.utilization[0].source_statistic) == (90, "Maximum")
    assert fixed.finding_reason_codes[0] == "CPUUnderprovisioned"
    told = following.utilization[0]
    assert (told.value, told.source_statistic) == (30, Statistic.AVERAGE)
    assert not [code for code in following.finding_reason_codes if code.startswith("CPU")]
