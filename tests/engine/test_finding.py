import numpy as np
import pytest

from compute_optimizer.engine.demand import Demand
from compute_optimizer.engine.finding import (
    finding_of,
    overprovisioned,
    reason_codes,
    underprovisioned,
)
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.resources.ec2.dimensions import DIMENSION_NAMES

NAN = float("nan")


def demand(required: list[float], capacity: list[float]) -> Demand:
    needed = np.array([required])
    return Demand(needed, needed, np.array([capacity]), np.ones_like(needed))


def test_under_needs_a_candidate_that_has_more() -> None:
    tight = demand([5.0, 5.0, 3.0], [4.0, 4.0, 4.0])

    found = underprovisioned(tight, np.array([[8.0, 4.0, 8.0], [2.0, NAN, 8.0]]))

    assert found.tolist() == [[True, False, False]]


def test_under_needs_known_capacities_and_a_candidate_at_all() -> None:
    assert not underprovisioned(demand([5.0], [NAN]), np.array([[8.0]])).any()
    assert not underprovisioned(demand([NAN], [4.0]), np.array([[8.0]])).any()
    assert not underprovisioned(demand([5.0], [4.0]), np.zeros((0, 1))).any()


def test_over_needs_a_fitting_candidate_with_noticeably_less() -> None:
    loose = demand([1.0, 1.0, NAN], [4.0, 4.0, 4.0])
    candidates = np.array([[2.0, 3.9, 2.0], [4.0, 1.0, 1.0]])

    found = overprovisioned(loose, np.array([[True, False]]), candidates)

    # 3.9 of 4 is the same size; the third dimension has no metric.
    assert found.tolist() == [[True, False, False]]


def test_over_is_false_without_candidates() -> None:
    nothing = overprovisioned(demand([1.0], [4.0]), np.zeros((1, 0), np.bool_), np.zeros((0, 1)))

    assert nothing.tolist() == [[False]]


@pytest.mark.parametrize(
    ("over", "under", "finding"),
    [
        (False, False, Finding.OPTIMIZED),
        (True, False, Finding.OVER_PROVISIONED),
        (False, True, Finding.UNDER_PROVISIONED),
        (True, True, Finding.UNDER_PROVISIONED),
    ],
)
def test_one_dimension_under_decides(over: bool, under: bool, finding: Finding) -> None:
    assert finding_of(over, under) is finding


def test_reason_codes_are_those_of_the_service_in_its_order() -> None:
    all_over, all_under = [True] * len(DIMENSION_NAMES), [True] * len(DIMENSION_NAMES)

    assert reason_codes(DIMENSION_NAMES, all_over, all_under) == tuple(
        f"{name}{suffix}"
        for name in (
            "CPU",
            "Memory",
            "EBSThroughput",
            "EBSIOPS",
            "NetworkBandwidth",
            "NetworkPPS",
            "DiskIOPS",
            "DiskThroughput",
        )
        for suffix in ("Overprovisioned", "Underprovisioned")
    )
