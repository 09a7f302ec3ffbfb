"""What filters look at, the same for every resource type."""

import msgspec


class Facets(msgspec.Struct, frozen=True, array_like=True):
    """What filters look at, small enough to scan a whole account without reading bodies."""

    finding: str
    reason_codes: tuple[str, ...]
    source_type: str
    workload_types: tuple[str, ...]
    tags: dict[str, str]
    marks: dict[str, tuple[str, ...]] = {}
    """What one resource type alone has, by a name of its own; an earlier version wrote none."""
