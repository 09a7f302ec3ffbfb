"""A stored recommendation and a later explanation of the same moment."""

from collections.abc import Mapping

import numpy as np
from msgspec import structs
from numpy.typing import ArrayLike

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.engine.departures import departures
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.model.metrics import MetricKey
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.resources.ec2_instance import explain
from tests.fleets import AS_OF, CPU, MEMORY, instance, recommended, shard

XLARGE = instance(1, "m5.xlarge")
QUIET = {CPU: 30.0, MEMORY: 60.0}


def explained(series: Mapping[MetricKey, ArrayLike]) -> Explanation:
    samples, types = shard([XLARGE], series), load_instance_types()
    return explain(XLARGE, samples, types, as_of=AS_OF, preferences=DEFAULT_PREFERENCES)


def test_the_same_samples_make_no_departure() -> None:
    assert departures(explained(QUIET), recommended(XLARGE, QUIET)) == ()


def test_samples_that_came_later_are_named() -> None:
    gap = np.where(np.arange(14 * 288) < 10 * 288, 30.0, np.nan)
    found = departures(explained(QUIET), recommended(XLARGE, QUIET | {CPU: gap}))

    # 30 % either way, so only the count differs: 10 days, then 14.
    assert [(one.fact, one.stored, one.now) for one in found] == [("CPU samples", "2880", "4032")]


def test_a_metric_that_came_later_changes_demand_and_option() -> None:
    found = {d.fact: d for d in departures(explained(QUIET), recommended(XLARGE, {CPU: 30.0}))}

    assert (found["Memory samples"].stored, found["Memory samples"].now) == ("0", "4032")
    # 60 % of 16,384 MiB.
    assert (found["Memory demand"].stored, found["Memory demand"].now) == ("unknown", "9830.4")


def test_another_type_or_answer_is_named() -> None:
    stored = structs.replace(recommended(XLARGE, {CPU: 95.0}), current_instance_type="m5.large")
    facts = {one.fact for one in departures(explained(QUIET), stored)}

    assert {"finding", "first option", "instance type", "CPU demand"} <= facts


def test_what_an_earlier_version_stored_is_compared_as_far_as_it_goes() -> None:
    stored = structs.replace(recommended(XLARGE, {CPU: 95.0}), evidence=None)

    assert {one.fact for one in departures(explained(QUIET), stored)} == {"finding", "first option"}
