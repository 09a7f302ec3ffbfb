"""What an explanation says that its figures cannot show."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pytest
from numpy.typing import ArrayLike

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.model.metrics import SLOTS_PER_DAY, MetricKey, ShardSamples, Window
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.resources.ec2_instance import explain
from tests.fleets import AS_OF, CPU, CPU_AVERAGE, MEMORY, instance, shard

SLOTS = 14 * SLOTS_PER_DAY
PLAIN: Mapping[MetricKey, ArrayLike] = {CPU: 30.0, MEMORY: 30.0}


def told(
    series: Mapping[MetricKey, ArrayLike], instance_type: str = "m5.large", last: date | None = None
) -> str:
    one = instance(1, instance_type)
    samples = shard([one], series)
    if last is not None:
        first = date.fromordinal(last.toordinal() - 13)
        samples = ShardSamples(samples.resource_arns, Window(first, last), samples.series)
    found = explain(
        one, samples, load_instance_types(), as_of=AS_OF, preferences=DEFAULT_PREFERENCES
    )
    return " / ".join(found.cautions)


def test_a_plain_machine_has_nothing_to_mind() -> None:
    # 1 to 14 January 2026: the first days of a month belong to its end.
    assert told(PLAIN) == ""


@pytest.mark.parametrize(
    ("series", "instance_type", "said"),
    [
        ({CPU_AVERAGE: 30.0, MEMORY: 30.0}, "m5.large", "averages of five minutes only"),
        ({CPU: 30.0}, "m5.large", "no metric tells the use of memory"),
        (PLAIN, "t3.large", "bursts on CPU credits"),
    ],
)
def test_each_blind_spot_is_said(
    series: Mapping[MetricKey, ArrayLike], instance_type: str, said: str
) -> None:
    assert said in told(series, instance_type)


def test_a_ceiling_is_said_with_its_share() -> None:
    # 504 of 4,032 slots.
    cpu = np.where(np.arange(SLOTS) % 8 == 0, 100.0, 30.0)

    assert "at its ceiling in 12.5 % of the slots" in told({CPU: cpu, MEMORY: 30.0})


@pytest.mark.parametrize(("missing", "is_said"), [(0.049, False), (0.051, True)])
def test_gaps_are_said_from_a_twentieth_on(missing: float, is_said: bool) -> None:
    cpu = np.where(np.arange(SLOTS) < missing * SLOTS, np.nan, 30.0)

    assert ("have no sample of CPU" in told({CPU: cpu, MEMORY: 30.0})) == is_said


@pytest.mark.parametrize(
    ("last", "is_said"),
    [
        # 14 to 27 March: neither the 28th nor the 3rd.
        (date(2026, 3, 27), True),
        (date(2026, 3, 28), False),
        # 4 to 17 March, then 3 to 16.
        (date(2026, 3, 17), True),
        (date(2026, 3, 16), False),
    ],
)
def test_a_window_without_a_month_s_end_is_said(last: date, is_said: bool) -> None:
    assert ("no end of a month" in told(PLAIN, last=last)) == is_said


def test_samples_of_working_days_only_miss_a_weekend() -> None:
    # 5 to 9 January 2026, Monday to Friday: places 4 to 8 of 14.
    day = np.arange(SLOTS) // SLOTS_PER_DAY
    cpu = np.where((day >= 4) & (day <= 8), 30.0, np.nan)

    assert "no weekend lies in the samples" in told({CPU: cpu, MEMORY: 30.0})
