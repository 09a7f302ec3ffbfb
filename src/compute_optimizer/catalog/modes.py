"""The modes of resources that are only looked at for idleness, in place of instance types."""

from collections.abc import Mapping
from dataclasses import dataclass

from compute_optimizer.model.idle_only import MODES


@dataclass(frozen=True, slots=True)
class Modes:
    """How the resources of one type may be run."""

    index: Mapping[str, int]
    """Place of each by its name."""


def load_modes(resource_type: str) -> Modes:
    """Return the modes that a type has."""
    return Modes({name: place for place, name in enumerate(MODES[resource_type])})
