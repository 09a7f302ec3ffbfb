"""The catalog of instance types that operations answer by: shipped types, and described ones."""

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.store import State
from compute_optimizer.store.described_types import instance_types


def known_types(state: State) -> InstanceTypes:
    """Return every instance type that is known; read again only when the state has changed."""
    return state.remembered("instance types", instance_types)
