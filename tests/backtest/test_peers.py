"""Every rule against its constants, on loads whose percentiles are plain to see."""

from collections.abc import Callable

import numpy as np
import pytest

from compute_optimizer.backtest import peers
from compute_optimizer.backtest.fleet import CPU, DISK, MEMORY, NETWORK
from compute_optimizer.backtest.trial import Train
from compute_optimizer.engine.arrays import Floats
from compute_optimizer.model.metrics import SLOTS_PER_DAY, Matrix

Rule = Callable[[Train], Floats]

CURRENT = np.array([[8.0, 16_000.0, 1e8, 1e8]])
DAYS = 14
SLOTS = DAYS * SLOTS_PER_DAY


def train(cpu: Matrix, memory: Matrix | None = None) -> Train:
    quiet = np.full((1, SLOTS), 1.0, np.float32)
    used = np.full((1, SLOTS), 1000.0, np.float32) if memory is None else memory
    return Train({CPU: cpu, MEMORY: used, DISK: quiet, NETWORK: quiet * 2}, CURRENT)


def constant(value: float) -> Matrix:
    return np.full((1, SLOTS), value, np.float32)


def ramp() -> Matrix:
    """Return samples 0 to 4,031 thousandths in a fixed disorder: percentiles are known."""
    order = np.random.default_rng(0).permutation(SLOTS)
    return (order[None, :] / 1000).astype(np.float32)


FLAT: dict[Rule, tuple[float, ...]] = {
    # CPU 1 vCPU and memory 1,000 MiB throughout; NaN asks for nothing.
    peers.keep: (8, 16_000, 1e8, 1e8),
    peers.maximum: (1, 1000, 1, 2),
    peers.azure: (1 / 0.8, 1000 / 0.8, np.nan, 2 / 0.8),
    peers.azure_user_facing: (1 / 0.4, 1000 / 0.6, np.nan, 2 / 0.4),
    peers.krr: (1, 1150, np.nan, np.nan),
    # ceil(1 / 0.8) = 2 of 8 vCPUs, and so a quarter of everything.
    peers.optscale: (2, 4000, 2.5e7, 2.5e7),
    peers.aws_solution: (1, 16_000, 1e8, 1e8),
    peers.kubecost: (1 / 0.7, 1000 / 0.7, np.nan, np.nan),
    peers.densify: (1 / 0.7, 1000 / 0.9, np.nan, np.nan),
    peers.n_sigma: (1, 1000, 1, 2),
    peers.n_sigma_or_p99: (1, 1000, 1, 2),
}


@pytest.mark.parametrize("rule", FLAT, ids=[getattr(rule, "__name__", "") for rule in FLAT])
def test_rule_on_a_flat_load(rule: Rule) -> None:
    assert rule(train(constant(1)))[0] == pytest.approx(FLAT[rule], nan_ok=True)


def test_published_rule_leaves_the_headroom_above_the_percentile() -> None:
    # Rank 0.995 x 4,031 = 4,010.845 of samples 0 to 4,031: the value is 4.010845.
    needs = peers.published_rule(train(ramp()), percent=99.5, headroom=0.2)

    assert needs[0, 0] == pytest.approx(4.010845 / 0.8, rel=1e-6)
    assert needs[0, 1:] == pytest.approx([1000 / 0.8, 1 / 0.8, 2 / 0.8])


def test_headroom_of_cpu_leaves_the_other_dimensions_alone() -> None:
    needs = peers.published_rule(train(constant(1)), percent=90, headroom=0)

    assert needs[0] == pytest.approx([1, 1250, 1.25, 2.5])


def test_quantile_takes_the_maximum_of_memory() -> None:
    needs = peers.quantile(train(ramp(), ramp()), percent=99)

    assert needs[0, :2] == pytest.approx([0.99 * 4.031, 4.031])


@pytest.mark.parametrize(
    "rule",
    [peers.maximum, lambda seen: peers.published_rule(seen, percent=99.5, headroom=0.2)],
    ids=["maximum", "published"],
)
def test_unknown_memory_is_kept(rule: Rule) -> None:
    assert rule(train(constant(1), constant(np.nan)))[0, 1] == 16_000


def test_azure_takes_the_highest_of_half_an_hour_in_the_last_week() -> None:
    cpu = constant(0.4)
    cpu[0, 5 * SLOTS_PER_DAY] = 7.0  # before the last week
    cpu[0, -6 * 18 :: 6] = 4.0  # rank 16.75 from the top of 336 half hours

    assert peers.azure(train(cpu))[0, 0] == pytest.approx(4.0 / 0.8)


def test_vpa_forgets_a_memory_peak_of_three_days_ago() -> None:
    # Daily peaks weigh 1, 1/2, 1/4, 1/8 ... of 1.992: the peak of three days before the newest
    # holds 6 % and lies above P90. The bucket of 4,000 MiB ends at 4,025 by
    # 9.5367 x (1.05^n - 1) / 0.05 with n = 63; times 1.15.
    used = constant(4000)
    used[0, -4 * SLOTS_PER_DAY + 5] = 8000

    needs = peers.vpa(train(constant(1), used))

    ends = 1e7 / 2**20 * (1.05 ** np.arange(1, 100) - 1) / 0.05
    assert needs[0, 1] == pytest.approx(ends[ends > 4000][0] * 1.15)


def test_vpa_remembers_a_memory_peak_of_yesterday() -> None:
    used = constant(4000)
    used[0, -2 * SLOTS_PER_DAY + 5] = 8000

    needs = peers.vpa(train(constant(1), used))

    ends = 1e7 / 2**20 * (1.05 ** np.arange(1, 100) - 1) / 0.05
    assert needs[0, 1] == pytest.approx(ends[ends > 8000][0] * 1.15)


def test_vpa_asks_for_the_end_of_the_bucket_of_cpu() -> None:
    # 0.01 x (1.05^37 - 1) / 0.05 = 1.01628 is the end of the bucket that holds 1 vCPU.
    assert peers.vpa(train(constant(1)))[0, 0] == pytest.approx(1.016281 * 1.15, rel=1e-5)


def test_crane_looks_at_a_higher_percentile_than_vpa() -> None:
    cpu = constant(1)
    cpu[0, -10:] = 4  # the newest 10 samples hold 2.5 % of all weight

    assert peers.crane(train(cpu))[0, 0] > 4
    assert peers.vpa(train(cpu))[0, 0] < 2


def test_optscale_looks_at_three_days_of_quarter_hours() -> None:
    cpu = constant(0.5)
    cpu[0, -4 * SLOTS_PER_DAY] = 8  # forgotten
    cpu[0, -30:] = [8, 0.5, 0.5] * 10  # ten quarter hours of 3 on average: more than 1 % of 288

    # ceil(3 / 0.8) = 4.
    assert peers.optscale(train(cpu))[0, 0] == 4


def test_optscale_rounds_to_one_or_an_even_number() -> None:
    assert peers.optscale(train(constant(0.7)))[0, 0] == 1
    assert peers.optscale(train(constant(1.7)))[0, 0] == 4  # ceil(2.125) = 3


def test_aws_solution_leaves_busy_machines_alone() -> None:
    assert peers.aws_solution(train(constant(3.9)))[0, 0] == 4
    assert peers.aws_solution(train(constant(4)))[0, 0] == 8


def test_densify_takes_the_upper_quartile_of_the_busiest_hour() -> None:
    cpu = constant(1).reshape(1, DAYS, 24, 12)
    cpu[:, :4, 9, :] = 2  # 4 of 14 days: the upper quartile of the hour
    cpu[:, :3, 15, :] = 5  # 3 of 14 days are less than a quarter

    assert peers.densify(train(cpu.reshape(1, SLOTS)))[0, 0] == pytest.approx(2 / 0.7)


def test_n_sigma_looks_at_two_hours() -> None:
    cpu = constant(1)
    cpu[0, -24::2] = 3
    cpu[0, 0] = 7

    # Mean 2, standard deviation 1.
    assert peers.n_sigma(train(cpu))[0, 0] == pytest.approx(7.0)


def test_n_sigma_or_p99_takes_the_larger() -> None:
    assert peers.n_sigma_or_p99(train(ramp()))[0, 0] >= 0.99 * 4.031


def test_seasonal_naive_forgets_what_is_older_than_its_weeks() -> None:
    cpu = constant(1)
    cpu[0, 6 * SLOTS_PER_DAY] = 3

    assert peers.seasonal_naive(train(cpu), weeks=1)[0, 0] == 1
    assert peers.seasonal_naive(train(cpu), weeks=2)[0, 0] == 3
