"""What charts, rules and sentences call the metrics."""

import re

import pytest

from compute_optimizer.console.metric_titles import TITLED, metric_title, metric_unit
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.resources.asg import idleness
from compute_optimizer.sources.files.vocabulary import METRICS, STATISTICS


def test_every_metric_that_is_kept_has_a_title_and_no_other() -> None:
    assert set(TITLED) == set(METRICS)


@pytest.mark.parametrize("name", METRICS)
def test_a_title_is_words_with_a_capital_first(name: str) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z]*( [A-Za-z]+)*", metric_title(name))


@pytest.mark.parametrize("name", METRICS)
def test_every_series_says_what_it_counts(name: str) -> None:
    for statistic in STATISTICS[METRICS[name]]:
        assert metric_unit(MetricKey(name, statistic)).endswith("each interval")


def test_the_unit_says_which_part_of_an_interval_is_shown() -> None:
    assert metric_unit(MetricKey("NetworkIn", Statistic.SUM)) == "bytes in each interval"
    assert metric_unit(MetricKey("Duration", Statistic.MAXIMUM)) == "ms, highest of each interval"


def test_a_dimension_of_demand_keeps_its_name() -> None:
    assert metric_title("Cpu") == "CPU"


@pytest.mark.parametrize("key", idleness.BUSIEST.values())
def test_what_an_analysis_made_of_others_is_named_after_them(key: MetricKey) -> None:
    assert metric_title(key.metric).endswith(" of the busiest machine")
    assert metric_unit(key).endswith(", highest of each interval")
    assert not metric_unit(key).startswith("samples")


def test_what_nobody_has_titled_is_shown_by_its_own_words() -> None:
    key = MetricKey("SomethingNew", Statistic.AVERAGE)

    assert metric_title("SomethingNew") == "Something new"
    assert metric_unit(key) == "samples, mean of each interval"
