"""`compute-optimizer collect prometheus`, against a real Prometheus."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.answering import Answer, answering, passing_on
from tests.cli.conftest import Type
from tests.enrolling import ALPHA
from tests.local_prometheus import Samples, counter, gauge, load, serving, whole_slots_until
from tests.waiting import wait_until

SLOTS = 372
"""31 hours: an analysis wants 30 of them."""

MINUTES = SLOTS * 5
LABELS = {"instance": "web-1:9100", "job": "node"}


def machine(now: datetime) -> Iterator[Samples]:
    """Yield a machine of two cores and 7.7 GiB that uses a tenth of its CPU and half its memory."""
    start = whole_slots_until(now, SLOTS)
    for cpu in ("0", "1"):
        labels = {**LABELS, "cpu": cpu}
        for mode, rate in (("idle", 0.85), ("iowait", 0.05), ("user", 0.1)):
            mode_labels = {**labels, "mode": mode}
            yield counter("node_cpu_seconds_total", mode_labels, start, [rate] * MINUTES, 60)
    total = 7.7 * 2**30
    uname = {**LABELS, "nodename": "web-1.example", "machine": "x86_64"}
    yield gauge("node_uname_info", uname, start, [1] * MINUTES, 60)
    yield gauge("node_memory_MemTotal_bytes", LABELS, start, [total] * MINUTES, 60)
    yield gauge("node_memory_MemAvailable_bytes", LABELS, start, [total / 2] * MINUTES, 60)
    volume = {"volume_id": "vol-1"}
    yield gauge("aws_ebs_volume_read_ops_sum", volume, start, [30] * SLOTS, 300)


@pytest.fixture(scope="module")
def now() -> datetime:
    """Until when there are samples."""
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, now: datetime) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("prometheus")
    load(folder / "data", machine(now), folder)
    with serving(folder, folder / "data") as served:
        yield served


@pytest.fixture
def config(url: str, tmp_path: Path) -> str:
    path = tmp_path / "prometheus.yaml"
    path.write_text(
        f'servers: [{{url: "{url}"}}]\nresource: {{account: "{ALPHA}", region: us-east-1}}\n'
    )
    return str(path)


def test_a_machine_is_collected_analyzed_and_recommended(typed: Type, config: str) -> None:
    command = ("collect", "prometheus", "--config", config, "--output", "json")

    ended = typed(*command, "--enroll")

    assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    assert report["accounts"] == [ALPHA]
    assert report["resources"] == {"Ec2Instance": 1}
    # 7.7 GiB of 8 and 2 cores: the least of c6i, m6i and r6i that has both.
    assert report["matchedTypes"] == [
        {
            "resourceArn": f"arn:aws:ec2:us-east-1:{ALPHA}:instance/web-1",
            "type": "m6i.large",
            "vcpus": 2.0,
            "memoryMib": 7884.8,
        }
    ]
    having = {(one["metric"], one["statistic"]) for one in report["coverage"] if one["withSamples"]}
    percentages = ("CPUUtilization", "mem_used_percent")
    assert having == {(name, how) for name in percentages for how in ("Average", "Maximum")}

    assert json.loads(typed(*command).out)["tilesWritten"] == 0

    assert typed("analyze", "--workers", "1").code == 0
    found = json.loads(typed("recommend", "--output", "json").out)["recommendations"]
    assert [(one["resourceArn"].rpartition("/")[2], one["current"]) for one in found] == [
        ("web-1", "m6i.large")
    ]


def test_an_estimate_says_what_would_be_asked(typed: Type, config: str) -> None:
    ended = typed(
        "collect", "prometheus", "--config", config, "--enroll", "--estimate", "--output", "json"
    )

    assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    asked = {(one["metric"], one["statistic"]): one for one in report["plan"]}
    assert asked["CPUUtilization", "Average"]["series"] == 1
    assert "node_cpu_seconds_total" in asked["CPUUtilization", "Average"]["query"]
    assert asked["NetworkIn", "Sum"]["series"] == 0
    # 12 series are declared, each asked for once.
    assert (report["calls"], report["metrics"]) == (12, 12)


def test_people_are_told_which_type_was_matched(typed: Type, config: str) -> None:
    ended = typed("collect", "prometheus", "--config", config, "--enroll", "--estimate")

    assert "matched by size: web-1 (2 vCPUs, 7.7 GiB) counts as m6i.large" in ended.out
    assert "Metrics would take 12 calls for 12 series. Nothing was collected." in ended.out


def test_the_inventory_may_come_from_a_file(
    typed: Type, url: str, tmp_path: Path, now: datetime
) -> None:
    (tmp_path / "fleet.csv").write_text(
        f"id,account,region,type,name,tags\ni-1,{ALPHA},us-east-1,m5.large,web-1,Team=search\n"
    )
    path = tmp_path / "prometheus.yaml"
    path.write_text(f'servers: [{{url: "{url}"}}]\ninventory: fleet.csv\n')

    ended = typed("collect", "prometheus", "--config", str(path), "--enroll", "--output", "json")

    assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    assert report["matchedTypes"] == []
    # One tile a UTC day: 31 hours that end before 07:00 lie in three of them, others in two.
    first = whole_slots_until(now, SLOTS)
    last = first + timedelta(minutes=5 * (SLOTS - 1))
    days = (last.date() - first.date()).days + 1
    assert (report["added"], report["tilesWritten"]) == (1, days)
    # What the file says stays, and is stored for the next time.
    path.write_text(f'servers: [{{url: "{url}"}}]\ninventory: stored\n')
    again = json.loads(
        typed("collect", "prometheus", "--config", str(path), "--output", "json").out
    )
    assert (again["resources"], again["unchanged"]) == ({"Ec2Instance": 1}, 1)


def test_rows_of_an_inventory_file_that_do_not_fit_are_named(
    typed: Type, url: str, tmp_path: Path
) -> None:
    (tmp_path / "fleet.csv").write_text("id,account,region,type\ni-1,12,us-east-1,m5.large\n")
    path = tmp_path / "prometheus.yaml"
    path.write_text(f'servers: [{{url: "{url}"}}]\ninventory: fleet.csv\n')

    ended = typed("collect", "prometheus", "--config", str(path), "--enroll")

    assert ended.code == 2
    assert (
        "1 row of it cannot be taken; the first is row 1: the account is not 12 digits: 12"
        in ended.err
    )


def test_a_server_that_is_down_is_told_and_the_rest_is_kept(
    typed: Type, url: str, tmp_path: Path
) -> None:
    with answering() as gone:
        down = gone.url
    path = tmp_path / "prometheus.yaml"
    path.write_text(
        f'servers: [{{url: "{url}"}}, {{url: "{down}", attempts: 1}}]\n'
        f'resource: {{account: "{ALPHA}", region: us-east-1}}\n'
    )

    ended = typed("collect", "prometheus", "--config", str(path), "--enroll")

    assert ended.code == 6
    assert f"could not be read: node_exporter: {down}: " in ended.out
    assert "day tiles written." in ended.out


def test_machines_without_an_owner_are_told(typed: Type, url: str, tmp_path: Path) -> None:
    path = tmp_path / "prometheus.yaml"
    path.write_text(f'servers: [{{url: "{url}"}}]\n')

    ended = typed("collect", "prometheus", "--config", str(path), "--enroll")

    assert ended.code == 6
    assert (
        "of 1 machines none is a resource; 1 of them: the account is not 12 digits: nothing is told"
        in ended.err
    )


def test_servers_without_machines_are_told_with_what_was_asked(
    typed: Type, url: str, tmp_path: Path
) -> None:
    path = tmp_path / "prometheus.yaml"
    path.write_text(f'servers: [{{url: "{url}", exporters: [cadvisor]}}]\n')

    ended = typed("collect", "prometheus", "--config", str(path), "--enroll", "--estimate")

    assert ended.code == 6
    assert "name the exporters that they hold" in ended.err
    # The query by which docs/collect-prometheus.md finds the machines of cAdvisor.
    assert f"cadvisor of {url}: last_over_time(machine_memory_bytes[" in ended.err


def test_a_collection_that_is_killed_loses_nothing(typed: Type, url: str, tmp_path: Path) -> None:
    """Kill it while it waits for the memory, when it has the CPU, and collect again."""
    passing = passing_on(url)
    path = tmp_path / "prometheus.yaml"
    owner = f'resource: {{account: "{ALPHA}", region: us-east-1}}\n'
    with answering() as between:
        between.otherwise = lambda asked: (
            Answer(seconds_per_byte=60.0)
            if "node_memory" in asked.parameters["query"] and asked.call == "query_range"
            else passing(asked)
        )
        path.write_text(f'{owner}servers: [{{url: "{between.url}"}}]\n')
        command = [sys.executable, "-m", "compute_optimizer", "collect", "prometheus", "--enroll"]
        here = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with (tmp_path / "killed.log").open("wb") as log:
            process = subprocess.Popen(
                [*command, "--config", str(path), "--data-dir", str(tmp_path)],
                stdout=log,
                stderr=log,
                env=here,
            )

            def asks_for_memory() -> bool:
                assert process.poll() is None, (tmp_path / "killed.log").read_text()
                return any("MemAvailable" in one.parameters["query"] for one in between.asked)

            wait_until(asks_for_memory)
            process.kill()
            process.wait()

    path.write_text(f'{owner}servers: [{{url: "{url}"}}]\n')
    command_again = ("collect", "prometheus", "--config", str(path), "--output", "json")
    report = json.loads(typed(*command_again).out)

    assert report["failures"] == []
    assert {one["metric"] for one in report["coverage"] if one["withSamples"]} == {
        "CPUUtilization",
        "mem_used_percent",
    }
    assert not list(tmp_path.rglob("spill*"))
    assert json.loads(typed(*command_again).out)["tilesWritten"] == 0


def test_what_others_have_brought_in_stays_unless_it_shall_go(
    typed: Type, config: str, tmp_path: Path
) -> None:
    (tmp_path / "fleet.csv").write_text(f"id,account,region,type\ni-1,{ALPHA},us-east-1,m5.large\n")
    command = ("collect", "prometheus", "--config", config, "--output", "json")
    typed(*command, "--enroll")
    typed("import", "--inventory", str(tmp_path / "fleet.csv"))

    assert json.loads(typed(*command).out)["gone"] == 0
    assert json.loads(typed(*command, "--remove-gone").out)["gone"] == 1


VOLUMES = """
inventory: fleet.csv
exporters:
  volumes:
    by: [volume_id]
    machines: last_over_time(aws_ebs_volume_read_ops_sum[$recent])
    resource: {id: {label: volume_id}}
    resource_type: EbsVolume
    metrics:
      - metric: VolumeReadOps
        statistic: Sum
        query: max by ($id) (avg_over_time(aws_ebs_volume_read_ops_sum{$match}[$slot]))
"""


def test_other_types_come_with_an_inventory_and_queries_of_ones_own(
    typed: Type, url: str, tmp_path: Path
) -> None:
    (tmp_path / "fleet.csv").write_text(
        f"id,account,region,resource_type,type,size_gib\n"
        f"vol-1,{ALPHA},us-east-1,EbsVolume,gp3,100\n"
    )
    path = tmp_path / "prometheus.yaml"
    path.write_text(f'servers: [{{url: "{url}", exporters: [volumes]}}]\n{VOLUMES}')

    ended = typed("collect", "prometheus", "--config", str(path), "--enroll", "--output", "json")

    assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    assert report["resources"] == {"EbsVolume": 1}
    having = [one for one in report["coverage"] if one["withSamples"]]
    assert [(one["metric"], one["statistic"]) for one in having] == [("VolumeReadOps", "Sum")]
