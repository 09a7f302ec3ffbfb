"""Idle resources and summaries from files to boto3, in both protocols."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from tests.breaches import mistyped_in
from tests.end_to_end.conftest import ACCOUNT, REGION, Served
from tests.end_to_end.imported import import_and_analyze, midnight_of

INVENTORY = f"""\
id,account,region,resource_type,type,size_gib,state,created_at,in_route_table,tags,\
global_secondary_indexes,monthly_usd
i-1,{ACCOUNT},{REGION},Ec2Instance,m5.large,,running,,,team=web,,
vol-1,{ACCOUNT},{REGION},EbsVolume,gp3,100,available,2020-01-01T00:00:00Z,,,,
nat-1,{ACCOUNT},{REGION},NatGateway,public,,available,,false,,,
nat-2,{ACCOUNT},{REGION},NatGateway,private,,available,,true,,,
orders,{ACCOUNT},{REGION},DynamoDBTable,provisioned,,,,,,by-date,5.5
"""

SENT: Mapping[str, Mapping[str, float]] = {
    "i-1": {"CPUUtilization": 1, "NetworkIn": 0, "NetworkOut": 0},
    "nat-1": {"ActiveConnectionCount": 0, "PacketsInFromSource": 0, "PacketsInFromDestination": 0},
    "nat-2": {"ActiveConnectionCount": 0, "PacketsInFromSource": 0, "PacketsInFromDestination": 0},
    "orders": {
        f"{part}Consumed{kind}CapacityUnits": 0
        for part in ("", "Index")
        for kind in ("Read", "Write")
    },
}
"""Every five minutes of 32 days, or of the last two of an instance, the last 14 of a table."""

TIMES = {"i-1": range(1, 361), "orders": range(6, 14 * 288, 9)}
"""Slots before midnight: thirty hours of an instance; of others some samples a day are enough."""


@pytest.fixture(scope="module")
def analyzed(served_once: Served) -> Served:
    """An instance, a volume and two NAT gateways, imported and analyzed."""
    midnight = midnight_of(served_once)
    lines: list[str] = []
    for name, metrics in SENT.items():
        times = TIMES.get(name, range(6, 32 * 288, 24))
        for metric, value in metrics.items():
            kind = "Sum" if metric.startswith(("Net", "Pack", "Consumed", "Index")) else "Maximum"
            for slot in times:
                moment = (midnight - timedelta(minutes=5 * slot)).isoformat()
                lines.append(f"{name},{moment},{metric},{kind},{value}")
    return import_and_analyze(served_once, INVENTORY, lines, added=5)


def test_what_is_idle_is_listed_with_what_it_costs(analyzed: Served, protocol: str) -> None:
    client = analyzed.client(protocol=protocol)

    page = client.get_idle_recommendations(orderBy={"dimension": "SavingsValue", "order": "Desc"})

    found = [
        (
            one["resourceId"],
            one["resourceType"],
            one["finding"],
            round(one["savingsOpportunity"]["estimatedMonthlySavings"]["value"], 2),
        )
        for one in page["idleRecommendations"]
    ]
    assert found == [
        ("i-1", "EC2Instance", "Idle", 70.08),
        ("nat-1", "NatGateway", "Unused", 32.85),
        ("vol-1", "EBSVolume", "Unattached", 8.0),
        ("orders", "DynamoDBTable", "Idle", 5.5),
    ]
    assert mistyped_in(page, "GetIdleRecommendations") == []


def test_dimensions_tell_a_table_from_its_indexes_in_both_protocols(
    analyzed: Served, protocol: str
) -> None:
    (table,) = analyzed.client(protocol=protocol).get_idle_recommendations(
        filters=[{"name": "ResourceType", "values": ["DynamoDBTable"]}]
    )["idleRecommendations"]

    told = [
        {part["key"]: part["values"] for part in metric["dimensions"]}
        for metric in table["utilizationMetrics"]
    ]
    assert told[:2] == [{"TableName": ["orders"]}] * 2
    of_index = {"TableName": ["orders"], "GlobalSecondaryIndexName": ["by-date"]}
    assert told[2:] == [of_index] * 2


def test_filters_pages_and_errors_work_through_the_wire(analyzed: Served, protocol: str) -> None:
    client = analyzed.client(protocol=protocol)
    of_type = [{"name": "ResourceType", "values": ["EBSVolume", "NatGateway"]}]

    first = client.get_idle_recommendations(filters=of_type, maxResults=1)
    second = client.get_idle_recommendations(
        filters=of_type, maxResults=1, nextToken=first["nextToken"]
    )
    busy = client.get_idle_recommendations(resourceArns=["nat-2"])

    pages = [one["idleRecommendations"][0]["resourceId"] for one in (first, second)]
    assert (pages, "nextToken" in second) == (["nat-1", "vol-1"], False)
    assert busy["errors"][0]["code"] == "RECOMMENDATION_NOT_FOUND"
    with pytest.raises(ClientError, match="InvalidParameterValueException"):
        client.get_idle_recommendations(maxResults=101)


def test_summaries_are_paginated_by_boto3_and_typed_by_the_model(
    analyzed: Served, protocol: str
) -> None:
    client = analyzed.client(protocol=protocol)
    pages = client.get_paginator("get_recommendation_summaries").paginate(
        PaginationConfig={"PageSize": 5}
    )

    found = [one for page in pages for one in page["recommendationSummaries"]]

    whole = client.get_recommendation_summaries()
    assert found == whole["recommendationSummaries"]
    machines, gateways = found[0], found[9]
    assert machines["recommendationResourceType"] == "Ec2Instance"
    assert sum(one["value"] for one in machines["summaries"]) == 1
    assert machines["idleSummaries"] == [{"name": "Idle", "value": 1.0}]
    assert gateways["idleSummaries"] == [{"name": "Unused", "value": 1.0}]
    # EC2 findings are spelled as the service does, not as its model says.
    faults = [
        fault for fault in mistyped_in(whole, "GetRecommendationSummaries") if "name" not in fault
    ]
    assert faults == []
