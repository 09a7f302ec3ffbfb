"""Who there is: labels, sizes and several exporters make one resource."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from compute_optimizer.jobs.inventories import resource_of_row
from compute_optimizer.model.resource import EC2_INSTANCE, Resource
from compute_optimizer.sources.prometheus.answers import Series
from compute_optimizer.sources.prometheus.declared import Exporter, FromLabel, TextSource
from compute_optimizer.sources.prometheus.discovery import (
    Found,
    KnownMachine,
    known_resources,
    resources_of,
    seen,
)
from compute_optimizer.sources.prometheus.exporters import EXPORTERS
from compute_optimizer.sources.prometheus.identity import told

ACCOUNT = "111111111111"
ARN = f"arn:aws:ec2:eu-central-1:{ACCOUNT}:instance/"

Ask = Callable[[str], Sequence[Series]]


@pytest.mark.parametrize(
    ("what", "labels", "expected"),
    [
        ("constant", {}, "constant"),
        (FromLabel("a"), {"a": "x"}, "x"),
        (FromLabel("a"), {}, ""),
        (FromLabel("a", r"(.+):\d+"), {"a": "host:9100"}, "host"),
        (FromLabel("a", r"(.+):\d+"), {"a": "host"}, ""),
        (FromLabel("a", "(.)(.)", "${2}-$1"), {"a": "xy"}, "y-x"),
        (FromLabel("a", "(x)", "$7"), {"a": "x"}, ""),
        ((FromLabel("a"), FromLabel("b"), "else"), {"b": "y"}, "y"),
        ((FromLabel("a"), "else"), {}, "else"),
    ],
)
def test_labels_tell_a_text(what: TextSource, labels: Mapping[str, str], expected: str) -> None:
    assert told(what, labels) == expected


@pytest.mark.parametrize(
    ("instance", "expected"),
    [("web-1:9100", "web-1"), ("10.0.0.7:9100", "10.0.0.7"), ("web-1", "web-1")],
)
def test_an_address_is_told_without_its_port(instance: str, expected: str) -> None:
    what = EXPORTERS["node_exporter"].resource["id"]

    assert told(what, {"instance": instance}) == expected


def series(labels: Mapping[str, str], value: float = 1.0) -> Series:
    return Series(dict(labels), np.array([0.0]), np.array([value]))


def answering(**answers: list[Series]) -> Ask:
    """Return what answers a query by the first of the words that occur in it."""
    return lambda query: next((found for word, found in answers.items() if word in query), [])


def test_a_machine_is_described_by_all_that_tells_of_it() -> None:
    web = {"instance": "web-1:9100"}
    ask = answering(
        uname=[series({**web, "nodename": "web-1.example", "machine": "x86_64"})],
        dmi=[series({**web, "instance_type": "m5.large", "nodename": "not this one"})],
        cpu=[series(web, 2)],
        MemTotal=[series(web, 7884)],
    )

    (found,) = seen(0, EXPORTERS["node_exporter"], ask)

    assert found.machine == ("web-1:9100",)
    row = {name: value for name, value in found.row.items() if value}
    assert row == {
        "id": "web-1",
        "name": "web-1.example",
        "type": "m5.large",
        "architecture": "x86_64",
        "vcpus": 2.0,
        "memory_mib": 7884.0,
        "resource_type": EC2_INSTANCE,
    }


def test_tags_are_labels_of_the_name_that_is_declared() -> None:
    labels = {"instance_id": "i-1", "tag_Team": "search", "tag_Name": "web"}
    ask = answering(aws_ec2_cpu=[series({"instance_id": "i-1"})], aws_resource=[series(labels)])

    (found,) = seen(0, EXPORTERS["cloudwatch_exporter"], ask)

    assert found.row["tags"] == {"Team": "search", "Name": "web"}
    assert found.row["name"] == "web"


def machine(exporter: int = 0, label: str = "web-1:9100", **row: Any) -> KnownMachine:
    owner = {"account": ACCOUNT, "region": "eu-central-1", "id": "web-1"}
    return KnownMachine(exporter, (label,), {**owner, "resource_type": EC2_INSTANCE, **row})


def taken(*machines: KnownMachine, families: tuple[str, ...] = ()) -> Found:
    return resources_of(machines, resource_of_row, families)


def test_a_type_is_matched_by_size_where_none_is_declared() -> None:
    found = taken(machine(vcpus=4.0, memory_mib=15_800.0))

    # 4 vCPUs and 16 GiB; what the kernel keeps for itself is not missed.
    assert [one.instance_type for one in found.matches] == ["m6i.xlarge"]
    resource = found.resources[f"{ARN}web-1"]
    assert (resource.instance_type, resource.vcpus) == ("m6i.xlarge", 4.0)
    assert resource.memory_mib == 15_800.0


@pytest.mark.parametrize(
    ("row", "families", "expected"),
    [
        ({"vcpus": 4.0, "memory_mib": 7_800.0}, (), "c6i.xlarge"),
        ({"vcpus": 6.0, "memory_mib": 30_000.0}, (), "m6i.2xlarge"),
        ({"vcpus": 2.0, "memory_mib": 15_000.0}, (), "r6i.large"),
        ({"vcpus": 2.0, "memory_mib": 7_800.0, "architecture": "aarch64"}, (), "m6g.large"),
        ({"vcpus": 2.0, "memory_mib": 7_800.0}, ("m5",), "m5.large"),
    ],
)
def test_the_match_is_the_cheapest_that_has_cores_and_memory(
    row: dict[str, Any], families: tuple[str, ...], expected: str
) -> None:
    assert [one.instance_type for one in taken(machine(**row), families=families).matches] == [
        expected
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"vcpus": 4.0},
        {"vcpus": 4.0, "memory_mib": 8e9},
        {"vcpus": 4.0, "memory_mib": 8e3, "architecture": "riscv64"},
        {"vcpus": 4.0, "memory_mib": 8e3, "region": "xx-nowhere-1"},
    ],
    ids=["no memory", "too large", "another architecture", "no such Region"],
)
def test_a_machine_that_nothing_matches_is_left_out_and_told(row: dict[str, Any]) -> None:
    found = taken(machine(**row))

    assert not found.resources
    assert [(one.machine, one.reason) for one in found.left_out] == [
        ("web-1", "a required value is missing: type")
    ]


def test_a_declared_type_says_how_large_a_machine_is() -> None:
    found = taken(machine(type="m5.large", vcpus=2.0, memory_mib=7_700.0))

    (resource,) = found.resources.values()
    assert (resource.vcpus, resource.memory_mib) == (None, None)
    assert not found.matches


def test_cores_that_are_switched_off_are_seen() -> None:
    # An m5.large has 2 vCPUs.
    (resource,) = taken(machine(type="m5.large", vcpus=1.0, memory_mib=7e3)).resources.values()

    assert (resource.vcpus, resource.memory_mib) == (1.0, 7e3)


def test_several_exporters_tell_of_one_resource_and_the_first_counts() -> None:
    found = taken(
        machine(1, "i-1", name="second", type="m5.large", account="", region=""),
        machine(0, "web-1:9100", name="first"),
    )

    (resource,) = found.resources.values()
    assert (resource.name, resource.instance_type) == ("first", "m5.large")
    assert found.machines[resource.arn] == [(0, ("web-1:9100",)), (1, ("i-1",))]


def test_the_same_id_in_two_accounts_is_two_resources() -> None:
    other = "222222222222"
    found = taken(machine(type="m5.large"), machine(account=other, type="m5.large"))

    assert {one.account_id for one in found.resources.values()} == {ACCOUNT, other}


def known(number: int, name: str) -> Resource:
    arn = f"{ARN}i-{number}"
    return Resource(arn, ACCOUNT, "eu-central-1", EC2_INSTANCE, f"i-{number}", "m5.large", name)


def test_machines_are_found_in_a_known_inventory_by_id_or_by_name() -> None:
    inventory = [known(1, "web-1"), known(2, "db-1")]

    found = known_resources([machine(id="i-2"), machine(id="web-1")], inventory)

    assert set(found.resources) == {f"{ARN}i-1", f"{ARN}i-2"}
    assert found.resources[f"{ARN}i-1"] == inventory[0]


@pytest.mark.parametrize(
    ("inventory", "count"), [([], 0), ([known(1, "web-1"), known(2, "web-1")], 2)]
)
def test_machines_that_are_in_no_inventory_or_twice_are_told(
    inventory: list[Resource], count: int
) -> None:
    found = known_resources([machine()], inventory)

    assert [one.reason for one in found.left_out] == [
        f"{count} resources of the inventory have the id or name 'web-1'"
    ]


def test_every_known_exporter_tells_whose_a_machine_is() -> None:
    assert all(
        isinstance(one, Exporter) and {"account", "region", "id"} <= one.resource.keys()
        for one in EXPORTERS.values()
    )
