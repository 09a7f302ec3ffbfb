"""EBS volumes: what the cases do not show of the analysis of a shard."""

from datetime import date

import numpy as np
import pytest

from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.resources import RESOURCE_TYPES, type_named
from compute_optimizer.resources.ebs.reading import counted_savings, facets_of, summary_of
from compute_optimizer.resources.ebs_volume import METRICS
from tests.volumes import (
    BY_HAND,
    GP3,
    READ_OPS,
    WRITE_BYTES,
    WRITE_OPS,
    analyzed_volumes,
    rate,
    recommended_volume,
    use,
    volume,
    volume_recommendation,
)


def test_the_table_of_resource_types_has_each_name_once_and_what_it_wants() -> None:
    names = [kind.name for kind in RESOURCE_TYPES]
    kind = type_named("EbsVolume")

    assert len(set(names)) == len(names)
    assert kind is not None
    assert kind.metrics == METRICS
    assert len(set(METRICS)) == 6


def test_a_shard_is_answered_row_by_row_as_each_volume_alone() -> None:
    kinds = ("gp2", "gp3", "io1", "io2", "st1", "sc1", "standard", "no.such")
    fleet = [volume(n, kind, 200, iops=5000, root=n % 3 == 0) for n, kind in enumerate(kinds)]
    levels = np.linspace(10, 4_500, len(fleet))[:, None]
    series = use(levels, levels / 40)

    together = analyzed_volumes(fleet, series)

    alone = [
        analyzed_volumes([one], {key: np.asarray(rows)[[row]] for key, rows in series.items()})
        for row, one in enumerate(fleet)
    ]
    assert together.recommendations == tuple(r for found in alone for r in found.recommendations)
    assert together.errors == tuple(e for found in alone for e in found.errors)
    assert len(together.recommendations) == 7


def test_no_volumes_and_no_samples_are_no_accident() -> None:
    nothing = analyzed_volumes([], {})
    silent = analyzed_volumes([volume(1, "gp3", 100)], {})

    assert (nothing.recommendations, nothing.errors) == ((), ())
    assert [error.code for error in silent.errors] == ["INSUFFICIENT_METRIC_DATA"]


def test_use_is_reported_per_second_by_the_names_of_the_service() -> None:
    # Writes alone: what nobody sent is left out.
    series = {WRITE_OPS: rate(80.5), WRITE_BYTES: rate(1_318_912)}

    found = recommended_volume(volume(1, "gp3", 100), series)

    assert [(one.name, one.value) for one in found.utilization] == [
        ("VolumeWriteOpsPerSecond", 80.5),
        ("VolumeWriteBytesPerSecond", 1_318_912.0),
    ]


def test_headroom_of_the_preferences_counts() -> None:
    # 2900 of 3000 IOPS: with 20 % free it takes 3625, with none 2900.
    one, series = volume(1, "gp3", 100), use(2_900, 10)

    (careful,) = analyzed_volumes([one], series).recommendations
    (bold,) = analyzed_volumes([one], series, Preferences(other_headroom=0.0)).recommendations

    assert careful.options[0].configuration.baseline_iops == 3_625
    assert (careful.finding, bold.finding) == (Finding.NOT_OPTIMIZED, Finding.OPTIMIZED)


@pytest.mark.parametrize("kind", ["gp2", "gp3", "io1", "io2", "st1", "sc1", "standard"])
def test_no_option_is_smaller_than_the_volume_or_carries_less_than_it_asks_for(kind: str) -> None:
    generator = np.random.default_rng(3)
    fleet = [volume(n, kind, 500 + n, iops=6_000) for n in range(40)]
    iops, mibps = generator.uniform(1, 9_000, (40, 1)), generator.uniform(0.1, 400, (40, 1))

    found = analyzed_volumes(fleet, use(iops, mibps)).recommendations

    assert len(found) == 40
    for row, one in enumerate(found):
        assert 1 <= len(one.options) <= 3
        for option in one.options:
            assert option.configuration.size_gib >= 500 + row
            if one.finding is Finding.NOT_OPTIMIZED:
                # Constant use: P99.5 is the level itself, and a fifth stays free.
                assert option.configuration.baseline_iops >= iops[row, 0] / 0.8 * (1 - 1e-6)
                assert option.configuration.baseline_throughput >= mibps[row, 0] / 0.8 - 1
                assert option.performance_risk == 0.0


def test_prices_and_their_date_are_stored() -> None:
    found = recommended_volume(volume(1, "gp2", 500), use(200, 3))

    assert (found.monthly_usd, found.options[0].monthly_usd) == (50.0, 40.0)
    assert found.price_date == date(2024, 7, 1)


def test_a_recommendation_is_read_by_filters_totals_and_in_one_line() -> None:
    assert facets_of(BY_HAND).finding == "NotOptimized"
    assert facets_of(BY_HAND).tags == {"team": "data"}
    assert counted_savings(BY_HAND) == 10.0
    assert counted_savings(volume_recommendation(finding=Finding.OPTIMIZED)) == 0.0
    assert counted_savings(volume_recommendation(options=())) == 0.0
    summary = summary_of(volume_recommendation(configuration=GP3, options=()))
    assert summary.current == "gp3 500 GiB, 3,000 IOPS, 125 MiB/s"
    assert summary.recommended is None


def test_samples_of_reads_alone_may_have_gaps_that_writes_fill() -> None:
    slots = np.arange(4032)
    even = np.where(slots % 2 == 0, 300.0, np.nan)
    odd = np.where(slots % 2 == 1, 300.0, np.nan)

    together = analyzed_volumes([volume(1, "gp3", 100)], {READ_OPS: even, WRITE_OPS: odd})
    alone = analyzed_volumes([volume(1, "gp3", 100)], {READ_OPS: even})

    assert len(together.recommendations) == 1
    assert [error.code for error in alone.errors] == ["INSUFFICIENT_METRIC_DATA"]
