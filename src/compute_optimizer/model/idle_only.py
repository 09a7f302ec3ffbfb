"""Resources that are only looked at for idleness: tables, caches, clusters, desktops, endpoints."""

from dataclasses import dataclass
from typing import Final

from compute_optimizer.model.resource import (
    DOCUMENTDB_CLUSTER,
    DYNAMODB_TABLE,
    ELASTICACHE_CLUSTER,
    MEMORYDB_CLUSTER,
    SAGEMAKER_ENDPOINT,
    WORKSPACES,
    Resource,
)

PROVISIONED: Final = "provisioned"
NODES: Final = "nodes"
SERVERLESS: Final = "serverless"
INSTANCES: Final = "instances"
ALWAYS_ON: Final = "always_on"
REAL_TIME: Final = "real-time"

MODES = {
    DYNAMODB_TABLE: (PROVISIONED, "pay_per_request"),
    ELASTICACHE_CLUSTER: (NODES, SERVERLESS),
    MEMORYDB_CLUSTER: (NODES,),
    DOCUMENTDB_CLUSTER: (INSTANCES, "elastic"),
    WORKSPACES: (ALWAYS_ON, "auto_stop", "manual"),
    SAGEMAKER_ENDPOINT: (REAL_TIME,),
}
"""How the resources of a type are run, which stands in place of an instance type: billing modes of
tables and running modes of WorkSpaces as their services name them, without case."""

WORKING = {
    DYNAMODB_TABLE: "active",
    ELASTICACHE_CLUSTER: "available",
    MEMORYDB_CLUSTER: "available",
    DOCUMENTDB_CLUSTER: "available",
    SAGEMAKER_ENDPOINT: "inservice",
}
"""The state of a resource that works, as its service names it, without case. WorkSpaces that always
run are paid for in any."""


@dataclass(frozen=True, slots=True)
class IdleOnly(Resource):
    """A resource of the inventory that is only looked at for idleness.

    Its `instance_type` is one of MODES.
    """

    engine: str = ""
    """Of ElastiCache, such as redis."""
    indexes: tuple[str, ...] | None = None
    """Global secondary indexes of a table; None where nobody says which it has."""
    monthly_usd: float | None = None
    """What it costs, as whoever pays for it states it: no list price is known."""
