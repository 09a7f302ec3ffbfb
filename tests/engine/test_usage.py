import numpy as np
import pytest

from compute_optimizer.engine.dimensions import Combine, combine
from compute_optimizer.engine.mean_use import mean_use
from compute_optimizer.engine.usage import CPU_METRIC, Chosen, choose_series, measure
from compute_optimizer.model.metrics import MetricKey, ShardSamples
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS
from tests.fleets import CPU, CPU_AVERAGE, counter, instance, shard

FLEET = [instance(1, "m5.large"), instance(2, "m5.large"), instance(3, "m5.large")]
NAN = float("nan")


def samples_of(**rows: list[float]) -> ShardSamples:
    """Return maxima and averages of CPU; NaN rows have no sample."""
    keys = {"maxima": CPU, "averages": CPU_AVERAGE}
    return shard(FLEET, {keys[name]: np.array(values)[:, None] for name, values in rows.items()})


def chosen_of(samples: ShardSamples) -> Chosen:
    return choose_series(samples, (CPU_METRIC,))


def test_averages_stand_in_only_for_resources_without_maxima() -> None:
    chosen = chosen_of(samples_of(maxima=[50, NAN, NAN], averages=[20, 21, NAN]))

    assert chosen.series[CPU_METRIC][:2, 0].tolist() == [50, 21]
    assert chosen.averaged[CPU_METRIC].tolist() == [False, True, False]


def test_few_maxima_do_not_hide_a_long_series_of_averages() -> None:
    samples = samples_of(maxima=[50, 50, 50], averages=[20, 20, 20])
    samples.series[CPU][1, 100:] = NAN

    chosen = chosen_of(samples)

    # All of a row or none: the hundred maxima are not mixed in.
    assert set(chosen.series[CPU_METRIC][1].tolist()) == {20}
    assert chosen.averaged[CPU_METRIC].tolist() == [False, True, False]


def test_only_averages_are_taken_as_averages() -> None:
    assert chosen_of(samples_of(averages=[1, 2, 3])).averaged[CPU_METRIC].all()


def test_credits_are_counted_by_averages_where_there_are_some() -> None:
    chosen = chosen_of(samples_of(maxima=[50, 60, 70], averages=[20, NAN, 21]))

    assert mean_use(chosen, np.array([0, 1]))[:, 0].tolist() == [20, 60]


def test_parts_of_one_budget_add_up_and_a_missing_part_counts_as_none() -> None:
    reads = np.array([[1, 2, NAN, NAN]], np.float32)
    writes = np.array([[10, NAN, 30, NAN]], np.float32)

    total = combine([reads, writes], Combine.SUM)

    assert total.tolist() == [[11, 2, 30, pytest.approx(NAN, nan_ok=True)]]


def test_of_two_directions_the_larger_counts() -> None:
    inbound = np.array([[1, 20, NAN]], np.float32)
    outbound = np.array([[10, 2, 3]], np.float32)

    assert combine([inbound, outbound], Combine.LARGER).tolist() == [[10, 20, 3]]


def test_peaks_are_those_of_each_metric() -> None:
    keys: dict[MetricKey, object] = {counter("NetworkIn"): 5.0, counter("NetworkOut"): 7.0}
    samples = shard(FLEET, {**{key: np.array([[v]] * 3) for key, v in keys.items()}, CPU: NAN})
    chosen = choose_series(samples, (CPU_METRIC, "NetworkIn", "NetworkOut"))

    usage = measure(chosen, DIMENSIONS, [99.5] * len(DIMENSIONS))

    assert usage.peaks["NetworkIn"].tolist() == [5] * 3
    assert usage.peaks["NetworkOut"].tolist() == [7] * 3
    assert np.isnan(usage.peaks[CPU_METRIC]).all()


def test_a_dimension_nobody_measured_has_no_samples() -> None:
    chosen = chosen_of(samples_of(maxima=[1, 2, 3]))

    usage = measure(chosen, DIMENSIONS, [99.5] * len(DIMENSIONS))

    assert [used.counts.tolist() for used in usage.dimensions[:2]] == [[4032] * 3, [0] * 3]
