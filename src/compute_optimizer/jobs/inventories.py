"""The inventory for a source that measures machines and does not know all about them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.counted import counted
from compute_optimizer.model.resource import Resource
from compute_optimizer.sources.files.cells import RowRefused
from compute_optimizer.sources.files.inventory import read_inventory, resource_of
from compute_optimizer.sources.files.refusals import Refusals
from compute_optimizer.store import State, inventory


def stored_resources(state: State) -> list[Resource]:
    """Return every resource that is stored."""
    with state.reading() as connection:
        keys = inventory.shards(connection)
        return [one for key in keys for one in inventory.resources_of(connection, key)]


def listed_resources(path: Path) -> list[Resource]:
    """Return the resources of an inventory file; raise InvalidInput for a row that does not fit."""
    refusals = Refusals()
    found = read_inventory(path, None, refusals)
    if refusals.total:
        first = refusals.examples[0]
        raise InvalidInput(
            f"{path}: {counted(refusals.total, 'rows')} of it cannot be taken; the first is "
            f"row {first.row}: {first.reason}: {first.found}"
        )
    return found


def resource_of_row(row: Mapping[str, Any]) -> Resource:
    """Return the resource of a row named as in inventory files; raise InvalidInput that says why
    it is none.
    """
    try:
        return resource_of(row)
    except RowRefused as refused:
        told = refused.found or "nothing is told"
        raise InvalidInput(f"{refused.reason}: {told}") from refused
