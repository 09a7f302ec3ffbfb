"""The evidence of a function: the very figures that its recommendation rests on."""

import pytest

from compute_optimizer.catalog.lambda_memory import load_function_types
from compute_optimizer.engine.explanation import Explanation, Figure
from compute_optimizer.model.lambda_function import LambdaFunction
from compute_optimizer.model.metrics import MetricKey
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.resources.functions.reading import size_text, summary_of
from compute_optimizer.resources.lambda_function import explain
from tests.fleets import AS_OF, shard
from tests.functions import function, recommended_function, runs


def explained(one: LambdaFunction, series: dict[MetricKey, object]) -> Explanation:
    return explain(
        one,
        shard([one], series),  # type: ignore[arg-type]
        load_function_types(),
        as_of=AS_OF,
        preferences=DEFAULT_PREFERENCES,
    )


def figure(told: Explanation, name: str) -> Figure:
    (found,) = [one for one in told.figures if one.figure == name]
    return found


@pytest.mark.parametrize(
    ("one", "invocations", "memory"),
    [
        (function("worker", 1024, timeout_seconds=30), 10, 300.0),
        (function("worker", 1024, timeout_seconds=30), 10, 950.0),
        (function("worker", 320, timeout_seconds=30), 10, 260.0),
        (function("worker", 128), 10, 60.0),
        (function("worker", 3008), 10, 300.0),
        (function("worker", 1024), 0.01, 300.0),
    ],
)
def test_finding_prices_and_options_are_those_of_the_recommendation(
    one: LambdaFunction, invocations: float, memory: float
) -> None:
    series = runs(invocations, 200.0, memory)
    told, found = explained(one, {**series}), recommended_function(one, series)

    assert (told.finding, told.finding_reason_codes) == (
        found.finding.value,
        found.finding_reason_codes,
    )
    assert told.current == summary_of(found).current
    assert told.current_monthly_usd == found.monthly_usd
    assert told.price_date == found.price_date
    ranked = [(c.configuration, c.monthly_usd) for c in told.choices if c.rank is not None]
    assert ranked == [(size_text(o.memory_size), o.monthly_usd) for o in found.options]


def test_memory_is_told_with_its_reserve_and_time_beside_the_timeout() -> None:
    series = runs(10, 200.0, 300.0)
    told = explained(function("worker", 1024, timeout_seconds=1), {**series})
    (memory,) = told.dimensions

    # 300 MB and a fifth more.
    assert (memory.demand, memory.required, memory.current_capacity) == pytest.approx(
        (300, 360, 1_024)
    )
    # 80 % of a second; 1,024 MB x 200 / 800 = 256 MB.
    assert (figure(told, "longest run").value, figure(told, "longest run").limit) == (200, 800)
    assert figure(told, "memory for that").value == pytest.approx(256)
    assert figure(told, "invocations").value == 14 * 288 * 10
    assert [one.configuration for one in told.choices] == ["360 MB", "1,024 MB"]


def test_a_saving_that_nobody_would_work_for_is_refused_by_its_figure() -> None:
    # 260 MB and a fifth more are 312 of 320: 312 / 320 x (1 + 75 / 312) / (1 + 75 / 320).
    told = explained(function("worker", 320), {**runs(10, 200.0, 260.0)})
    cost = figure(told, "cost of duration")

    assert cost.value == pytest.approx(312 / 320 * (1 + 75 / 312) / (1 + 75 / 320))
    assert cost.limit == pytest.approx(0.95)
    assert told.choices[0].refused_because == ("saves less than 5% of the cost of duration",)


def test_unknown_memory_is_inconclusive_and_told_as_unknown() -> None:
    series = {
        key: value for key, value in runs(10, 200.0, 300.0).items() if "mem" not in key.metric
    }
    told = explained(function("worker", 1024), {**series})

    assert told.finding_reason_codes == ("Inconclusive",)
    assert figure(told, "highest use of memory").value is None
    assert told.dimensions[0].demand is None
