"""Read the file that states other limits of idleness than the published ones."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.idle_limits import IdleLimits
from compute_optimizer.resources import RESOURCE_TYPES
from compute_optimizer.sources.yaml_files import read_yaml


def known_limits() -> dict[str, dict[str, float]]:
    """Return the published figure of every limit that may be stated, by type and name."""
    rules = (rule for kind in RESOURCE_TYPES for rule in kind.idle)
    found: dict[str, dict[str, float]] = {}
    for rule in rules:
        named = {limit.name: limit.limit for limit in rule.limits if limit.name}
        if named:
            found.setdefault(rule.idle_type, {}).update(named)
    return found


def read_idle_limits(name: str) -> IdleLimits:
    """Return what the file of the setting `idle_limits` states; nothing where it names none.

    Raises InvalidInput for a file that cannot be read, and for a type, a name or a figure that
    means nothing.
    """
    if not name:
        return {}
    path = Path(name).expanduser()
    try:
        document = read_yaml(path, dict[str, Any], may_be_empty=False)
    except InvalidInput as error:
        raise InvalidInput(
            f"setting idle_limits: {error}; expected a mapping such as "
            "{EC2Instance: {cpu_percent: 3}}"
        ) from error
    return {kind: _limits_of(path, kind, stated) for kind, stated in document.items()}


def _limits_of(path: Path, kind: Any, stated: Any) -> dict[str, float]:
    known = known_limits()
    if kind not in known:
        raise InvalidInput(
            f"setting idle_limits: {path}: no limits of type {kind!r} can be stated; expected one "
            f"of {', '.join(known)}"
        )
    if not isinstance(stated, Mapping) or not stated:
        raise InvalidInput(
            f"setting idle_limits: {path}: {kind} states {stated!r}; expected figures for some of "
            f"{', '.join(known[kind])}"
        )
    return {name: _figure(path, kind, name, value) for name, value in stated.items()}


def _figure(path: Path, kind: str, name: Any, value: Any) -> float:
    known = known_limits()[kind]
    if name not in known:
        raise InvalidInput(
            f"setting idle_limits: {path}: {kind} has no limit {name!r}; expected one of "
            f"{', '.join(known)}"
        )
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (number and math.isfinite(value) and value > 0):
        raise InvalidInput(
            f"setting idle_limits: {path}: {kind}.{name} is {value!r}; expected a number above 0, "
            f"such as the published {known[name]:g}"
        )
    return float(value)
