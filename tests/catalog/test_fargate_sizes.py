"""The valid sizes of tasks, and the order that makes the first fitting one the cheapest."""

import numpy as np
import pytest

from compute_optimizer.catalog.fargate_sizes import load_task_sizes
from compute_optimizer.catalog.serverless_prices import fargate_rates

SIZES = load_task_sizes()
PAIRS = set(zip(SIZES.cpu_units.tolist(), SIZES.memory.tolist(), strict=True))


def test_sizes_are_those_of_the_guide() -> None:
    # 3 of 256 units, then (to - from) / step + 1: 4, 7, 13, 23, 12 and 12.
    assert len(PAIRS) == 3 + 4 + 7 + 13 + 23 + 12 + 12
    assert {(256, 512), (512, 4096), (1024, 2048), (4096, 30720), (16384, 122880)} <= PAIRS
    assert not {(256, 4096), (512, 512), (1024, 1024), (8192, 17408), (16384, 36864)} & PAIRS


def test_windows_has_one_two_and_four_cpus() -> None:
    assert set(SIZES.cpu_units[SIZES.windows]) == {1024, 2048, 4096}


@pytest.mark.parametrize(
    ("region", "platform", "architecture"),
    [
        ("us-east-1", "linux", "x86_64"),
        ("us-east-1", "linux", "arm64"),
        ("us-east-1", "windows", "x86_64"),
        ("eu-central-1", "linux", "x86_64"),
    ],
)
def test_the_first_size_that_fits_is_the_cheapest_that_fits(
    region: str, platform: str, architecture: str
) -> None:
    rates = fargate_rates(region, platform, architecture)
    price = SIZES.cpu_units / 1024 * rates.vcpu_hour + SIZES.memory / 1024 * rates.gb_hour

    # Every size, and a little more than it, as a requirement.
    for more in (0.0, 1.0):
        needs = np.stack([SIZES.cpu_units, SIZES.memory], axis=1) + more
        fits = (SIZES.cpu_units >= needs[:, :1]) & (SIZES.memory >= needs[:, 1:])
        first = np.argmax(fits, axis=1)
        cheapest = np.where(fits, price, np.inf).min(axis=1)
        some = fits.any(axis=1)
        assert price[first][some] == pytest.approx(cheapest[some])
