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


def named_tag(key: str, value: str | None = None) -> str:
    """Return the name of the facet that a tag is: of the key alone, or of the key with a value."""
    return f"tag-key:{key}" if value is None else f"tag:{key}={value}"


def named_finding(finding: str) -> str:
    """Return the name of the facet that a finding is."""
    return f"finding:{finding}"


def names_of(facets: Facets) -> set[str]:
    """Return a name for each facet by which a filter may ask.

    Two facets may share a name, so that who has it must be looked at; none goes without.
    """
    names = {facets.source_type, *facets.reason_codes, *facets.workload_types}
    names.add(named_finding(facets.finding))
    for values in facets.marks.values():
        names.update(values)
    for key, value in facets.tags.items():
        # As named_tag says: a call for each would take as long as all the rest.
        names.add(f"tag-key:{key}")
        names.add(f"tag:{key}={value}")
    return names
