"""What came of changes, counted: by type, by predicted risk, and what is said of each."""

from dataclasses import replace
from typing import Any

import pytest

from compute_optimizer.model.outcome import (
    Outcome,
    Verdict,
    verdicts_by_performance_risk,
    verdicts_by_risk,
    verdicts_by_type,
    verdicts_of,
)
from tests.outcomes import outcome


@pytest.mark.parametrize(
    ("violated", "complete", "verdict"),
    [
        (True, True, Verdict.VIOLATED),
        (False, True, Verdict.HELD),
        (True, False, Verdict.WAITING),
        (False, False, Verdict.WAITING),
        (None, False, Verdict.UNJUDGED),
    ],
)
def test_only_what_is_complete_counts_as_violated_or_held(
    violated: bool | None, complete: bool, verdict: Verdict
) -> None:
    assert replace(outcome(), violated=violated, complete=complete).verdict is verdict


def test_expected_violations_are_those_of_the_judged_whose_risk_was_predicted() -> None:
    found = verdicts_of(
        [
            outcome(0.1, violated=True),
            outcome(0.2),
            outcome(None, kind="EbsVolume", violated=True),
            outcome(0.4, complete=False),
        ]
    )

    assert (found.changes, found.judged, found.violations) == (4, 3, 2)
    assert (found.predicted, found.violations_of_predicted) == (2, 1)
    assert found.expected_violations == pytest.approx(0.3)


def test_what_was_idle_is_counted_beside_its_type() -> None:
    kind = "AutoScalingGroup"
    found = verdicts_by_type([outcome(kind=kind), outcome(kind=kind, idle=True, violated=True)])

    assert {key: one.violations for key, one in found.items()} == {
        (kind, False): 0,
        (kind, True): 1,
    }


def test_changes_are_sorted_into_bins_by_their_risk() -> None:
    found = verdicts_by_risk([outcome(one) for one in (0.0, 0.01, 0.011, 0.05, 0.2, 0.9, None)])

    assert [(one.low, one.high, one.verdicts.judged) for one in found] == [
        (0.0, 0.01, 2),
        (0.01, 0.05, 2),
        (0.05, 0.2, 1),
        (0.2, 1.0, 1),
    ]


def test_performance_risk_is_counted_by_itself_rounded_up_and_predicts_nothing() -> None:
    def risky(risk: float | None, **changes: Any) -> Outcome:
        found = outcome(**changes)
        promised = replace(found.applied.advice.prediction, performance_risk=risk)
        advice = replace(found.applied.advice, prediction=promised)
        return replace(found, applied=replace(found.applied, advice=advice))

    some = [risky(1.0), risky(1.2, violated=True), risky(2.0), risky(2.0, complete=False)]

    found = verdicts_by_performance_risk([*some, risky(None)])

    assert {risk: (one.judged, one.violations) for risk, one in found.items()} == {
        1: (1, 0),
        2: (2, 1),
    }
    assert all(one.predicted == 0 for one in found.values())
