"""Placeholders of PromQL, and what they stand for."""

import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.sources.prometheus.expressions import (
    check_expression,
    expression,
    matcher,
    metricsql,
    promql,
)


@pytest.mark.parametrize(
    ("scrape_seconds", "counter", "peak"),
    [
        # A slot and one scrape less a millisecond; a minute and one scrape less the same.
        (15, "[314999ms]", "[74999ms]"),
        (60, "[359999ms]", "[119999ms]"),
        # Scraped less often than each minute, the shortest time that has a rate counts.
        (120, "[419999ms]", "[239999ms]"),
    ],
)
def test_ranges_of_counters_reach_back_to_the_scrape_before(
    scrape_seconds: int, counter: str, peak: str
) -> None:
    found = promql(scrape_seconds, "1h").spans

    assert (found["[$counter]"], found["[$peak]"]) == (counter, peak)


PEAK = "max_over_time((sum(rate(x[$peak])))[$peaks])"


@pytest.mark.parametrize(
    ("scrape_seconds", "asked"),
    [
        (15, "max_over_time((sum(rate(x[60s])))[300s:60s])"),
        # The server would make 67.5 s of a minute: 9/8 of the interval.
        (60, "max_over_time((sum(irate(x[60s])))[300s:60s])"),
        (54, "max_over_time((sum(irate(x[60s])))[300s:60s])"),
        (53, "max_over_time((sum(rate(x[60s])))[300s:60s])"),
        (120, "max_over_time((sum(irate(x[120s])))[300s:60s])"),
    ],
)
def test_metricsql_is_asked_without_reaching_back(scrape_seconds: int, asked: str) -> None:
    dialect = metricsql(scrape_seconds, "1h")

    assert expression(PEAK, ("a",), "", dialect) == asked
    assert expression("rate(x[$counter])", ("a",), "", dialect) == "rate(x[300s])"


def test_placeholders_are_filled_in() -> None:
    text = "sum by ($id) (avg_over_time(x{$match}[$slot]))"

    found = expression(text, ("a", "b"), 'a="1"', promql(60, "1h"))

    assert found == 'sum by (a, b) (avg_over_time(x{a="1"}[300s] offset 1ms))'


def test_machines_are_matched_literally() -> None:
    found = matcher(("instance",), [("web.1:9100",), ("db+2",), ('a"\\b',)])

    # re.escape puts a backslash before + and the like; in a string of PromQL it is written twice.
    assert found == r'instance=~"a\"\\\\b|db\\+2|web\\.1:9100"'


def test_machines_that_several_labels_tell_are_matched_by_each() -> None:
    assert matcher(("a", "b"), [("1", "x"), ("2", "x")]) == 'a=~"1|2", b=~"x"'


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("rate(x[$window])", r"\$window in 'rate\(x\[\$window\]\)' means nothing"),
        ("rate(x[$match])", r"\$match .* means nothing"),
        ("sum by ($slot) (x)", r"\$slot .* means nothing"),
        ("  ", "the query is empty"),
    ],
)
def test_placeholders_that_mean_nothing_are_named_with_their_place(query: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=f"here: {said}"):
        check_expression(query, "here")
