"""From the rows of an inventory file to resources: CSV, JSON lines or Parquet."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import no_progress
from compute_optimizer.model.account import ACCOUNT_ID
from compute_optimizer.model.counted import counted
from compute_optimizer.model.resource import EC2_INSTANCE, Resource
from compute_optimizer.sources.files.cells import (
    MAX_TEXT,
    Row,
    RowRefused,
    required,
    tags,
    text,
)
from compute_optimizer.sources.files.columns import INVENTORY_COLUMNS, recognize
from compute_optimizer.sources.files.kinds import KINDS, InventoryKind
from compute_optimizer.sources.files.refusals import Reason, Refusals
from compute_optimizer.sources.files.tables import open_table, reading

JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")

MAX_RESOURCES = 5_000_000
"""Resources in one inventory file; split larger ones."""

REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}", re.ASCII)
ARN = re.compile(
    r"arn:aws[a-z-]*:(?P<service>[a-z0-9-]+):(?P<region>[^:]*):(?P<account>[^:]*):"
    r"(?P<kind>[^/:]+)(?P<separator>[/:])(?P<id>.+)",
    re.ASCII,
)

PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
"""Partitions of an ARN by how their Regions begin; all others lie in `aws`."""


def read_inventory(
    path: Path, opted_in: Collection[str] | None, refusals: Refusals
) -> list[Resource]:
    """Return the resources of an inventory file that belong to opted-in accounts, each ARN once.

    None takes those of all accounts. Rows that do not fit are refused with their number. Raises
    InvalidInput for a file that cannot be read or lacks a column.
    """
    found: dict[str, Resource] = {}
    for number, row in _rows(path, refusals):
        try:
            resource = resource_of(row)
            if opted_in is not None and resource.account_id not in opted_in:
                raise RowRefused(Reason.NOT_OPTED_IN, resource.account_id)
            if resource.arn in found:
                raise RowRefused(Reason.DUPLICATE_RESOURCE, resource.arn)
        except RowRefused as refused:
            refusals.add(path, number, refused.reason, refused.found)
            continue
        found[resource.arn] = resource
        if len(found) > MAX_RESOURCES:
            raise InvalidInput(
                f"{path}: more than {counted(MAX_RESOURCES, 'resources')}; split the file"
            )
    return list(found.values())


def unknown_columns(path: Path) -> frozenset[str]:
    """Return the columns of an inventory file that mean nothing; JSON lines have none to tell."""
    if path.name.casefold().endswith(JSON_SUFFIXES):
        return frozenset()
    columns = open_table(path).columns
    return frozenset(columns) - set(recognize(columns, INVENTORY_COLUMNS, path).values())


def resource_of(row: Row) -> Resource:
    """Return the resource of a row whose fields have their own names; raises RowRefused."""
    arn = _arn_parts(text(row, "arn"))
    name = _kind_name(row, arn)
    if name not in KINDS:
        raise RowRefused(Reason.RESOURCE_TYPE, name)
    kind = KINDS[name]
    account, region, resource_id = _identity(row, arn, kind)
    shared = {
        "arn": kind.whole(arn[0] if arn else _arn(account, region, kind, resource_id)),
        "account_id": account,
        "region": region,
        "resource_type": name,
        "resource_id": resource_id,
        "instance_type": text(row, "type") or kind.default_type or required(row, "type"),
        "name": text(row, "name"),
        "tags": tags(row.get("tags")),
    }
    return kind.read(row, shared)


def _kind_name(row: Row, arn: re.Match[str] | None) -> str:
    """Return the resource type that a row names or, where it names none, that its ARN tells."""
    told = next((name for name, kind in KINDS.items() if arn and _is_of(arn, kind)), None)
    return text(row, "resource_type") or told or EC2_INSTANCE


def _arn_parts(arn: str) -> re.Match[str] | None:
    parts = ARN.fullmatch(arn) if arn else None
    if arn and parts is None:
        raise RowRefused(Reason.ARN, arn)
    return parts


def _is_of(arn: re.Match[str], kind: InventoryKind) -> bool:
    told = arn["service"], arn["separator"]
    return told == (kind.service, kind.separator) and arn["kind"] in (kind.arn, *kind.also)


def _id_in(arn: re.Match[str], kind: InventoryKind) -> str:
    """Return the id in an ARN of a kind; raise RowRefused for an ARN of another one."""
    named = kind.named.fullmatch(arn["id"]) if kind.named else arn
    if named is None or not _is_of(arn, kind):
        raise RowRefused(Reason.ARN, arn[0])
    return kind.short(named["id"])


def _identity(row: Row, arn: re.Match[str] | None, kind: InventoryKind) -> tuple[str, str, str]:
    """Return account, Region and id: from the ARN where there is one, and all agreeing."""
    given = [text(row, "account"), text(row, "region"), kind.short(text(row, "id"))]
    if kind.named:
        required(row, "arn")
    if arn:
        told = [arn["account"], arn["region"], _id_in(arn, kind)]
        for one, other in zip(given, told, strict=True):
            if one and one not in (other, arn[0]):
                raise RowRefused(Reason.ARN_DIFFERS, f"{one} in {arn[0]}")
        given = told
    account, region, resource_id = given
    if not ACCOUNT_ID.fullmatch(account):
        raise RowRefused(Reason.ACCOUNT, account)
    if not REGION.fullmatch(region):
        raise RowRefused(Reason.REGION, region)
    if not kind.id.fullmatch(resource_id):
        raise RowRefused(Reason.RESOURCE_ID, resource_id)
    return account, region, resource_id


def _arn(account: str, region: str, kind: InventoryKind, resource_id: str) -> str:
    named = (name for start, name in PARTITIONS.items() if region.startswith(start))
    start = f"arn:{next(named, 'aws')}:{kind.service}:{region}:{account}"
    return f"{start}:{kind.arn}{kind.separator}{resource_id}"


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
                if number == 1 and line.lstrip().startswith("["):
                    raise _one_array(path)
                row = _json_object(line)
                if row is None:
                    if line.strip():
                        refusals.add(path, number, Reason.NOT_JSON, line.strip()[:MAX_TEXT])
                    continue
                names = tuple(row)
                if names not in known:
                    known[names] = _renaming(path, names)
                yield number, known[names](row)


def _one_array(path: Path) -> InvalidInput:
    return InvalidInput(
        f"{path}: begins with '['; expected a JSON object per line, such as "
        f"`jq -c '.[]' {path}` makes of an array"
    )


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
    if "type" not in fields and "resource_type" not in fields:
        raise InvalidInput(
            f"{path}: no column for the instance type; expected type (of a volume: gp3)"
        )
