"""Which options the days after an analysis would have exceeded."""

from datetime import date

import numpy as np
import pytest

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.resources.ec2.analysis import UNKNOWN_TYPE
from compute_optimizer.resources.ec2.realized import Realized, realized
from tests.enrolling import ALPHA
from tests.stored_fleets import CPU, MEMORY, machine

TYPES = load_instance_types()
WINDOW = Window(date(2026, 3, 1), date(2026, 3, 14))
SLOTS = WINDOW.days * SLOTS_PER_DAY
"""4,032: the tolerance of 0.1 % is four samples."""

HALF = TYPES.index["m5.large"]
"""Half of a m5.xlarge: 50 % of its CPU and memory."""
SAME = TYPES.index["m5.xlarge"]
LESS_MEMORY = TYPES.index["c5.xlarge"]
"""4 vCPU and 8 GiB instead of 16."""


def came(cpu: list[float], memory: list[float], options: list[int], *dimensions: str) -> Realized:
    """Return what became of one m5.xlarge: first the given samples, then 10 %."""
    series = {key: np.full((1, SLOTS), 10, np.float32) for key in (CPU, MEMORY)}
    for key, given in ((CPU, cpu), (MEMORY, memory)):
        series[key][0, : len(given)] = given
    one = machine(1, ALPHA)
    samples = ShardSamples((one.arn,), WINDOW, series)
    return realized([one], samples, TYPES, np.array([options]), dimensions or ("CPU", "Memory"))


@pytest.mark.parametrize(("above", "exceeded"), [(0, False), (4, False), (5, True)])
def test_cpu_may_be_beyond_the_capacity_in_a_thousandth_of_the_samples(
    above: int, exceeded: bool
) -> None:
    assert came([51.0] * above, [], [HALF]).exceeded.tolist() == [[exceeded]]


def test_what_equals_the_capacity_is_not_beyond_it() -> None:
    assert came([50.0] * SLOTS, [50.0], [HALF]).exceeded.tolist() == [[False]]


def test_memory_may_never_be_beyond_the_capacity() -> None:
    assert came([], [51.0], [HALF]).exceeded.tolist() == [[True]]


def test_only_dimensions_that_shrink_count() -> None:
    # All of the CPU is used, and c5.xlarge has as much; its memory carries 10 %.
    found = came([100.0] * SLOTS, [], [SAME, LESS_MEMORY])

    assert found.smaller.tolist() == [[False, True]]
    assert found.exceeded.tolist() == [[False, False]]


def test_only_dimensions_of_which_something_was_predicted_count() -> None:
    assert came([], [51.0], [HALF], "CPU").exceeded.tolist() == [[False]]


def test_a_type_that_the_catalog_does_not_know_is_not_judged() -> None:
    found = came([100.0] * SLOTS, [90.0] * SLOTS, [UNKNOWN_TYPE, HALF])

    assert found.smaller.tolist() == [[False, True]]
    assert found.exceeded.tolist() == [[False, True]]


def test_who_sent_nothing_was_not_seen() -> None:
    one = machine(1, ALPHA)
    empty = {MetricKey("CPUUtilization", Statistic.MAXIMUM): np.full((1, SLOTS), np.nan)}
    samples = ShardSamples((one.arn,), WINDOW, empty)

    found = realized([one], samples, TYPES, np.array([[HALF]]), ("CPU",))

    assert found.seen.tolist() == [False]
    assert found.exceeded.tolist() == [[False]]
