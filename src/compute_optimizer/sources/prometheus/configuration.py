"""The user's file: which servers there are, what they hold and whose it is.

servers:
  - url: https://prometheus.example.com
    exporters: [node_exporter]
resource:
  account: "111111111111"
  region: eu-central-1
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.metrics import MetricKey
from compute_optimizer.sources.prometheus.checks import check_exporter, check_url
from compute_optimizer.sources.prometheus.declared import Exporter, Info, Rule, TextSource
from compute_optimizer.sources.prometheus.exporters import EXPORTERS
from compute_optimizer.sources.yaml_files import read_yaml

DURATION = re.compile(r"(\d+)([smhdwy])", re.ASCII)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}
"""Seconds of the units of time in PromQL."""

AUTO, METRICSQL = "auto", "metricsql"
"""Dialects of a server that mean something special."""

LABELS, STORED = "labels", "stored"
"""Where the inventory comes from, where it does not come from a file."""

Count = Annotated[int, msgspec.Meta(ge=1)]


class Secret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a secret is read: it is never in the file itself."""

    file: str = ""
    environment: str = ""


class BasicAuth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user and where the password is read."""

    user: str
    password: Secret


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Files in PEM."""

    ca_file: str = ""
    """Certificates that are trusted instead of the machine's own."""
    certificate_file: str = ""
    key_file: str = ""
    """Of the client's certificate."""


class ServerEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One server and what it holds."""

    url: str
    """Without /api/v1; with the path that a proxy wants before it."""
    exporters: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ("node_exporter",)
    """Of those that tell the same metric of a resource, the first that has samples counts."""
    dialect: Literal["auto", "promql", "metricsql"] = "auto"
    """What the server understands; AUTO finds it out by one question."""
    tenant: str = ""
    """Header X-Scope-OrgID, which Mimir, Cortex and Loki tell tenants by."""
    bearer_token: Secret | None = None
    basic_auth: BasicAuth | None = None
    tls: Tls = Tls()
    timeout: str = "60s"
    """For a whole answer."""
    attempts: Count = 5
    max_points: Count = 11_000
    """Of one series in an answer: a limit of Prometheus (web/api/v1 of its source, 2.42)."""
    max_answer_mib: Count = 64
    connections: Count = 4
    """Queries under way at once; Prometheus answers 20 (--query.max-concurrency)."""


class ExporterEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An exporter that is declared, or what is different in a known one."""

    by: tuple[str, ...] | UnsetType = UNSET
    machines: str | UnsetType = UNSET
    metrics: tuple[Rule, ...] = ()
    """Each replaces the known one of its metric and statistic, or comes in addition."""
    without: tuple[str, ...] = ()
    """Metrics that are left to others."""
    resource: dict[str, TextSource] = {}
    info: tuple[Info, ...] | UnsetType = UNSET
    vcpus: str | UnsetType = UNSET
    memory_mib: str | UnsetType = UNSET
    tags: str | UnsetType = UNSET
    resource_type: str | UnsetType = UNSET


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    servers: tuple[ServerEntry, ...] = ()
    resource: dict[str, TextSource] = {}
    """Of all exporters."""
    exporters: dict[str, ExporterEntry] = {}
    inventory: str = LABELS
    """LABELS, STORED for what is stored already, or an inventory file."""
    match_families: tuple[str, ...] = ()
    """Instance families that machines without a type are matched with."""
    scrape_interval: str = "60s"
    retention: str = ""
    seen_within: str = "1h"
    """Machines without samples for longer are not in the inventory."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The checked file, with everything that it leaves out."""

    servers: tuple[ServerEntry, ...]
    exporters: Mapping[str, Exporter]
    inventory: str
    match_families: tuple[str, ...]
    scrape_seconds: int
    retention: timedelta | None
    seen_within: str


def read_configuration(path: Path, url: str = "") -> Configuration:
    """Return what a file says, with its only server at another URL where one is given.

    Raises InvalidInput that names the place at fault.
    """
    file = read_yaml(path, File, may_be_empty=False)
    try:
        return _configuration(file, url, path.parent)
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}") from error


def _configuration(file: File, url: str, folder: Path) -> Configuration:
    exporters = {name: _exporter(name, file) for name in {**EXPORTERS, **file.exporters}}
    servers = _servers(file, url)
    for number, server in enumerate(servers):
        check_url(server.url, f"servers[{number}].url")
        _check_tls(server, f"servers[{number}].tls")
        for name in server.exporters:
            if name not in exporters:
                known = ", ".join(sorted(exporters))
                raise InvalidInput(
                    f"servers[{number}].exporters: {name!r} is unknown; expected one of {known}"
                )
    elsewhere = file.inventory not in (LABELS, STORED)
    return Configuration(
        servers=tuple(_with_paths(one, folder) for one in servers),
        exporters=exporters,
        inventory=str(folder / file.inventory) if elsewhere else file.inventory,
        match_families=file.match_families,
        scrape_seconds=seconds(file.scrape_interval, "scrape_interval"),
        retention=timedelta(seconds=seconds(file.retention, "retention"))
        if file.retention
        else None,
        seen_within=f"{seconds(file.seen_within, 'seen_within')}s",
    )


def seconds(text: str, place: str) -> int:
    """Return how many seconds a time such as 90s or 15d is; raise InvalidInput for other text."""
    found = DURATION.fullmatch(text)
    if found is None or not int(found[1]):
        raise InvalidInput(f"{place}: {text!r} is no time; expected one such as 30s, 5m or 15d")
    return int(found[1]) * UNITS[found[2]]


def _servers(file: File, url: str) -> tuple[ServerEntry, ...]:
    if not url:
        if not file.servers:
            raise InvalidInput("servers: there is none; name one with its url, or give --url")
        return file.servers
    if len(file.servers) > 1:
        raise InvalidInput(
            f"--url stands for the only server, but servers lists {len(file.servers)}"
        )
    only = file.servers[0] if file.servers else ServerEntry(url)
    return (msgspec.structs.replace(only, url=url),)


def _check_tls(server: ServerEntry, place: str) -> None:
    """Refuse settings of TLS that nothing would ever use: who wrote them counts on them."""
    if server.tls != Tls() and not server.url.startswith("https:"):
        raise InvalidInput(
            f"{place}: {server.url} is asked without TLS; write https:// in url, or leave tls out"
        )
    if server.tls.key_file and not server.tls.certificate_file:
        raise InvalidInput(f"{place}.key_file: is there without certificate_file; name that, too")


def _with_paths(server: ServerEntry, folder: Path) -> ServerEntry:
    """Return the entry with its files sought beside the user's file."""

    def secret(one: Secret) -> Secret:
        return msgspec.structs.replace(one, file=_beside(folder, one.file))

    tls = {
        name: _beside(folder, value) for name, value in msgspec.structs.asdict(server.tls).items()
    }
    changes: dict[str, Any] = {"tls": Tls(**tls), "url": server.url.rstrip("/")}
    if server.bearer_token is not None:
        changes["bearer_token"] = secret(server.bearer_token)
    if server.basic_auth is not None:
        found = secret(server.basic_auth.password)
        changes["basic_auth"] = msgspec.structs.replace(server.basic_auth, password=found)
    return msgspec.structs.replace(server, **changes)


def _beside(folder: Path, name: str) -> str:
    return str(folder / name) if name else ""


def _exporter(name: str, file: File) -> Exporter:
    """Return an exporter as known, with what the file changes of it."""
    known, entry = EXPORTERS.get(name), file.exporters.get(name, ExporterEntry())
    place = f"exporters.{name}"
    given = {
        field: value
        for field, value in msgspec.structs.asdict(entry).items()
        if value is not UNSET and field not in ("metrics", "without", "resource")
    }
    if known is None and not {"by", "machines"} <= given.keys():
        raise InvalidInput(f"{place}: no known exporter; expected by, machines and metrics of it")
    rules = _rules(entry, known, place)
    resource = {**(known.resource if known else {}), **file.resource, **entry.resource}
    start = known or Exporter(by=("instance",), machines="", metrics=())
    found = msgspec.structs.replace(start, **given, metrics=rules, resource=resource)
    check_exporter(found, place)
    return found


def _rules(entry: ExporterEntry, known: Exporter | None, place: str) -> tuple[Rule, ...]:
    rules: dict[MetricKey, Rule] = {one.key: one for one in (known.metrics if known else ())}
    for one in entry.metrics:
        rules[one.key] = one
    for name in entry.without:
        if not any(key.metric == name for key in rules):
            raise InvalidInput(f"{place}.without: it has no metric {name!r}")
    return tuple(one for key, one in rules.items() if key.metric not in entry.without)
