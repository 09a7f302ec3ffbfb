"""Families and sizes in the names of instance types.

Most list prices are a family's rate times the size's units: small is 1 and every next size
doubles, as AWS normalises sizes for size-flexible reservations.
"""

import re
from collections.abc import Iterable

SIZE_UNITS = {"nano": 0.25, "micro": 0.5, "small": 1, "medium": 2, "large": 4, "xlarge": 8}
"""Source: Amazon EC2 User Guide, normalization factor for size-flexible reserved instances."""

UNITS_PER_XLARGE = SIZE_UNITS["xlarge"]


def family_of(instance_type: str) -> str:
    """Return the family of a type: m5 of m5.xlarge."""
    return instance_type.partition(".")[0]


def normalised_units(instance_types: Iterable[str]) -> dict[str, float]:
    """Return the units of every type; types whose size the law does not know are left out.

    A metal-48xl counts as a 48xlarge, a plain metal as the largest virtual size of its family.
    """
    split = [name.partition(".")[::2] for name in instance_types]
    units = {(family, size): known for family, size in split if (known := size_units(size))}
    largest: dict[str, float] = {}
    for (family, _), known in units.items():
        largest[family] = max(known, largest.get(family, 0))
    metal = {
        (family, size): largest[family]
        for family, size in split
        if size == "metal" and family in largest
    }
    return {f"{family}.{size}": known for (family, size), known in (units | metal).items()}


def size_units(size: str) -> float | None:
    """Return the units of a size such as large, 12xlarge or metal-24xl; of any other, None."""
    match = re.fullmatch(r"(\d+)xlarge|metal-(\d+)xl", size)
    return UNITS_PER_XLARGE * int(match[1] or match[2]) if match else SIZE_UNITS.get(size)
