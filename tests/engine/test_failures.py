"""Whether clearly more failed after a change than before it."""

import numpy as np
import pytest

from compute_optimizer.engine.failures import FailureShare, with_failures
from compute_optimizer.engine.reached import Reached
from compute_optimizer.model.metrics import SLOTS_PER_DAY, MetricKey, ShardSamples, Statistic
from tests.fleets import instance, shard

TRIED, FAILED = MetricKey("Invocations", Statistic.SUM), MetricKey("Errors", Statistic.SUM)
SHARE = FailureShare("Errors", FAILED, (TRIED,))
ONE = instance(1, "m5.large")
DAYS = 1


def counts(tried: float, failed: float | None) -> ShardSamples:
    """Return a day on which so much was tried and failed, all of it in one slot."""
    series = {TRIED: np.zeros(DAYS * SLOTS_PER_DAY)} | (
        {} if failed is None else {FAILED: np.zeros(DAYS * SLOTS_PER_DAY)}
    )
    for key, total in ((TRIED, tried), (FAILED, failed)):
        if key in series:
            series[key][7] = total
    return shard([ONE], series, DAYS)


def reached(smaller: bool = True) -> Reached:
    """Return a change that came up against nothing."""
    seen = np.array([[True]])
    return Reached(("Memory",), seen, seen, np.array([[smaller]]), np.array([[False]]))


# Of 100,000 calls before, 100 failed: 0.1 %. Up to 0.2 % is forgiven, 200 of as many calls; of n
# failures 1.96 roots are chance. 229 - 1.96 * 15.13 = 199.3, and 230 - 1.96 * 15.17 = 200.3.
@pytest.mark.parametrize(("failed", "more"), [(100, False), (229, False), (230, True)])
def test_a_rise_counts_beyond_what_is_forgiven_and_what_may_be_chance(
    failed: int, more: bool
) -> None:
    found = with_failures(reached(), [SHARE], counts(100_000, 100), counts(100_000, failed))

    assert found.dimensions == ("Memory", "Errors")
    assert found.reached.tolist() == [[False, more]]
    assert found.seen.tolist() == [[True, True]]


def test_more_failures_of_as_much_more_traffic_are_no_rise() -> None:
    found = with_failures(reached(), [SHARE], counts(1_000, 10), counts(100_000, 1_000))

    assert not found.reached.any()


def test_a_few_failures_of_a_few_calls_are_chance() -> None:
    # 3 - 1.96 * 1.73 is below nothing.
    found = with_failures(reached(), [SHARE], counts(10, 0), counts(10, 3))

    assert not found.reached.any()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (counts(1_000, None), counts(1_000, 900)),
        (counts(1_000, 0), counts(1_000, None)),
        (counts(0, 0), counts(1_000, 900)),
    ],
)
def test_what_one_side_does_not_tell_is_not_seen(before: ShardSamples, after: ShardSamples) -> None:
    found = with_failures(reached(), [SHARE], before, after)

    assert found.seen.tolist() == [[True, False]]
    assert found.smaller.tolist() == [[True, True]]
    assert not found.reached.any()


def test_what_became_larger_is_not_hurt_by_the_change() -> None:
    found = with_failures(reached(smaller=False), [SHARE], counts(1_000, 0), counts(1_000, 900))

    assert not found.smaller.any()
    assert not found.reached.any()
