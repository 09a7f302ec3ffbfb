"""The type that a machine outside AWS comes closest to."""

import numpy as np
import pytest

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.catalog.closest_type import FAMILIES, closest_type
from compute_optimizer.catalog.instance_types import Architecture

X86 = FAMILIES[Architecture.X86_64]
GIB = 1024


@pytest.mark.parametrize(
    ("vcpus", "memory_gib", "expected"),
    [
        (2, 8, "m6i.large"),  # exactly
        (2, 7.6, "m6i.large"),  # what Linux sees of 8 GiB
        (2, 8.1, "r6i.large"),  # more than 8 GiB with 2 vCPUs
        (3, 5, "c6i.xlarge"),  # 4 vCPUs and 8 GiB, less than any other with as many
        (128, 1024, "r6i.32xlarge"),
    ],
)
def test_the_cheapest_that_has_both_is_closest(
    vcpus: float, memory_gib: float, expected: str
) -> None:
    found = closest_type(load_instance_types(), X86, "us-east-1", vcpus, memory_gib * GIB)

    assert found == expected


def test_a_machine_larger_than_all_is_close_to_none() -> None:
    assert closest_type(load_instance_types(), X86, "us-east-1", 129, 8 * GIB) is None


def test_a_region_that_is_none_offers_nothing() -> None:
    assert closest_type(load_instance_types(), X86, "moon-north-1", 2, 8 * GIB) is None


@pytest.mark.parametrize("architecture", FAMILIES)
def test_the_families_are_nearly_of_one_speed_and_steady(architecture: Architecture) -> None:
    types = load_instance_types()
    rows = np.isin(np.array(types.families), FAMILIES[architecture])

    assert (types.architectures[rows] & architecture).all()
    assert not types.burstable[rows].any()
    assert not types.instance_store_gib[rows].any()
    speeds = types.relative_speed[rows]
    # Measured family by family: 1.6 % and 4 % apart.
    assert speeds.max() / speeds.min() < 1.05
