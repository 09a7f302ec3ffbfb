"""Lambda functions: what the cases do not show of the analysis of a shard."""

from datetime import timedelta

import numpy as np
import pytest

from compute_optimizer.catalog.lambda_memory import load_function_types
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.resources.functions.reading import counted_savings, summary_of
from compute_optimizer.resources.functions.use import HIGHEST_DURATION, MEAN_MEMORY
from compute_optimizer.resources.lambda_function import recommend
from tests.fleets import AS_OF, shard
from tests.functions import (
    analyzed_functions,
    function,
    function_recommendation,
    recommended_function,
    runs,
)


def test_nothing_is_asked_of_an_empty_shard() -> None:
    assert analyzed_functions([], {}).recommendations == ()


def test_each_function_of_a_shard_is_answered_as_if_it_were_alone() -> None:
    functions = [
        function("a", 1024),
        function("b", 512, timeout_seconds=3.0),
        function("c", 2048),
        function("d", 256, instance_type="arm64"),
    ] * 20
    rows = np.arange(len(functions))[:, None] + np.zeros(4032)
    # More rows than a block has; each with its own load.
    invocations, duration, memory = 10 + rows, 100 + rows, 50 + rows

    together = analyzed_functions(functions, runs(invocations, duration, memory)).recommendations
    for row in (0, 1, 2, 3, 63, 64, 79):
        load = runs(invocations[row], duration[row], memory[row])
        assert together[row] == recommended_function(functions[row], load)


def test_all_that_is_known_of_its_use_is_told() -> None:
    series = {**runs(100, 50, 200), HIGHEST_DURATION: 80.0, MEAN_MEMORY: 150.0}

    found = recommended_function(function("worker", 1024), series)

    told = [(one.name, one.source_statistic, one.value) for one in found.utilization]
    assert told == [
        ("Duration", "Maximum", 80.0),
        ("Duration", "Average", 50.0),
        ("Memory", "Maximum", 200.0),
        ("Memory", "Average", 150.0),
    ]
    # 100 in each of 14 x 288 slots.
    assert found.invocations == 403_200


def test_savings_count_where_there_is_an_option() -> None:
    fine = function_recommendation(finding=Finding.OPTIMIZED, options=())

    assert counted_savings(function_recommendation()) == 0.8
    assert counted_savings(fine) == 0.0
    assert summary_of(function_recommendation()).recommended == "512 MB"
    assert summary_of(fine).recommended is None


def test_a_month_is_extrapolated_from_the_time_that_was_looked_at() -> None:
    one = function("worker", 1024)
    ran = np.full(4032, 1000.0)
    # Twelve hours of the last day have not been yet.
    ran[-144:] = np.nan
    samples = shard([one], runs(ran, 100, 250))
    noon = AS_OF - timedelta(hours=12)

    (found,) = recommend(
        [one], samples, load_function_types(), as_of=noon, preferences=DEFAULT_PREFERENCES
    ).recommendations

    # 1000 every five minutes are 8.76 million in 730 hours: 876,000 GB-s at 0.0000166667 USD and
    # the requests at 0.0000002.
    assert found.monthly_usd == pytest.approx(14.6 + 1.752, abs=0.0005)
