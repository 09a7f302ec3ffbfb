"""The evidence of a volume: the very figures that its recommendation rests on."""

from typing import Any

import numpy as np
import pytest

from compute_optimizer.catalog.volume_types import load_volume_types
from compute_optimizer.engine.explanation import ChoiceEvidence, Explanation
from compute_optimizer.model.ebs_volume import EbsVolume
from compute_optimizer.model.metrics import MetricKey
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.resources.ebs.reading import configuration_text, summary_of
from compute_optimizer.resources.ebs_volume import explain
from tests.fleets import AS_OF, shard
from tests.volumes import READ_OPS, rate, recommended_volume, use, volume


def explained(one: EbsVolume, series: dict[MetricKey, Any]) -> Explanation:
    samples = shard([one], series)
    return explain(one, samples, load_volume_types(), as_of=AS_OF, preferences=DEFAULT_PREFERENCES)


def choice(told: Explanation, start: str) -> ChoiceEvidence:
    """Return the one choice whose configuration begins so."""
    (found,) = [one for one in told.choices if one.configuration.startswith(start)]
    return found


@pytest.mark.parametrize(
    ("one", "iops", "mibps"),
    [
        (volume(1, "gp2", 500), 120, 40),
        (volume(2, "gp3", 100), 100, 5),
        (volume(3, "gp3", 100), 2_900, 100),
        (volume(4, "io1", 100, iops=5_000), 300, 10),
        (volume(5, "standard", 50), 20, 1),
        (volume(6, "st1", 500), 100, 30),
    ],
)
def test_finding_prices_and_options_are_those_of_the_recommendation(
    one: EbsVolume, iops: float, mibps: float
) -> None:
    told, found = explained(one, use(iops, mibps)), recommended_volume(one, use(iops, mibps))

    assert told.finding == found.finding.value
    assert told.current == summary_of(found).current
    assert told.current_monthly_usd == found.monthly_usd
    assert told.price_date == found.price_date
    assert told.idle == found.idle
    ranked = [
        (c.rank, c.configuration, c.monthly_usd, c.performance_risk)
        for c in told.choices
        if c.rank is not None
    ]
    assert ranked == [
        (o.rank, configuration_text(o.configuration), o.monthly_usd, o.performance_risk)
        for o in found.options
    ]


def test_demand_is_told_against_headroom_and_what_the_volume_can_do() -> None:
    told = explained(volume(1, "gp2", 500), use(120, 40))
    iops, throughput = told.dimensions

    # 120 / 0.8 = 150 operations, 40 / 0.8 = 50 MiB/s; gp2 of 500 GiB does 1,500 and 250.
    assert (iops.demand, iops.required, iops.limit, iops.current_capacity) == pytest.approx(
        (120, 150, 150, 1_500)
    )
    assert (throughput.demand, throughput.required, throughput.current_capacity) == pytest.approx(
        (40, 50, 250)
    )
    # 50 / 250 of the throughput, 150 / 1,500 of the operations.
    assert told.binding_dimension == "Throughput"
    # 0.5 % of 4,032 five-minute samples.
    assert iops.forgiven_hours == pytest.approx(0.005 * 4_032 / 12)


def test_each_choice_that_is_no_option_says_why() -> None:
    told = explained(volume(1, "gp2", 500), use(120, 40))

    assert choice(told, "gp3").refused_because == ()
    assert choice(told, "gp2").refused_because == ("something else is better",)
    assert choice(told, "io1").refused_because[0] == "previous generation"
    # Operations of 40 MiB / 120 are large enough for a disk, but st1 costs 57.60 instead of 50.
    assert choice(told, "st1").refused_because == ("saves nothing",)
    # gp2 as it is, gp3, io1, io2, st1 and sc1.
    assert len(told.choices) == 6
    assert sum(one.types for one in told.refusals) + told.fitting_types == 6


def test_small_operations_keep_disks_out_and_the_figure_stands_beside_its_limit() -> None:
    # 40 MiB in 400 operations are 104,858 bytes each; 262,144 are the least.
    told = explained(volume(1, "gp2", 500), use(400, 40))
    (size,) = [one for one in told.figures if one.figure == "mean size of an operation"]

    assert size.value == pytest.approx(40 * 2**20 / 400)
    assert size.limit == 262_144
    # 400 / 0.8 are the 500 operations that st1 does at most; sc1 does 250.
    assert choice(told, "st1").refused_because[0].startswith("hard disk")
    assert choice(told, "sc1").refused_because[0].startswith("too small")


def test_what_no_type_carries_is_refused_for_its_size() -> None:
    # 7,000 MiB/s are more than any type has.
    told = explained(volume(1, "gp3", 500), use(100, 7_000))

    reasons = {one.refused_because[0] for one in told.choices if one.rank is None}
    assert "too small at the most that the type can do" in reasons


def test_a_volume_without_a_recommendation_is_explained_by_its_error() -> None:
    short = np.full(14 * 288, np.nan)
    short[:359] = rate(100)
    told = explained(volume(1, "gp3", 100), {READ_OPS: short})
    (run,) = [one for one in told.figures if one.figure == "longest run of samples"]

    assert told.finding == "INSUFFICIENT_METRIC_DATA"
    # 359 samples of five minutes are short of 30 hours by one.
    assert run.value == pytest.approx(359 / 12)
    assert run.limit == 30
    assert told.history.samples == 359


def test_an_unknown_type_has_no_choices() -> None:
    told = explained(volume(1, "no.such", 100), use(100, 5))

    assert told.finding == "UNSUPPORTED_RESOURCE"
    assert told.choices == ()
