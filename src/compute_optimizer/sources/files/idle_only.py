"""What an inventory row says of a resource that is only looked at for idleness."""

from collections.abc import Mapping
from typing import Any

from compute_optimizer.model.idle_only import MODES, WORKING, IdleOnly
from compute_optimizer.model.resource import DYNAMODB_TABLE, ELASTICACHE_CLUSTER, Resource
from compute_optimizer.sources.files import cells
from compute_optimizer.sources.files.cells import Row
from compute_optimizer.sources.files.refusals import Reason

NO_INDEXES = "none"
"""Says that a table has no global secondary index: an empty cell says nothing."""

ANY_STATE = "available"
"""Of rows without a state whose type has no state that matters."""

NEEDED = {ELASTICACHE_CLUSTER: ("engine",)}
"""Cells that must not be empty, by resource type."""


def read_idle_only(row: Row, shared: Mapping[str, Any]) -> Resource:
    """Return the resource of a row; raises RowRefused."""
    name, default = shared["resource_type"], shared["instance_type"].casefold()
    for field in NEEDED.get(name, ()):
        cells.required(row, field)
    return IdleOnly(
        **{**shared, "instance_type": cells.choice(row, "type", default, MODES[name], Reason.MODE)},
        state=cells.text(row, "state").casefold() or WORKING.get(name, ANY_STATE),
        engine=cells.text(row, "engine").casefold(),
        indexes=_indexes(row) if name == DYNAMODB_TABLE else None,
        monthly_usd=cells.capacity(row, "monthly_usd"),
    )


def _indexes(row: Row) -> tuple[str, ...] | None:
    found = cells.text(row, "global_secondary_indexes")
    if not found:
        return None
    if found.casefold() == NO_INDEXES:
        return ()
    return tuple(name.strip() for name in found.split(";") if name.strip())
