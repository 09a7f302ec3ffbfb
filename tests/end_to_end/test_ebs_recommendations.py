"""Volumes from files to boto3, in both protocols."""

from datetime import timedelta

import pytest

from tests.breaches import mistyped_in
from tests.end_to_end.conftest import ACCOUNT, REGION, Served
from tests.end_to_end.imported import import_and_analyze, midnight_of

INVENTORY = f"""\
id,account,region,resource_type,type,size_gib,iops,root,state,tags
i-1,{ACCOUNT},{REGION},Ec2Instance,m5.large,,,,running,
vol-1,{ACCOUNT},{REGION},EbsVolume,gp2,500,,,in-use,team=data
vol-2,{ACCOUNT},{REGION},EbsVolume,io1,100,4000,,in-use,
vol-3,{ACCOUNT},{REGION},EbsVolume,gp3,100,,,available,
vol-4,{ACCOUNT},{REGION},EbsVolume,gp3,30,,true,in-use,
"""


def volume(number: int) -> str:
    return f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-{number}"


@pytest.fixture(scope="module")
def analyzed(served_once: Served) -> Served:
    """Two days of samples of three volumes, imported and analyzed."""
    midnight = midnight_of(served_once)
    lines: list[str] = []
    for slot in range(2 * 288):
        moment = (midnight - timedelta(minutes=5 * (slot + 1))).isoformat()
        # 200, 100 and 2 operations a second; 3 MiB/s of the first.
        for name, reads in (("vol-1", 60_000), ("vol-2", 30_000), ("vol-4", 600)):
            lines.append(f"{name},{moment},VolumeReadOps,Sum,{reads}")
        lines.append(f"vol-1,{moment},VolumeReadBytes,Sum,{3 * 2**20 * 300}")
    return import_and_analyze(served_once, INVENTORY, lines, added=5)


def test_volumes_of_an_inventory_are_recommended_what_saves(
    analyzed: Served, protocol: str
) -> None:
    page = analyzed.client(protocol=protocol).get_ebs_volume_recommendations()

    found = {one["volumeArn"]: one for one in page["volumeRecommendations"]}
    assert set(found) == {volume(1), volume(2), volume(4)}
    general, provisioned, root = found[volume(1)], found[volume(2)], found[volume(4)]
    assert (general["finding"], root["finding"]) == ("NotOptimized", "Optimized")
    first = general["volumeRecommendationOptions"][0]
    assert first["configuration"]["volumeType"] == "gp3"
    # 500 GiB at 0.10 and at 0.08 USD.
    assert first["savingsOpportunity"]["estimatedMonthlySavings"]["value"] == pytest.approx(10.0)
    # 100 x 0.125 + 4000 x 0.065 = 272.50 USD, and gp3 100 x 0.08 = 8.
    best = provisioned["volumeRecommendationOptions"][0]
    saved = best["savingsOpportunity"]["estimatedMonthlySavings"]["value"]
    assert saved == pytest.approx(264.5)
    assert root["currentConfiguration"]["rootVolume"] is True
    assert general["tags"] == [{"key": "team", "value": "data"}]
    assert mistyped_in(page, "GetEBSVolumeRecommendations") == []


def test_arns_filters_and_pages_work_through_the_wire(analyzed: Served, protocol: str) -> None:
    client = analyzed.client(protocol=protocol)

    listed = client.get_ebs_volume_recommendations(volumeArns=[volume(1), volume(3)])
    first = client.get_ebs_volume_recommendations(maxResults=2)
    second = client.get_ebs_volume_recommendations(maxResults=2, nextToken=first["nextToken"])
    optimized = client.get_ebs_volume_recommendations(
        filters=[{"name": "Finding", "values": ["Optimized"]}]
    )

    assert [one["volumeArn"] for one in listed["volumeRecommendations"]] == [volume(1)]
    assert [(one["identifier"], one["code"]) for one in listed["errors"]] == [
        (volume(3), "RECOMMENDATION_NOT_FOUND")
    ]
    pages = first["volumeRecommendations"] + second["volumeRecommendations"]
    assert [one["volumeArn"] for one in pages] == [volume(1), volume(2), volume(4)]
    assert [one["volumeArn"] for one in optimized["volumeRecommendations"]] == [volume(4)]


def test_a_wrong_filter_is_refused_by_the_modelled_exception(
    analyzed: Served, protocol: str
) -> None:
    client = analyzed.client(protocol=protocol)

    with pytest.raises(client.exceptions.InvalidParameterValueException, match="Overprovisioned"):
        client.get_ebs_volume_recommendations(
            filters=[{"name": "Finding", "values": ["Overprovisioned"]}]
        )
