"""Collecting from a real Prometheus that holds real traces: tiles are what it was given."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from compute_optimizer.errors import SourceUnavailable
from compute_optimizer.jobs.inventories import resource_of_row
from compute_optimizer.sources.prometheus import PrometheusSource, read_configuration
from compute_optimizer.sources.prometheus.exporters import EXPORTERS
from compute_optimizer.store import State, inventory
from tests.answering import Answer, Answering, answering, passing_on
from tests.enrolling import ALPHA
from tests.local_prometheus import (
    Samples,
    counter,
    gauge,
    load,
    serving,
)
from tests.measured_machines import (
    CPU_AVERAGE,
    CPU_MAXIMUM,
    EVENING,
    ISLAND,
    MEMORY_BYTES,
    MEMORY_MAXIMUM,
    MIDDAY,
    NETWORK_IN,
    NOON,
    OWNER,
    SLOTS,
    Installation,
    Traces,
    azure,
    bitbrains,
    check_machines,
    expected,
    installed,
    instance_series,
    machine_series,
    machines_of,
)
from tests.records import FixedClock


@pytest.fixture(scope="module")
def traces(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traces]:
    folder = tmp_path_factory.mktemp("prometheus")
    machines, instances = bitbrains(shared, 3, SLOTS * 5), azure(shared, 2)
    series = [one for n, trace in enumerate(machines) for one in machine_series(n, trace)]
    series += [one for n, pair in enumerate(instances) for one in instance_series(n, *pair)]
    load(folder / "data", series, folder)
    # A server of its own for what is read with a limit; two cannot share a folder.
    shutil.copytree(folder / "data", folder / "copy")
    with serving(folder, folder / "data") as url:
        yield Traces(url, folder / "copy", machines, instances)


@pytest.fixture
def here(sqlite_state: State, tmp_path: Path) -> Installation:
    return installed(sqlite_state, tmp_path)


def test_tiles_hold_what_was_measured(here: Installation, traces: Traces) -> None:
    report = here.collect(machines_of(traces.url), EVENING, days=0.5)

    assert report.failures == []
    check_machines(here, traces)
    # Nothing before the first sample, and nothing after the last.
    stored = here.samples(0, CPU_AVERAGE, EVENING, 1)
    assert np.isnan(stored[:MIDDAY]).all()
    assert np.isnan(stored[MIDDAY + SLOTS :]).all()


def test_what_it_speaks_is_found_out_by_one_question(here: Installation, traces: Traces) -> None:
    with answering() as between:
        between.otherwise = passing_on(traces.url)
        here.collect(machines_of(between.url), EVENING, days=0.1)
        asked = [one.parameters["query"] for one in between.asked]

    assert asked.count("now()") == 1
    # A slot and one scrape less a millisecond.
    assert any("rate(node_cpu" in one and "[359999ms]" in one for one in asked)


def test_a_second_collection_writes_nothing_and_asks_for_the_overlap_only(
    here: Installation, traces: Traces
) -> None:
    with answering() as between:
        between.otherwise = passing_on(traces.url)
        here.collect(machines_of(between.url), EVENING, days=0.5)
        between.asked.clear()

        report = here.collect(machines_of(between.url), EVENING, days=0.5)

        assert report.tiles == 0
        starts = {
            float(one.parameters["start"])
            for one in between.asked
            if "node_cpu" in one.parameters["query"] and one.call == "query_range"
        }
    # The overlap is three hours; a slot is asked for at its end.
    assert starts == {EVENING.timestamp() - 3 * 3600 + 300}


def test_a_server_that_loads_few_samples_is_asked_for_less(
    here: Installation, traces: Traces, tmp_path: Path
) -> None:
    # 96 slots of one machine take some 6 samples of 3 series each at once, and the same for the
    # minutes of maxima; all three machines with 96 results each are more than 200.
    with (
        serving(tmp_path, traces.data, options=["--query.max-samples=200"]) as url,
        answering() as between,
    ):
        between.otherwise = passing_on(url)
        report = here.collect(machines_of(between.url), EVENING, days=0.5)
        asked = [one for one in between.asked if one.call == "query_range"]

    assert report.failures == []
    assert len(asked) > 12  # as many as there are series, where nothing is refused
    check_machines(here, traces)


NIGHT = ISLAND + timedelta(days=27)
CLOUDWATCH = "exporters: [cloudwatch_exporter]"


def instances_of(url: str, more: str = "") -> str:
    resource = f'resource: {{account: "{ALPHA}", region: us-east-1, type: m5.large}}\n'
    return f'{resource}servers: [{{url: "{url}", {CLOUDWATCH}{more}}}]\n'


@pytest.mark.parametrize("more", ["", ", max_points: 500"], ids=["whole", "in pieces"])
def test_samples_at_the_start_of_slots_stay_in_them(
    here: Installation, traces: Traces, more: str
) -> None:
    report = here.collect(instances_of(traces.url, more), NIGHT, days=27)

    assert report.failures == []
    length = 27 * 288
    for number, (average, maximum) in enumerate(traces.instances):
        for key, values in ((CPU_AVERAGE, average), (CPU_MAXIMUM, maximum)):
            found = here.samples(number, key, NIGHT, 27)
            assert found.tolist() == values[:length].astype(np.float32).tolist()


def test_more_points_than_a_server_allows_are_asked_for_in_pieces(
    here: Installation, traces: Traces
) -> None:
    # 40 days are 11,520 points, and Prometheus answers 11,000.
    later = NIGHT + timedelta(minutes=50)
    with answering() as between:
        between.otherwise = passing_on(traces.url)
        report = here.collect(instances_of(between.url, ", max_points: 100000"), later, days=40)
        asked = [one for one in between.asked if one.call == "query_range"]

    # Both machines at once, then one alone, then each in two pieces: what was refused is learned.
    assert len(asked) == 6 * 12
    assert report.failures == []
    assert here.samples(0, CPU_AVERAGE, NIGHT, 27)[-1] == np.float32(
        traces.instances[0][0][27 * 288 - 1]
    )


def test_memory_may_come_from_another_server_than_cpu(here: Installation, traces: Traces) -> None:
    noon, both = ISLAND + timedelta(days=19, hours=12), CLOUDWATCH
    assert noon == NOON
    configuration = (
        f'resource: {{account: "{ALPHA}", region: us-east-1, type: m5.large}}\n'
        f'servers: [{{url: "{traces.url}", {both}}}, {{url: "{traces.url}/"}}]\n'
    )

    report = here.collect(configuration, EVENING, days=0.25)

    # Two of the three machines are known to both, by one id.
    assert report.resources == {"Ec2Instance": 3}
    found = here.samples(1, CPU_MAXIMUM, EVENING, 1)[MIDDAY + SLOTS - 12 : MIDDAY + SLOTS]
    first = 19 * 288 + MIDDAY + SLOTS - 12
    maximum = traces.instances[1][1][first : first + 12]
    assert found.tolist() == maximum.astype(np.float32).tolist()
    memory = here.samples(1, MEMORY_MAXIMUM, EVENING, 1)[MIDDAY + SLOTS - 12 : MIDDAY + SLOTS]
    assert memory == pytest.approx(expected(traces.machines[1])[MEMORY_MAXIMUM][-12:], rel=1e-5)


def test_a_server_that_fails_half_way_keeps_nothing_half(
    here: Installation, traces: Traces
) -> None:
    def failing(between: Answering) -> None:
        passing = passing_on(traces.url)
        between.otherwise = lambda asked: (
            Answer(b"gone", 410)
            if "node_disk_read_bytes" in asked.parameters["query"]
            else passing(asked)
        )

    with answering() as between:
        failing(between)
        report = here.collect(machines_of(between.url), EVENING, days=0.5)

    assert [one.message for one in report.failures] == [
        f"node_exporter: VolumeReadBytes_Sum: {between.url}: answers 410: gone"
    ]
    assert report.tiles == 0

    assert here.collect(machines_of(traces.url), EVENING, days=0.5).tiles == 1
    check_machines(here, traces)


def test_answers_that_are_no_answers_are_told(here: Installation, traces: Traces) -> None:
    with answering() as between:
        between.otherwise = lambda _: Answer(b"<html>log in</html>")

        with pytest.raises(SourceUnavailable, match="the answer is garbled"):
            here.collect(machines_of(between.url), EVENING, days=0.5)


def test_a_server_that_is_down_stops_no_other(here: Installation, traces: Traces) -> None:
    with answering() as gone:
        down = gone.url
    configuration = f'{OWNER}servers: [{{url: "{traces.url}"}}, {{url: "{down}", attempts: 1}}]\n'
    path = here.folder / "prometheus.yaml"
    path.write_text(configuration)
    with closing(
        PrometheusSource(read_configuration(path), FixedClock(EVENING), resource_of_row)
    ) as source:
        found, plan = source.found(), source.plan()

    assert {one.url for one in plan} == {traces.url}
    assert len(found.resources) == len(traces.machines)
    assert [one.partition(down)[0] for one in found.unread.values()] == ["node_exporter: "]


def test_every_declared_expression_is_understood(here: Installation, traces: Traces) -> None:
    path = here.folder / "prometheus.yaml"
    known = ", ".join(EXPORTERS)
    path.write_text(
        f'resource: {{account: "{ALPHA}", region: us-east-1, type: m5.large}}\n'
        f'servers: [{{url: "{traces.url}", exporters: [{known}]}}]\n'
    )
    with closing(
        PrometheusSource(read_configuration(path), FixedClock(EVENING), resource_of_row)
    ) as source:
        plan = source.plan()

    assert len(plan) == sum(len(one.metrics) for one in EXPORTERS.values())
    series = {(one.exporter, one.rule.key): one.series for one in plan}
    assert series["node_exporter", CPU_MAXIMUM] == len(traces.machines)
    assert series["cloudwatch_exporter", CPU_MAXIMUM] == len(traces.instances)
    assert series["yace", CPU_MAXIMUM] == 0


def cadvisor_series() -> Iterator[Samples]:
    """Yield what cAdvisor tells of a machine of four cores, three quarters of them busy."""
    labels = {"instance": "node-1:8080", "node": "node-1"}
    root, minutes = {**labels, "id": "/"}, SLOTS * 5
    yield gauge("machine_cpu_cores", labels, NOON, [4] * minutes, 60)
    yield gauge("machine_memory_bytes", labels, NOON, [MEMORY_BYTES] * minutes, 60)
    for place, rate in (("/", 3.0), ("/kubepods", 2.0)):
        named = {**labels, "id": place, "cpu": "total"}
        yield counter("container_cpu_usage_seconds_total", named, NOON, [rate] * minutes, 60)
    used = [MEMORY_BYTES / 4] * minutes
    yield gauge("container_memory_working_set_bytes", root, NOON, used, 60)
    for device, rate in (("eth0", 1000.0), ("veth1", 9000.0)):
        named = {**root, "interface": device}
        yield counter("container_network_receive_bytes_total", named, NOON, [rate] * minutes, 60)


def yace_series() -> Iterator[Samples]:
    """Yield what another exporter of CloudWatch tells of an instance, scraped each minute."""
    arn = f"arn:aws:ec2:eu-west-1:{ALPHA}:instance/i-{7:017x}"
    labels = {"account_id": ALPHA, "region": "eu-west-1", "name": arn}
    metric = {**labels, "dimension_InstanceId": f"i-{7:017x}"}
    minutes = SLOTS * 5
    yield gauge("aws_ec2_info", {"name": arn, "tag_Name": "web"}, NOON, [0] * minutes, 60)
    yield gauge("aws_ec2_cpuutilization_maximum", metric, NOON, [42] * minutes, 60)
    yield gauge("aws_ec2_network_in_sum", metric, NOON, [3000] * minutes, 60)


def test_cadvisor_and_yace_tell_of_machines_too(here: Installation, tmp_path: Path) -> None:
    load(tmp_path / "data", [*cadvisor_series(), *yace_series()], tmp_path)
    with serving(tmp_path, tmp_path / "data") as url:
        here.collect(
            f'resource: {{account: [{{label: account_id}}, "{ALPHA}"], '
            "region: [{label: region}, us-east-1]}\n"
            f'servers: [{{url: "{url}", exporters: [cadvisor, yace]}}]\n'
            "exporters: {yace: {resource: {type: m5.large}}}\n",
            EVENING,
            days=0.5,
        )

    slot = MIDDAY + SLOTS // 2
    with here.state.reading() as connection:
        nodes = {one: inventory.find_resource(connection, one) for one in ("node-1", f"i-{7:017x}")}
    assert nodes["node-1"].instance_type == "m6i.xlarge"  # 4 vCPUs, 16 GiB
    assert nodes[f"i-{7:017x}"].name == "web"
    found = {
        (one, key): float(here.stored(nodes[one], key, EVENING, 1)[slot])
        for one, keys in (
            ("node-1", (CPU_AVERAGE, CPU_MAXIMUM, MEMORY_MAXIMUM, NETWORK_IN)),
            (f"i-{7:017x}", (CPU_MAXIMUM, NETWORK_IN)),
        )
        for key in keys
    }
    assert list(found.values()) == pytest.approx([75, 75, 25, 300_000, 42, 3000], rel=1e-6)
