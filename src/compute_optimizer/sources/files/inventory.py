"""From the rows of an inventory file to resources: CSV, JSON lines or Parquet."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.account import ACCOUNT_ID
from compute_optimizer.model.resource import EC2_INSTANCE, Resource
from compute_optimizer.sources.files.columns import INVENTORY_COLUMNS, recognize
from compute_optimizer.sources.files.refusals import Reason, Refusals
from compute_optimizer.sources.files.tables import no_progress, open_table, reading

JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")

MAX_RESOURCES = 5_000_000
"""Resources in one inventory file; split larger ones."""

MAX_TEXT = 256
"""Characters of a name, a tag or a type (EC2 tags: keys 128, values 256)."""

STATES = ("pending", "running", "shutting-down", "terminated", "stopping", "stopped")
"""EC2's instance states."""

PLATFORMS = {
    "linux": "linux",
    "linux/unix": "linux",
    "windows": "windows",
    "rhel": "rhel",
    "red hat enterprise linux": "rhel",
    "suse": "suse",
    "suse linux": "suse",
}
"""Platforms by what EC2 and people call them; they decide the price."""

REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}", re.ASCII)
RESOURCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)
ARN = re.compile(r"arn:(aws[a-z-]*):ec2:([^:]*):([^:]*):instance/(.+)", re.ASCII)

PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
"""Partitions of an ARN by how their Regions begin; all others lie in `aws`."""

Row = Mapping[str, Any]


class RowRefused(Exception):
    """A row of the inventory is not taken."""

    def __init__(self, reason: Reason, found: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.found = str(found)


def read_inventory(path: Path, opted_in: Collection[str], refusals: Refusals) -> list[Resource]:
    """Return the resources of an inventory file that belong to opted-in accounts, each ARN once.

    Rows that do not fit are refused with their number. Raises InvalidInput for a file that cannot
    be read or lacks a column.
    """
    found: dict[str, Resource] = {}
    for number, row in _rows(path, refusals):
        try:
            resource = resource_of(row)
            if resource.account_id not in opted_in:
                raise RowRefused(Reason.NOT_OPTED_IN, resource.account_id)
            if resource.arn in found:
                raise RowRefused(Reason.DUPLICATE_RESOURCE, resource.arn)
        except RowRefused as refused:
            refusals.add(path, number, refused.reason, refused.found)
            continue
        found[resource.arn] = resource
        if len(found) > MAX_RESOURCES:
            raise InvalidInput(f"{path}: more than {MAX_RESOURCES:,} resources; split the file")
    return list(found.values())


def unknown_columns(path: Path) -> frozenset[str]:
    """Return the columns of an inventory file that mean nothing; JSON lines have none to tell."""
    if path.name.casefold().endswith(JSON_SUFFIXES):
        return frozenset()
    columns = open_table(path).columns
    return frozenset(columns) - set(recognize(columns, INVENTORY_COLUMNS, path).values())


def resource_of(row: Row) -> Resource:
    """Return the resource of a row whose fields have their own names; raises RowRefused."""
    account, region, resource_id, arn = _identity(row)
    kind = _text(row, "resource_type") or EC2_INSTANCE
    if kind != EC2_INSTANCE:
        raise RowRefused(Reason.RESOURCE_TYPE, kind)
    instance_type = _text(row, "type")
    if not instance_type:
        raise RowRefused(Reason.MISSING, "type")
    return Resource(
        arn=arn,
        account_id=account,
        region=region,
        resource_type=kind,
        resource_id=resource_id,
        instance_type=instance_type,
        name=_text(row, "name"),
        state=_choice(row, "state", "running", STATES, Reason.STATE),
        platform=_platform(row),
        tags=_tags(row.get("tags")),
        vcpus=_capacity(row, "vcpus"),
        memory_mib=_capacity(row, "memory_mib"),
        auto_scaling_group_arn=_text(row, "auto_scaling_group_arn") or None,
    )


def _identity(row: Row) -> tuple[str, str, str, str]:
    """Return account, Region, id and ARN: from the ARN where there is one, and all agreeing."""
    given = [_text(row, field) for field in ("account", "region", "id")]
    arn = _text(row, "arn")
    if arn:
        parts = ARN.fullmatch(arn)
        if parts is None:
            raise RowRefused(Reason.ARN, arn)
        told = [parts[3], parts[2], parts[4]]
        for one, other in zip(given, told, strict=True):
            if one and one not in (other, arn):
                raise RowRefused(Reason.ARN_DIFFERS, f"{one} in {arn}")
        given = told
    account, region, resource_id = given
    if not ACCOUNT_ID.fullmatch(account):
        raise RowRefused(Reason.ACCOUNT, account)
    if not REGION.fullmatch(region):
        raise RowRefused(Reason.REGION, region)
    if not RESOURCE_ID.fullmatch(resource_id):
        raise RowRefused(Reason.RESOURCE_ID, resource_id)
    return account, region, resource_id, arn or _arn(account, region, resource_id)


def _arn(account: str, region: str, resource_id: str) -> str:
    named = (name for start, name in PARTITIONS.items() if region.startswith(start))
    return f"arn:{next(named, 'aws')}:ec2:{region}:{account}:instance/{resource_id}"


def _text(row: Row, field: str) -> str:
    value = row.get(field)
    text = "" if value is None else str(value).strip()
    if len(text) > MAX_TEXT * (2 if field.endswith("arn") else 1):
        raise RowRefused(Reason.TOO_LONG, f"{field}: {text[:40]}...")
    return text


def _choice(row: Row, field: str, default: str, known: tuple[str, ...], reason: Reason) -> str:
    value = _text(row, field).casefold() or default
    if value not in known:
        raise RowRefused(reason, value)
    return value


def _platform(row: Row) -> str:
    value = _text(row, "platform").casefold() or "linux"
    if value not in PLATFORMS:
        raise RowRefused(Reason.PLATFORM, value)
    return PLATFORMS[value]


def _capacity(row: Row, field: str) -> float | None:
    text = _text(row, field)
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not (isfinite(number) and number > 0):
        raise RowRefused(Reason.CAPACITY, f"{field}: {text}")
    return number


def _tags(value: Any) -> Mapping[str, str]:
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        value = _tags_of_text(value)
    if isinstance(value, Mapping):
        value = list(value.items())
    if not isinstance(value, list):
        raise RowRefused(Reason.TAGS, value)
    tags = {key: str(one) for key, one in map(_tag, value) if one is not None}
    if any(len(key) > MAX_TEXT or len(one) > MAX_TEXT for key, one in tags.items()):
        raise RowRefused(Reason.TOO_LONG, "tags")
    return tags


def _tag(one: Any) -> tuple[str, Any]:
    """Return key and value of a pair (Parquet's maps) or of EC2's own {"Key": , "Value": }."""
    if isinstance(one, Mapping):
        one = tuple(part for name in ("key", "value") for part in _members(one, name))
    if not isinstance(one, tuple) or len(one) != 2 or not isinstance(one[0], str) or not one[0]:
        raise RowRefused(Reason.TAGS, one)
    if isinstance(one[1], (dict, list)):
        raise RowRefused(Reason.TAGS, one)
    return one


def _members(one: Mapping[str, Any], name: str) -> list[Any]:
    return [value for key, value in one.items() if str(key).casefold() == name]


def _tags_of_text(text: str) -> Any:
    if text.lstrip().startswith(("{", "[")):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise RowRefused(Reason.TAGS, text) from None
    pairs = [part.partition("=") for part in text.split(";") if part.strip()]
    if not all(equals and key.strip() for key, equals, _ in pairs):
        raise RowRefused(Reason.TAGS, text)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _rows(path: Path, refusals: Refusals) -> Iterator[tuple[int, Row]]:
    if path.name.casefold().endswith(JSON_SUFFIXES):
        yield from _json_rows(path, refusals)
        return
    table = open_table(path, JSON_SUFFIXES)
    fields = recognize(table.columns, INVENTORY_COLUMNS, path)
    _check_fields(path, fields)
    with reading(path):
        for batch in table.batches(list(fields.values()), refusals, no_progress):
            columns = [batch.columns[name].to_pylist() for name in fields.values()]
            for number, values in zip(batch.rows.tolist(), zip(*columns, strict=True), strict=True):
                yield number, dict(zip(fields, values, strict=True))


def _json_rows(path: Path, refusals: Refusals) -> Iterator[tuple[int, Row]]:
    known: dict[tuple[str, ...], Callable[[Row], Row]] = {}
    with reading(path):
        if not path.stat().st_size:
            raise InvalidInput(f"{path}: the file is empty; expected a JSON object per line")
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                row = _json_object(line)
                if row is None:
                    if line.strip():
                        refusals.add(path, number, Reason.NOT_JSON, line.strip()[:MAX_TEXT])
                    continue
                names = tuple(row)
                if names not in known:
                    known[names] = _renaming(path, names)
                yield number, known[names](row)


def _renaming(path: Path, names: tuple[str, ...]) -> Callable[[Row], Row]:
    fields = recognize(names, INVENTORY_COLUMNS, path)
    return lambda row: {field: row[name] for field, name in fields.items()}


def _json_object(line: str) -> Row | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _check_fields(path: Path, fields: Mapping[str, str]) -> None:
    if "arn" not in fields and not {"id", "account", "region"} <= fields.keys():
        raise InvalidInput(
            f"{path}: no column names the resources; expected arn, or id, account and region"
        )
    if "type" not in fields:
        raise InvalidInput(f"{path}: no column for the instance type; expected type")
