"""Licenses from files to boto3, in both protocols."""

from datetime import timedelta

import pytest

from tests.breaches import mistyped_in
from tests.end_to_end.conftest import ACCOUNT, Served
from tests.end_to_end.imported import import_and_analyze, midnight_of
from tests.records import arn

PAID, USED, PLAIN, UNSEEN = (arn(number, ACCOUNT) for number in range(4))

INVENTORY = f"""\
arn,type,platform,license_version,enterprise_features,tags
{PAID},m5.xlarge,Windows with SQL Server Enterprise,2019,,team=data
{USED},m5.xlarge,Windows with SQL Server Enterprise,2022,resource-governor,
{PLAIN},m5.xlarge,Windows,,,
{UNSEEN},m5.xlarge,SQL Server Standard,,,
"""


@pytest.fixture(scope="module")
def analyzed(served_once: Served) -> Served:
    """Thirty hours of samples of four instances, three with SQL Server, imported and analyzed."""
    midnight = midnight_of(served_once)
    lines: list[str] = []
    for slot in range(360):
        moment = (midnight - timedelta(minutes=5 * (slot + 1))).isoformat()
        lines += [f"{name},{moment},CPUUtilization,Maximum,50" for name in (PAID, USED, PLAIN)]
        lines.append(f"{PAID},{moment},mssql_enterprise_features_used,Maximum,0")
    return import_and_analyze(served_once, INVENTORY, lines, added=4)


def test_licenses_of_an_inventory_are_recommended_what_would_do(
    analyzed: Served, protocol: str
) -> None:
    client = analyzed.client(protocol=protocol)
    page = client.get_license_recommendations()

    found = {one["resourceArn"]: one for one in page["licenseRecommendations"]}
    assert {name: one["finding"] for name, one in found.items()} == {
        PAID: "NotOptimized",
        USED: "Optimized",
        UNSEEN: "InsufficientMetrics",
    }
    (option,) = found[PAID]["licenseRecommendationOptions"]
    assert option["licenseEdition"] == "Standard"
    # 4 vCPUs x (0.375 - 0.12) x 730.
    assert option["savingsOpportunity"]["estimatedMonthlySavings"]["value"] == pytest.approx(744.6)
    assert found[PAID]["currentLicenseConfiguration"]["licenseVersion"] == "2019"
    assert found[PAID]["tags"] == [{"key": "team", "value": "data"}]
    assert found[UNSEEN]["currentLicenseConfiguration"]["operatingSystem"] == "Linux"
    assert mistyped_in(page, "GetLicenseRecommendations") == []


def test_a_filter_and_an_instance_without_a_license(analyzed: Served, protocol: str) -> None:
    client = analyzed.client(protocol=protocol)
    wanted = [{"name": "FindingReasonCode", "values": ["LicenseOverprovisioned"]}]

    page = client.get_license_recommendations(resourceArns=[PAID, PLAIN], filters=wanted)

    assert [one["resourceArn"] for one in page["licenseRecommendations"]] == [PAID]
    (missing,) = page["errors"]
    assert (missing["identifier"], missing["code"]) == (PLAIN, "RECOMMENDATION_NOT_FOUND")
    # It is an instance all the same.
    instances = client.get_ec2_instance_recommendations(instanceArns=[PLAIN, PAID])
    assert len(instances["instanceRecommendations"]) == 2
