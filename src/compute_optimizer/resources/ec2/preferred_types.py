"""Preferred instance types: include and exclude lists with wildcards (spec 4.1)."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.engine.arrays import Booleans
from compute_optimizer.errors import InvalidInput


def preferred_types(
    types: InstanceTypes, include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Booleans:
    """Return which types both lists leave, shape (types,); an empty list restricts nothing.

    An entry is a type, a family (m5, m5.*) or holds * and ? as wildcards, in upper or lower case.
    Raises InvalidInput for an entry that no type matches, and where no type is left.
    """
    left = np.ones(len(types.names), np.bool_)
    if include:
        left = np.logical_or.reduce([_matching(types, entry) for entry in include])
    for entry in exclude:
        left &= ~_matching(types, entry)
    if not left.any():
        raise InvalidInput(
            f"including {', '.join(include) or 'every type'} without {', '.join(exclude)} leaves "
            "no instance type; exclude fewer"
        )
    return left


def _matching(types: InstanceTypes, entry: str) -> Booleans:
    pattern = entry.strip().lower()
    found: Booleans = np.array(
        [
            fnmatchcase(name, pattern) or fnmatchcase(family, pattern)
            for name, family in zip(types.names, types.families, strict=True)
        ]
    )
    if not found.any():
        raise InvalidInput(
            f"no instance type matches {entry!r}; expected a type (m5.large), a family (m5 or "
            "m5.*) or a pattern such as m*.xlarge"
        )
    return found
