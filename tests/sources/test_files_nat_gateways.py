"""Rows of NAT gateways in an inventory become NAT gateways; volumes know when they were made."""

from datetime import UTC, datetime
from typing import Any

import pytest

from compute_optimizer.model.ebs_volume import EbsVolume
from compute_optimizer.model.nat_gateway import NatGateway
from compute_optimizer.sources.files.cells import RowRefused
from compute_optimizer.sources.files.inventory import resource_of

ARN = "arn:aws:ec2:us-east-1:111111111111:natgateway/nat-1"
ROW: dict[str, Any] = {"arn": ARN, "type": "Public"}
VOLUME: dict[str, Any] = {
    "arn": "arn:aws:ec2:us-east-1:111111111111:volume/vol-1",
    "type": "gp3",
    "size_gib": 8,
}


def test_a_gateway_is_available_and_its_routes_are_unknown_unless_the_row_says_otherwise() -> None:
    assert resource_of(ROW) == NatGateway(
        ARN, "111111111111", "us-east-1", "NatGateway", "nat-1", "public", state="available"
    )


@pytest.mark.parametrize(("cell", "routed"), [("yes", True), ("no", False), (False, False)])
def test_routes_are_told_by_a_flag(cell: object, routed: bool) -> None:
    found = resource_of(ROW | {"in_route_table": cell, "state": "Deleting"})

    assert isinstance(found, NatGateway)
    assert (found.in_route_table, found.state) == (routed, "deleting")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "m5.large"}, "CONNECTIVITY"),
        ({"state": "running"}, "STATE"),
        ({"in_route_table": "perhaps"}, "FLAG"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(RowRefused) as refused:
        resource_of(ROW | change)
    assert refused.value.reason.name == reason


@pytest.mark.parametrize(
    "cell",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31 12:00",
        "2026-01-31T14:00:00+02:00",
        datetime(2026, 1, 31, 12, tzinfo=UTC),
    ],
)
def test_volumes_know_when_they_were_made(cell: object) -> None:
    found = resource_of(VOLUME | {"created_at": cell})

    assert isinstance(found, EbsVolume)
    assert found.created_at == datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize("cell", ["yesterday", "0001-01-01T00:00+01:00"])
def test_a_moment_that_is_none_or_beyond_the_calendar_is_refused(cell: str) -> None:
    with pytest.raises(RowRefused) as refused:
        resource_of(VOLUME | {"created_at": cell})
    assert (refused.value.reason.name, refused.value.found) == ("MOMENT", f"created_at: {cell}")
