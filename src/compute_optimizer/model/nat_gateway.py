"""NAT gateways as the inventory knows them."""

from dataclasses import dataclass

from compute_optimizer.model.resource import Resource

AVAILABLE = "available"
"""The state of a NAT gateway that works."""

NAT_GATEWAY_STATES = ("pending", "failed", AVAILABLE, "deleting", "deleted")
"""EC2's states of NAT gateways."""

CONNECTIVITY_TYPES = ("public", "private")
"""EC2's connectivity types: what stands in place of an instance type."""


@dataclass(frozen=True, slots=True)
class NatGateway(Resource):
    """A NAT gateway of the inventory; its `instance_type` is public or private."""

    in_route_table: bool | None = None
    """Whether any route leads to it; None where unknown."""
