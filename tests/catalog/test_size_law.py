"""Families, sizes and the units that prices count in."""

import pytest

from compute_optimizer.catalog.size_law import family_of, normalised_units, size_units


@pytest.mark.parametrize(
    ("size", "units"),
    [
        ("nano", 0.25),
        ("micro", 0.5),
        ("small", 1),
        ("medium", 2),
        ("large", 4),
        ("xlarge", 8),
        ("2xlarge", 16),
        ("48xlarge", 8 * 48),
        ("metal-24xl", 8 * 24),
    ],
)
def test_sizes_double_from_nano_to_xlarge_and_then_count_xlarges(size: str, units: float) -> None:
    assert size_units(size) == units


def test_a_plain_metal_counts_as_the_largest_virtual_size_of_its_family() -> None:
    units = normalised_units(["c5.large", "c5.24xlarge", "c5.metal", "m5.large", "m5.metal"])

    assert units["c5.metal"] == 8 * 24
    assert units["m5.metal"] == 4


def test_types_of_unknown_size_have_no_units() -> None:
    assert normalised_units(["mac1.metal", "zz9.giant"]) == {}


def test_the_family_is_what_stands_before_the_dot() -> None:
    assert family_of("u7i-12tb.224xlarge") == "u7i-12tb"
