"""The calibrated profile: predicted risk decides, the rule where nothing can be predicted."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from numpy.typing import ArrayLike

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.catalog.risk_prior import load_risk_prior
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.model.metrics import SLOTS_PER_DAY, MetricKey
from compute_optimizer.model.preferences import CALIBRATED, Preferences
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation, Finding
from compute_optimizer.resources.ec2_instance import explain, recommend
from tests.fleets import AS_OF, CPU, MEMORY, instance, option_types, shard

Series = Mapping[MetricKey, ArrayLike]

CALM = Preferences(profile=CALIBRATED)
TYPES = load_instance_types()
SLOTS = 14 * SLOTS_PER_DAY
DAILY = np.arange(SLOTS) % SLOTS_PER_DAY
"""Place of each slot in its day."""

STEADY: Series = {CPU: 60.0, MEMORY: 30.0}
RESTLESS: Series = {
    # A day of 60 % every so often, else 5 %: the rule sees P99.5 = 60 % either way.
    CPU: np.where((np.arange(SLOTS) // SLOTS_PER_DAY) % 5 == 0, 60.0, 5.0),
    MEMORY: 30.0,
}


def advised(
    series: Series,
    preferences: Preferences = CALM,
    instance_type: str = "m5.2xlarge",
    days: int = 14,
) -> Ec2InstanceRecommendation:
    one = instance(1, instance_type)
    (found,) = recommend(
        [one],
        shard([one], series, days),
        TYPES,
        as_of=AS_OF,
        preferences=preferences,
        risk_model=load_risk_prior(),
    ).recommendations
    return found


def told(series: Series, preferences: Preferences = CALM) -> Explanation:
    one = instance(1, "m5.2xlarge")
    return explain(
        one,
        shard([one], series),
        TYPES,
        as_of=AS_OF,
        preferences=preferences,
        risk_model=load_risk_prior(),
    )


def vcpus(found: Ec2InstanceRecommendation) -> float:
    return float(TYPES.vcpus[TYPES.index[option_types(found)[0]]])


def test_both_profiles_answer_and_the_preferences_choose() -> None:
    ours, theirs = advised(STEADY), advised(STEADY, Preferences())

    assert ours.evidence is not None and theirs.evidence is not None
    assert (ours.evidence.profile, theirs.evidence.profile) == ("calibrated", "published")
    assert ours.other is not None and theirs.other is not None
    assert ours.other.instance_type == option_types(theirs)[0]
    assert theirs.other.instance_type == option_types(ours)[0]


def test_without_a_risk_model_only_the_rule_answers() -> None:
    one = instance(1, "m5.2xlarge")
    (found,) = recommend(
        [one], shard([one], STEADY), TYPES, as_of=AS_OF, preferences=Preferences()
    ).recommendations

    assert found.other is None
    assert found.options[0].violation_risk is None


@pytest.mark.parametrize("cap", [0.01, 0.05, 0.2, 0.5])
@pytest.mark.parametrize("series", [STEADY, RESTLESS], ids=["steady", "restless"])
def test_no_option_has_a_higher_risk_than_the_cap(series: Series, cap: float) -> None:
    found = advised(series, structs.replace(CALM, risk_cap=cap))

    assert found.options
    for option in found.options:
        if option.instance_type != found.current_instance_type:
            assert option.violation_risk is not None
            assert option.violation_risk <= cap + 1e-4


def test_a_cap_of_nothing_keeps_what_is_there() -> None:
    found = advised(RESTLESS, structs.replace(CALM, risk_cap=0.0))

    # Types as large as today's in every dimension are no risk, and may be cheaper.
    assert vcpus(found) >= 8
    assert all(TYPES.memory_mib[TYPES.index[name]] >= 32_768 for name in option_types(found))


@settings(max_examples=20, deadline=None)
@given(level=st.floats(2, 60), wide=st.floats(0.01, 0.5), narrow=st.floats(0.01, 0.5))
def test_a_lower_cap_never_saves_more(level: float, wide: float, narrow: float) -> None:
    series: Series = {CPU: np.where(DAILY < 20, level, level / 3), MEMORY: 40.0}
    low, high = sorted((wide, narrow))

    careful, bold = (advised(series, structs.replace(CALM, risk_cap=cap)) for cap in (low, high))

    prices = [one.options[0].hourly_usd for one in (careful, bold)]
    assert prices[0] is not None and prices[1] is not None
    assert prices[0] >= prices[1]


def test_a_dearer_incident_never_buys_a_smaller_machine() -> None:
    prices = [
        advised(RESTLESS, structs.replace(CALM, risk_cap=1.0, incident_usd=usd))
        .options[0]
        .hourly_usd
        for usd in (0.0, 30.0, 300.0, 30_000.0)
    ]

    assert prices == sorted(prices, key=lambda price: price or 0)
    assert prices[0] != prices[-1]


def test_a_saturated_machine_goes_by_the_rule_as_a_first_step() -> None:
    # A hundredth of the samples at the ceiling; half a percent is where use stops telling.
    found = advised({CPU: np.where(np.arange(SLOTS) % 100 == 0, 100.0, 30.0), MEMORY: 30.0})

    assert found.finding is Finding.UNDER_PROVISIONED
    assert found.evidence is not None
    assert found.evidence.profile == "published"
    assert "at its ceiling" in str(found.evidence.published_because)


@pytest.mark.parametrize(("days", "profile"), [(2, "published"), (3, "calibrated")])
def test_three_days_are_needed_to_predict(days: int, profile: str) -> None:
    cpu = np.where(np.arange(SLOTS) >= SLOTS - days * SLOTS_PER_DAY, 10.0, np.nan)
    found = advised({CPU: cpu, MEMORY: 30.0})

    assert found.evidence is not None
    assert found.evidence.profile == profile
    assert ("fewer than 3 days" in str(found.evidence.published_because)) == (days == 2)


def test_less_history_is_never_less_risk() -> None:
    risks = []
    for days in (3, 5, 8, 14):
        cpu = np.where(np.arange(SLOTS) >= SLOTS - days * SLOTS_PER_DAY, 10.0, np.nan)
        evidence = told({CPU: cpu, MEMORY: 30.0})
        by_type = {one.instance_type: one.violation_risks["CPU"] for one in evidence.considered}
        risks.append(by_type)
    common = set.intersection(*(set(one) for one in risks))
    assert common
    for name in common:
        figures = [one[name] for one in risks]
        assert figures == sorted(figures, key=lambda risk: -(risk or 0))


def test_unknown_memory_is_never_reduced() -> None:
    found = advised({CPU: 5.0})

    assert all(TYPES.memory_mib[TYPES.index[o]] >= 32_768 for o in option_types(found))


def test_steady_use_may_come_closer_to_the_capacity_than_the_rule_allows() -> None:
    # 45 % of 8 vCPU are 3.6: of 4 vCPU 90 %, which the rule's 80 % refuse.
    series: Series = {CPU: 45.0, MEMORY: 20.0}

    risk = {one.instance_type: one.violation_risk for one in told(series).considered}
    calm = {one.instance_type: one.violation_risk for one in told(RESTLESS).considered}

    assert any(known is not None and known < 0.2 for known in risk.values())
    assert calm.keys() != risk.keys()


def test_the_explanation_tells_peaks_both_answers_and_what_refused_types() -> None:
    found = told(RESTLESS, structs.replace(CALM, risk_cap=0.02))

    assert found.prediction is not None
    cpu = next(one for one in found.prediction.peaks if one.dimension == "CPU")
    # 60 % of 8 vCPU.
    assert cpu.last_peak == pytest.approx(4.8, rel=1e-6)
    levels = [cpu.coming[share] for share in ("0.5", "0.9", "0.99")]
    assert levels == sorted(levels)
    assert found.other is not None
    assert found.other.profile == "published"
    assert {one.reason for one in found.refusals} & {"risk above the cap"}


def test_cpu_risk_falls_with_capacity_over_the_types_considered() -> None:
    considered = told(RESTLESS).considered
    pairs = sorted(
        (one.capacity["CPU"], one.violation_risks["CPU"])
        for one in considered
        if one.capacity["CPU"] is not None and one.violation_risks["CPU"] is not None
    )

    risks = [risk for _, risk in pairs]
    assert risks == sorted(risks, reverse=True)


def test_the_wire_grades_predicted_risk_by_the_table() -> None:
    found = advised(RESTLESS, structs.replace(CALM, risk_cap=0.5))

    explained = {one.instance_type: one for one in told(RESTLESS).considered}
    assert explained.keys() & {option.instance_type for option in found.options}
    for option in found.options:
        if option.instance_type in explained:
            by_dimension = explained[option.instance_type].violation_risks.values()
            worst = max((risk for risk in by_dimension if risk is not None), default=0.0)
            # Below 1 % scores 0, 5 % 1, 10 % 2, 25 % 3, else 4.
            expected = sum(worst >= edge for edge in (0.01, 0.05, 0.1, 0.25))
            assert option.performance_risk == expected
