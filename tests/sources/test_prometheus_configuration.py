"""The user's file: what it changes, and what is wrong with it."""

from datetime import timedelta
from pathlib import Path

import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.sources.prometheus import Configuration, read_configuration
from compute_optimizer.sources.prometheus.exporters import EXPORTERS

SERVERS = "servers: [{url: 'http://there:9090'}]\n"


def read(folder: Path, text: str, url: str = "") -> Configuration:
    path = folder / "prometheus.yaml"
    path.write_text(text)
    return read_configuration(path, url)


def test_a_file_may_say_next_to_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, SERVERS)

    assert [one.url for one in found.servers] == ["http://there:9090"]
    assert found.servers[0].exporters == ("node_exporter",)
    assert found.exporters == EXPORTERS
    assert (found.scrape_seconds, found.retention, found.seen_within) == (60, None, "3600s")


def test_times_have_units(tmp_path: Path) -> None:
    found = read(tmp_path, f"{SERVERS}retention: 15d\nscrape_interval: 2m\nseen_within: 1w\n")

    assert found.retention == timedelta(days=15)
    assert (found.scrape_seconds, found.seen_within) == (120, "604800s")


def test_a_url_may_be_given_elsewhere(tmp_path: Path) -> None:
    assert read(tmp_path, "{}", "https://here/prom/").servers[0].url == "https://here/prom"


def test_a_rule_replaces_that_of_its_metric_and_statistic(tmp_path: Path) -> None:
    text = (
        f"{SERVERS}exporters: {{node_exporter: {{metrics: [{{metric: mem_used_percent, "
        "statistic: Maximum, query: 'my_memory{$match}'}]}}\n"
    )

    rules = {one.key: one.query for one in read(tmp_path, text).exporters["node_exporter"].metrics}

    known = {one.key: one.query for one in EXPORTERS["node_exporter"].metrics}
    changed = MetricKey("mem_used_percent", Statistic.MAXIMUM)
    assert rules == {**known, changed: "my_memory{$match}"}


def test_metrics_may_be_left_to_others(tmp_path: Path) -> None:
    text = f"{SERVERS}exporters: {{cadvisor: {{without: [CPUUtilization]}}}}\n"

    metrics = {one.metric for one in read(tmp_path, text).exporters["cadvisor"].metrics}

    known = {one.metric for one in EXPORTERS["cadvisor"].metrics}
    assert known - metrics == {"CPUUtilization"}


def test_what_is_told_of_one_exporter_comes_before_what_is_told_of_all(tmp_path: Path) -> None:
    text = (
        f"{SERVERS}resource: {{name: all, type: m5.large}}\n"
        "exporters: {cadvisor: {resource: {name: one}}}\n"
    )

    found = read(tmp_path, text).exporters

    assert found["cadvisor"].resource["name"] == "one"
    assert found["node_exporter"].resource["name"] == "all"
    assert found["cadvisor"].resource["type"] == "m5.large"


def test_another_exporter_can_be_declared(tmp_path: Path) -> None:
    text = (
        "servers: [{url: 'http://there:9090', exporters: [mine]}]\n"
        "exporters: {mine: {by: [host], machines: 'mine_up', resource: {id: {label: host}}, "
        "metrics: [{metric: CPUUtilization, statistic: Average, query: 'mine_cpu'}]}}\n"
    )

    assert read(tmp_path, text).exporters["mine"].by == ("host",)


def test_files_are_sought_beside_the_file(tmp_path: Path) -> None:
    text = (
        "servers: [{url: 'https://there', bearer_token: {file: token}, tls: {ca_file: ca.pem}}]\n"
        "inventory: fleet.csv\n"
    )

    found = read(tmp_path, text)

    token = found.servers[0].bearer_token
    assert token is not None
    assert token.file == str(tmp_path / "token")
    assert found.servers[0].tls.ca_file == str(tmp_path / "ca.pem")
    assert found.inventory == str(tmp_path / "fleet.csv")


METRICS = "exporters: {node_exporter: {metrics: [{metric: %s, statistic: %s, query: '%s'}]}}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "servers: there is none"),
        ("servers: [{url: there}]", r"servers\[0\].url: 'there' is no URL"),
        ("servers: [{url: 'http://a:b'}]", r"servers\[0\].url: Port could not be cast"),
        ("servers: [{url: 'http://me:secret@there'}]", r"servers\[0\].url: expected an address"),
        (
            "servers: [{url: 'http://there', exporters: [nobody]}]",
            r"servers\[0\].exporters: 'nobody' is unknown; expected one of cadvisor",
        ),
        (
            "servers: [{url: 'http://there', tls: {ca_file: ca.pem}}]",
            r"servers\[0\].tls: http://there is asked without TLS; write https://",
        ),
        (
            "servers: [{url: 'https://there', tls: {key_file: key.pem}}]",
            r"servers\[0\].tls.key_file: is there without certificate_file",
        ),
        ("server: 1", "Object contains unknown field `server`"),
        (f"{SERVERS}resource: {{account: 123}}", r"Expected .*, got `int` - at `\$.resource"),
        (f"{SERVERS}resource: {{account: 123}}", "put it in quotes: without them it is a number"),
        (f"{SERVERS}resource: {{size: big}}", "resource: 'size' is unknown; expected one of id"),
        (
            f"{SERVERS}resource: {{id: {{label: a, regex: '('}}}}",
            r"resource.id.regex: '\(' is no regular expression",
        ),
        (f"{SERVERS}retention: long", "retention: 'long' is no time; expected one such as 30s"),
        (
            SERVERS + METRICS % ("Cpu", "Average", "x"),
            "metrics: no analysis reads Cpu Average of a Ec2Instance; expected one of CPUUtil",
        ),
        (SERVERS + METRICS % ("CPUUtilization", "P99", "x"), "Invalid enum value 'P99'"),
        (
            SERVERS + METRICS % ("CPUUtilization", "Average", "x[$span]"),
            r"metrics CPUUtilization_Average: \$span in",
        ),
        (
            f"{SERVERS}exporters: {{mine: {{by: [host]}}}}",
            "exporters.mine: no known exporter; expected by, machines and metrics",
        ),
        (
            f"{SERVERS}exporters: {{cadvisor: {{without: [Nothing]}}}}",
            "exporters.cadvisor.without: it has no metric 'Nothing'",
        ),
        (
            f"{SERVERS}exporters: {{cadvisor: {{by: ['a-b']}}}}",
            "exporters.cadvisor.by: 'a-b' is no name of a label",
        ),
        (
            f"{SERVERS}exporters: {{cadvisor: {{resource_type: Car}}}}",
            "resource_type: 'Car' is unknown; expected one of Ec2Instance",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=rf"prometheus\.yaml: .*{said}"):
        read(tmp_path, text)


def test_a_url_cannot_stand_for_several_servers(tmp_path: Path) -> None:
    text = "servers: [{url: 'http://a'}, {url: 'http://b'}]"

    with pytest.raises(InvalidInput, match="servers lists 2"):
        read(tmp_path, text, "http://c")
