"""NAT gateways, and whether any route leads to them."""

from compute_optimizer.model.nat_gateway import NatGateway
from compute_optimizer.model.resource import NAT_GATEWAY, Resource
from compute_optimizer.sources.aws.calls import NAT_GATEWAYS, ROUTE_TABLES
from compute_optimizer.sources.aws.records import Answers, Located, tags_of

GONE = ("deleting", "deleted")
"""States of gateways that are no more; EC2 lists them for an hour."""


def read_gateways(at: Located, answers: Answers) -> list[Resource]:
    """Return the NAT gateways that exist."""
    routed = {
        route["NatGatewayId"]
        for table in answers[ROUTE_TABLES]
        for route in table["Routes"]
        if "NatGatewayId" in route
    }
    found: list[Resource] = []
    for one in answers[NAT_GATEWAYS]:
        if one["State"] in GONE:
            continue
        gateway_id, tags = one["NatGatewayId"], tags_of(one.get("Tags"))
        members = at.shared(
            NAT_GATEWAY,
            arn=at.arn("ec2", f"natgateway/{gateway_id}"),
            resource_id=gateway_id,
            instance_type=one.get("ConnectivityType", "public"),
            name=tags.get("Name", ""),
            tags=tags,
        )
        found.append(NatGateway(**members, state=one["State"], in_route_table=gateway_id in routed))
    return found
