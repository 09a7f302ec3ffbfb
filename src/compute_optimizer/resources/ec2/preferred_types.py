"""Preferred instance types: include and exclude lists with wildcards (spec 4.1)."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.engine.arrays import Booleans
from compute_optimizer.errors import InvalidInput

WILDCARDS = frozenset("*?")
"""What makes an entry a pattern; a list may have 1,000 entries, and most are plain names."""


def preferred_types(
    types: InstanceTypes, include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Booleans:
    """Return which types both lists leave, shape (types,); an empty list restricts nothing.

    An entry is a type, a family (m5, m5.*) or holds * and ? as wildcards, in upper or lower case.
    Raises InvalidInput for an entry that no type matches, and where no type is left.
    """
    for entry in (*include, *exclude):
        if not _matching(types, entry).any():
            raise InvalidInput(
                f"no instance type matches {entry!r}; expected a type (m5.large), a family (m5 or "
                "m5.*) or a pattern such as m*.xlarge"
            )
    left = types_left(types, include, exclude)
    if not left.any():
        raise InvalidInput(
            f"including {', '.join(include) or 'every type'} without {', '.join(exclude)} leaves "
            "no instance type; exclude fewer"
        )
    return left


def types_left(types: InstanceTypes, include: Sequence[str], exclude: Sequence[str]) -> Booleans:
    """Return which types both lists leave, (types,), of lists that were checked when stated.

    An entry may match nothing, and no type may be left, where the catalog has changed since.
    """
    left = np.full(len(types.names), not include)
    for entry in include:
        left |= _matching(types, entry)
    for entry in exclude:
        left &= ~_matching(types, entry)
    return left


def _matching(types: InstanceTypes, entry: str) -> Booleans:
    pattern = entry.strip().lower()
    if not WILDCARDS.intersection(pattern):
        named: Booleans = np.array(types.names) == pattern
        named |= np.array(types.families) == pattern
        return named
    pattern = pattern.replace("[", "[[]")  # No wildcard here, though it is one to fnmatch.
    return np.array(
        [
            fnmatchcase(name, pattern) or fnmatchcase(family, pattern)
            for name, family in zip(types.names, types.families, strict=True)
        ]
    )
