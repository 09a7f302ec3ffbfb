"""What a declared exporter and the address of a server must be, with errors that name the place."""

import re
from urllib.parse import urlsplit

from compute_optimizer.errors import InvalidInput
from compute_optimizer.resources import RESOURCE_TYPES, type_named
from compute_optimizer.sources.prometheus.declared import Exporter, FromLabel
from compute_optimizer.sources.prometheus.expressions import check_expression

FIELDS = (
    "id",
    "account",
    "region",
    "type",
    "name",
    "platform",
    "architecture",
    "state",
    "auto_scaling_group_arn",
)
"""What labels and constants may tell of a resource; names are those of inventory files."""

LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


def check_exporter(exporter: Exporter, place: str) -> None:
    """Raise InvalidInput, naming the place, for what cannot be meant."""
    for label in exporter.by:
        if not LABEL_NAME.fullmatch(label):
            raise InvalidInput(f"{place}.by: {label!r} is no name of a label")
    _check_pattern(exporter.tags, f"{place}.tags")
    _check_resource(exporter, f"{place}.resource")
    _check_inventory(exporter, place)
    _check_metrics(exporter, place)


def check_url(url: str, place: str) -> None:
    """Raise InvalidInput, naming the place, for what is no address of a server."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # reading it is what checks it
    except ValueError as error:
        raise InvalidInput(f"{place}: {error}; expected one such as http://host:9090") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput(f"{place}: {url!r} is no URL; expected one such as http://host:9090")
    if parts.username is not None or parts.query or parts.fragment:
        raise InvalidInput(
            f"{place}: expected an address alone; say who you are in basic_auth or bearer_token"
        )


def _check_resource(exporter: Exporter, place: str) -> None:
    for name, told in exporter.resource.items():
        if name not in FIELDS:
            raise InvalidInput(f"{place}: {name!r} is unknown; expected one of {', '.join(FIELDS)}")
        for one in told if isinstance(told, tuple) else (told,):
            if isinstance(one, FromLabel):
                _check_pattern(one.regex, f"{place}.{name}.regex")


def _check_inventory(exporter: Exporter, place: str) -> None:
    """Check what is asked to find out who there is."""
    asked = {"machines": exporter.machines}
    asked |= {f"info[{n}].query": one.query for n, one in enumerate(exporter.info)}
    sizes = {"vcpus": exporter.vcpus, "memory_mib": exporter.memory_mib}
    asked |= {name: query for name, query in sizes.items() if query}
    for name, query in asked.items():
        check_expression(query, f"{place}.{name}", frozenset({"[$recent]"}))


def _check_metrics(exporter: Exporter, place: str) -> None:
    kind = type_named(exporter.resource_type)
    if kind is None:
        known = ", ".join(one.name for one in RESOURCE_TYPES)
        raise InvalidInput(
            f"{place}.resource_type: {exporter.resource_type!r} is unknown; expected one of {known}"
        )
    for one in exporter.metrics:
        if one.key not in kind.series:
            read = ", ".join(sorted(f"{key.metric} {key.statistic}" for key in kind.series))
            raise InvalidInput(
                f"{place}.metrics: no analysis reads {one.metric} {one.statistic} of a "
                f"{kind.name}; expected one of {read}"
            )
        check_expression(one.query, f"{place}.metrics {one.key.column}")


def _check_pattern(pattern: str, place: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise InvalidInput(f"{place}: {pattern!r} is no regular expression: {error}") from error
