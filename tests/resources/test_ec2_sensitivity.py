"""What would change the answer, held against the engine on samples that were really changed."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import ArrayLike

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.engine.explanation import Explanation, TippingPoint
from compute_optimizer.model.metrics import MetricKey
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES, Preferences
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.ec2_instance import explain, outline
from tests.fleets import AS_OF, CPU, MEMORY, instance, option_types, recommended, shard

XLARGE = instance(1, "m5.xlarge")
NOTICEABLE = 0.001
"""Relative; tipping points are found to 0.02 %."""


def explained(resource: Resource, series: Mapping[MetricKey, ArrayLike]) -> Explanation:
    return explain(
        resource,
        shard([resource], series),
        load_instance_types(),
        as_of=AS_OF,
        preferences=DEFAULT_PREFERENCES,
    )


def tipping_points(told: Explanation, dimension: str) -> list[TippingPoint]:
    assert told.what_would_change is not None
    return [one for one in told.what_would_change.tipping_points if one.dimension == dimension]


def test_memory_tips_where_the_present_type_is_full() -> None:
    told = explained(XLARGE, {CPU: 30.0, MEMORY: 60.0})

    *_, last = tipping_points(told, "Memory")
    # 16,384 MiB less 20 % headroom.
    assert last.demand_then == pytest.approx(13_107.2, rel=NOTICEABLE)
    assert last.demand == pytest.approx(0.6 * 16_384)
    assert "finding" in last.changes
    assert last.answer.finding == "Underprovisioned"


@pytest.mark.parametrize(("cpu", "memory"), [(30.0, 60.0), (95.0, 5.0), (3.0, 20.0), (70.0, 70.0)])
def test_the_answer_is_the_same_before_a_tipping_point_and_another_behind_it(
    cpu: float, memory: float
) -> None:
    levels = {"CPU": (CPU, cpu), "Memory": (MEMORY, memory)}
    series = {CPU: cpu, MEMORY: memory}
    told = explained(XLARGE, series)
    assert told.what_would_change is not None
    tried = 0

    for point in tipping_points(told, "CPU") + tipping_points(told, "Memory"):
        key, level = levels[point.dimension]
        assert point.demand is not None
        factor = point.demand_then / point.demand
        if level * factor > 100:
            continue
        outward = 1 + NOTICEABLE if factor > 1 else 1 - NOTICEABLE
        behind = recommended(XLARGE, series | {key: level * factor * outward})
        before = recommended(XLARGE, series | {key: level * factor / outward})
        aspects = {
            "finding": (behind.finding.value, before.finding.value),
            "first_option": (option_types(behind)[0], option_types(before)[0]),
        }
        for aspect in point.changes:
            now, then = getattr(told.what_would_change.answer, aspect), aspects[aspect][0]
            assert then == getattr(point.answer, aspect) != now
        # Of several in the same direction, the nearer one may have changed the other aspect.
        assert any(aspects[aspect][1] != aspects[aspect][0] for aspect in point.changes)
        tried += 1
    assert tried >= 2


def test_unknown_memory_says_how_little_would_have_to_be_used_to_do_with_less() -> None:
    told = explained(XLARGE, {CPU: 30.0})

    less, more = tipping_points(told, "Memory")
    assert less.demand is more.demand is None
    # Types with 8 GiB: half of 16,384 less 20 % headroom.
    assert less.demand_then == pytest.approx(6_553.6, rel=NOTICEABLE)
    known = recommended(XLARGE, {CPU: 30.0, MEMORY: 6_500 / 16_384 * 100})
    assert less.answer.first_option == option_types(known)[0]
    assert more.answer.finding == "Underprovisioned"


def test_a_dimension_that_nobody_can_judge_tips_nothing() -> None:
    told = explained(XLARGE, {CPU: 30.0, MEMORY: 60.0})

    assert tipping_points(told, "NetworkPPS") == []


def test_other_preferences_are_those_of_the_service_and_answered_by_the_engine() -> None:
    busy = np.where(np.arange(14 * 288) % 50 == 0, 90.0, 20.0)  # 2 % of the time
    told = explained(XLARGE, {CPU: busy, MEMORY: 20.0})
    assert told.what_would_change is not None

    found = told.what_would_change.preferences
    assert [(one.preference, one.value) for one in found] == [
        ("cpu_percentile", 90.0),
        ("cpu_percentile", 95.0),
        ("cpu_headroom", 0.0),
        ("cpu_headroom", 0.3),
        ("memory_headroom", 0.1),
        ("memory_headroom", 0.3),
    ]
    changes = {(one.preference, one.value): one for one in found}
    # Above 95 % of the samples nothing is busy: the machine is too large all of a sudden.
    assert told.finding == "Underprovisioned"
    forgiving = changes["cpu_percentile", 95.0]
    assert forgiving.changes == ("finding", "first_option")
    same = recommended(XLARGE, {CPU: busy, MEMORY: 20.0}, Preferences(cpu_percentile=95.0))
    assert forgiving.answer.finding == same.finding.value
    assert forgiving.answer.first_option == option_types(same)[0]
    assert changes["memory_headroom", 0.1].changes == ()


def test_an_outline_says_all_but_what_would_change() -> None:
    told = explained(XLARGE, {CPU: 30.0, MEMORY: 60.0})
    outlined = outline(
        XLARGE,
        shard([XLARGE], {CPU: 30.0, MEMORY: 60.0}),
        load_instance_types(),
        as_of=AS_OF,
        preferences=DEFAULT_PREFERENCES,
    )

    assert told.what_would_change is not None
    assert outlined == replace(told, what_would_change=None)


def test_without_a_recommendation_there_is_nothing_to_change() -> None:
    told = explained(instance(1, "no.such"), {CPU: 30.0})

    assert told.what_would_change is None


def test_history_tells_days_share_and_the_oldest_sample() -> None:
    cpu = np.full(14 * 288, np.nan)
    cpu[3 * 288 + 12 :: 2] = 30.0  # from the fourth day 01:00 on, every other slot
    cpu[5 * 288 : 6 * 288] = np.nan

    history = explained(XLARGE, {CPU: cpu}).history

    # 11 days less one; (11 x 288 - 12) / 2 - 144 samples.
    assert (history.days, history.days_with_data) == (14, 10)
    assert history.samples == 1434
    assert history.share == pytest.approx(1434 / 4032)
    assert history.samples_needed == 360
    assert f"{history.oldest:%m-%d %H:%M} {history.newest:%m-%d %H:%M}" == "01-04 01:00 01-14 23:50"


def test_without_cpu_there_is_no_history() -> None:
    history = explained(XLARGE, {MEMORY: 30.0}).history

    assert (history.samples, history.days_with_data, history.share) == (0, 0, 0.0)
    assert history.oldest is history.newest is None


def test_considered_types_show_their_risk_per_dimension() -> None:
    told = explained(XLARGE, {CPU: 30.0, MEMORY: 60.0})

    options = [one for one in told.considered if one.ranks]
    misses = [one for one in told.considered if one.refused_because]
    for one in options:
        known = [risk for risk in one.risks.values() if risk is not None]
        assert one.performance_risk == max(known)
        assert one.risks["NetworkPPS"] is None
    # All samples need 9,830 MiB: what has fewer is short of it in every one (more than 5 %).
    small = [one for one in misses if (one.capacity["Memory"] or 0) < 9_830]
    assert small
    assert {one.risks["Memory"] for one in small} == {4.0}
    assert all(a.hourly_usd >= b.hourly_usd for a, b in pairwise(misses))
