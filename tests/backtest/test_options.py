"""The frozen catalogs, and the choice from them."""

import numpy as np
import pytest

from compute_optimizer.backtest.fleet import CPU, DISK, MEMORY, NETWORK
from compute_optimizer.backtest.options import (
    Options,
    capacity_steps,
    cheapest_that_carries,
    ec2_options,
)
from compute_optimizer.catalog import load_instance_types

TYPES = load_instance_types()
TWO = Options(("s", "c", "m"), (CPU, MEMORY), np.array([[1, 2], [4, 4], [4, 8]]), np.arange(3.0))


def test_steps_cost_in_proportion_to_their_capacity() -> None:
    steps = capacity_steps(TYPES)

    assert steps.capacity[[0, -1], 0].tolist() == [0.25, 96]
    # m5.large costs 0.096 USD an hour in us-east-1 and has two vCPUs.
    assert steps.price[steps.names.index("2 vCPU")] == pytest.approx(0.096)
    assert np.allclose(steps.price / steps.capacity[:, 0], 0.048)


@pytest.mark.parametrize(
    ("need", "expected"),
    [
        ((1, 2), "s"),
        ((1.01, 2), "c"),
        ((0.5, 5), "m"),
        ((np.nan, 3), "c"),  # nothing is asked of the CPU
        ((np.nan, np.nan), "s"),
        ((9, 9), "m"),  # nothing carries it: the dearest
    ],
)
def test_the_cheapest_option_that_carries_all_of_a_need(
    need: tuple[float, float], expected: str
) -> None:
    (place,) = cheapest_that_carries(TWO, np.array([need]))

    assert TWO.names[place] == expected


def test_a_need_of_exactly_the_capacity_in_single_precision_fits() -> None:
    need = np.array([[float(np.float32(0.1) * np.float32(10)), 0]])

    assert cheapest_that_carries(TWO, need).tolist() == [0]


def test_ec2_options_stand_in_order_of_price_and_each_is_worth_its_price() -> None:
    options = ec2_options(TYPES, (CPU, MEMORY, DISK, NETWORK))

    assert (np.diff(options.price) >= 0).all()
    assert np.isfinite(options.capacity).all()
    for place in range(1, len(options.price)):
        smaller = options.capacity[:place] < options.capacity[place]
        assert smaller.any(axis=1).all(), options.names[place]


def test_faster_processors_count_as_larger_on_request() -> None:
    plain = ec2_options(TYPES, (CPU, MEMORY))
    credited = ec2_options(TYPES, (CPU, MEMORY), processor_speed=True)

    both = set(plain.names) & set(credited.names)
    assert both
    for name in both:
        speed = TYPES.relative_speed[TYPES.index[name]]
        with_credit = credited.capacity[credited.names.index(name)]
        assert with_credit[0] == plain.capacity[plain.names.index(name)][0] * speed
        assert with_credit[1] == plain.capacity[plain.names.index(name)][1]


def test_ec2_options_have_no_burstable_or_graviton_types() -> None:
    names = ec2_options(TYPES, (CPU, MEMORY)).names

    assert names
    assert not [name for name in names if name.startswith(("t3", "m7g", "c8g"))]
