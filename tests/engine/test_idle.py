import numpy as np
import pytest
from numpy.typing import ArrayLike

from tests.fleets import CPU, counter, instance, recommended

DAY = 288


def is_idle(cpu: ArrayLike, inbound: ArrayLike, outbound: ArrayLike) -> bool:
    series = {CPU: cpu, counter("NetworkIn"): inbound, counter("NetworkOut"): outbound}
    return recommended(instance(1, "m5.large"), series).idle


def one_busy_day(total: float) -> np.ndarray:
    network = np.zeros(14 * DAY)
    network[3 * DAY : 4 * DAY] = total / DAY
    return network


@pytest.mark.parametrize(("peak", "idle"), [(4.9, True), (5.0, False)])
def test_peak_cpu_is_below_five_percent(peak: float, idle: bool) -> None:
    cpu = np.ones(14 * DAY)
    cpu[100] = peak

    assert is_idle(cpu, 0, 0) is idle


@pytest.mark.parametrize(("total", "idle"), [(4_990_000, True), (5_010_000, False)])
def test_every_day_in_and_out_together_are_below_five_million_bytes(
    total: float, idle: bool
) -> None:
    assert is_idle(1.0, one_busy_day(total * 0.5), one_busy_day(total * 0.5)) is idle


def test_days_are_utc_days() -> None:
    # 8 million bytes around midnight are 4 million on either day.
    network = np.zeros(14 * DAY)
    network[DAY - 10 : DAY + 10] = 8_000_000 / 20

    assert is_idle(1.0, network, 0)


def test_a_day_without_samples_is_not_busy() -> None:
    network = np.zeros(14 * DAY)
    network[:DAY] = np.nan

    assert is_idle(1.0, network, network)


def test_unknown_network_is_not_idle() -> None:
    assert not recommended(instance(1, "m5.large"), {CPU: 1.0}).idle
    assert not is_idle(1.0, np.nan, 0)


def test_unknown_gpu_use_is_not_idle() -> None:
    series = {CPU: 1.0, counter("NetworkIn"): 0, counter("NetworkOut"): 0}

    assert not recommended(instance(1, "g4dn.xlarge"), series).idle
