from datetime import date

import numpy as np
import pytest

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Statistic, Window
from compute_optimizer.scenario.fleet import YOUNG_HOURS, Machine, generate_fleet
from compute_optimizer.scenario.load_shapes import LoadShape
from compute_optimizer.scenario.samples import (
    CPU_AVERAGE,
    CPU_MAXIMUM,
    MEMORY,
    generate_samples,
)

WINDOW = Window(date(2026, 3, 2), date(2026, 3, 15))
NETWORK_IN = MetricKey("NetworkIn", Statistic.SUM)
NETWORK_OUT = MetricKey("NetworkOut", Statistic.SUM)
WAYS = ("Read", "Write")


@pytest.fixture(scope="module")
def fleet() -> tuple[Machine, ...]:
    return generate_fleet(1)


@pytest.fixture(scope="module")
def samples(fleet: tuple[Machine, ...]) -> ShardSamples:
    return generate_samples(fleet, WINDOW, load_instance_types(), seed=1)


def test_samples_are_the_same_for_the_same_seed_and_end(
    fleet: tuple[Machine, ...], samples: ShardSamples
) -> None:
    again = generate_samples(fleet, WINDOW, load_instance_types(), seed=1)
    later = Window(date(2026, 3, 3), date(2026, 3, 16))
    other = generate_samples(fleet, later, load_instance_types(), seed=1)

    np.testing.assert_array_equal(again.series[CPU_MAXIMUM], samples.series[CPU_MAXIMUM])
    assert not np.array_equal(other.series[CPU_MAXIMUM], samples.series[CPU_MAXIMUM])


def test_every_series_has_a_row_per_machine_and_a_slot_per_five_minutes(
    fleet: tuple[Machine, ...], samples: ShardSamples
) -> None:
    assert samples.resource_arns == tuple(machine.resource.arn for machine in fleet)
    for matrix in samples.series.values():
        assert matrix.shape == (240, 14 * 288)
        assert matrix.dtype == np.float32


def test_percentages_stay_between_0_and_100_and_maxima_above_averages(
    samples: ShardSamples,
) -> None:
    for key in (CPU_AVERAGE, CPU_MAXIMUM, MEMORY):
        assert np.nanmin(samples.series[key]) >= 0
        assert np.nanmax(samples.series[key]) <= 100
    known = ~np.isnan(samples.series[CPU_AVERAGE])
    above = samples.series[CPU_MAXIMUM][known] >= samples.series[CPU_AVERAGE][known]
    assert above.all()


def test_memory_is_known_only_where_an_agent_reports_it(
    fleet: tuple[Machine, ...], samples: ShardSamples
) -> None:
    for machine, row in zip(fleet, samples.series[MEMORY], strict=True):
        assert np.isnan(row).all() == (machine.memory_level is None)


def test_young_machines_sent_nothing_before_their_start(
    fleet: tuple[Machine, ...], samples: ShardSamples
) -> None:
    young = [row for row, machine in enumerate(fleet) if machine.hours_of_data is not None]
    sent = ~np.isnan(samples.series[CPU_MAXIMUM][young])

    assert young
    assert not sent[:, : -YOUNG_HOURS * 12].any()
    assert sent[:, -YOUNG_HOURS * 12 :].mean() > 0.99


def test_traffic_stays_inside_the_network_and_volume_baselines(
    fleet: tuple[Machine, ...], samples: ShardSamples
) -> None:
    types = load_instance_types()
    rows = [types.index[machine.resource.instance_type] for machine in fleet]
    gbps = types.network_baseline_gbps[rows]
    iops = types.ebs_baseline_iops[rows]
    operations = sum(samples.series[MetricKey(f"Volume{way}Ops", Statistic.SUM)] for way in WAYS)
    network = samples.series[NETWORK_OUT]

    # One gigabit is 125,000,000 bytes; a slot has 300 seconds. One part in a million is rounding.
    assert (np.nanmax(network, axis=1) <= gbps * 125_000_000 * 300 * 1.000001).all()
    assert (np.nanmax(operations, axis=1) <= iops * 300).all()


def test_idle_machines_are_idle_by_the_services_own_rule(
    fleet: tuple[Machine, ...], samples: ShardSamples
) -> None:
    idle = [row for row, machine in enumerate(fleet) if machine.shape is LoadShape.IDLE]
    traffic = samples.series[NETWORK_IN][idle] + samples.series[NETWORK_OUT][idle]
    per_day = np.nansum(traffic.reshape(len(idle), WINDOW.days, 288), axis=2)

    # Peak CPU under 5 % and network under 5 MB a day (AWS Compute Optimizer User Guide).
    assert idle
    assert np.nanmax(samples.series[CPU_MAXIMUM][idle]) < 5
    assert per_day.max() < 5_000_000
