import numpy as np
import pytest

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.engine.demand import demand_of, headrooms, percentiles
from compute_optimizer.engine.dimensions import capacities
from compute_optimizer.engine.usage import choose_series, measure
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS, WIRE_NAMES
from tests.fleets import CPU, MEMORY, counter, instance, shard

PLACES = {dimension.name: place for place, dimension in enumerate(DIMENSIONS)}
CAPACITY = np.array([[4.0, 16384, 1e8, 6000, 1.5e8, np.nan, np.nan, np.nan]])


def demand_for(preferences: Preferences, **series: float) -> dict[str, tuple[float, float]]:
    """Return (demand, required) by dimension of a steady resource."""
    keys = {"cpu": CPU, "memory": MEMORY}
    samples = shard(
        [instance(1, "m5.xlarge")],
        {keys.get(name) or counter(name): value for name, value in series.items()},
    )
    chosen = choose_series(samples, tuple(WIRE_NAMES))
    usage = measure(chosen, DIMENSIONS, percentiles(DIMENSIONS, preferences))
    found = demand_of(usage, DIMENSIONS, CAPACITY, preferences)
    return {
        name: (float(found.used[0, place]), float(found.required[0, place]))
        for name, place in PLACES.items()
    }


def test_percentages_are_of_the_present_capacity() -> None:
    found = demand_for(Preferences(), cpu=50, memory=25)

    # Half of 4, a quarter of 16,384 MiB; 20 % of the capacity shall stay free.
    assert found["CPU"] == pytest.approx((2, 2 / 0.8))
    assert found["Memory"] == pytest.approx((4096, 4096 / 0.8))


def test_counters_become_rates_per_second() -> None:
    found = demand_for(Preferences(), VolumeReadOps=3000, VolumeWriteOps=6000, NetworkIn=300)

    # Sums of 300 seconds; reads and writes share one budget.
    assert found["EBSIOPS"][0] == pytest.approx((3000 + 6000) / 300)
    assert found["NetworkBandwidth"][0] == pytest.approx(1)


def test_what_nobody_measured_stays_unknown() -> None:
    assert np.isnan(demand_for(Preferences(), cpu=50)["Memory"]).all()


def test_each_dimension_has_its_headroom() -> None:
    preferences = Preferences(cpu_headroom=0.3, memory_headroom=0.1, other_headroom=0.0)

    found = demand_for(preferences, cpu=50, memory=50, NetworkIn=300)

    assert found["CPU"][1] == pytest.approx(2 / 0.7)
    assert found["Memory"][1] == pytest.approx(8192 / 0.9)
    assert found["NetworkBandwidth"][1] == pytest.approx(1)
    assert headrooms(DIMENSIONS, preferences)[:3].tolist() == [0.3, 0.1, 0.0]


def test_only_the_threshold_of_cpu_is_chosen() -> None:
    assert percentiles(DIMENSIONS, Preferences(cpu_percentile=90))[:2] == (90, 99.5)


def test_capacities_are_in_the_units_of_demand() -> None:
    types = load_instance_types()
    m5 = capacities(DIMENSIONS, types)[types.index["m5.xlarge"]]

    # 4 vCPUs at the speed of m5, 16 GiB, 143.75 MB/s, 6,000 IOPS, 1.25 Gbit/s, packets unknown.
    assert m5[:5].tolist() == pytest.approx([4, 16384, 143.75e6, 6000, 1.25e9 / 8], rel=1e-3)
    assert np.isnan(m5[5:]).all()
