"""The inventory: which resources exist, and which shard each of them lives in.

A shard is the unit of storage and of analysis. A resource gets its shard once and keeps it, so that
its tiles stay where they are.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from compute_optimizer.errors import InvalidInput, NotFound
from compute_optimizer.model.resource import Resource, ShardKey
from compute_optimizer.resources import RESOURCE_TYPES, type_named
from compute_optimizer.resources.resource_type import KeptWith
from compute_optimizer.store.schema import resources

SHARD_RESOURCES = 4096
"""Resources in one shard: 14 days of six metrics fit in 400 MB, and a file stays near 15 MB."""

Scope = tuple[str, str, str]
"""Account, Region and resource type: what the shards of one series have in common."""

# Tags may be a mapping that msgspec does not know; sorted keys make equal resources equal bytes.
_ENCODER = msgspec.json.Encoder(enc_hook=dict, order="sorted")
_DECODERS = {kind.name: msgspec.json.Decoder(kind.resource) for kind in RESOURCE_TYPES}


@dataclass(frozen=True, slots=True)
class UpsertCounts:
    """What an upsert did to the inventory."""

    added: int
    changed: int
    unchanged: int
    changed_arns: tuple[str, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one resource of the inventory lives."""

    arn: str
    resource_id: str
    key: ShardKey


def shards(connection: Connection, accounts: Collection[str] | None = None) -> list[ShardKey]:
    """Return every shard, or those of the given accounts, in order."""
    return list(shard_sizes(connection, accounts))


def shard_sizes(
    connection: Connection, accounts: Collection[str] | None = None
) -> dict[ShardKey, int]:
    """Return how many resources every shard has, or those of the given accounts, in order."""
    columns = (
        resources.c.account_id,
        resources.c.region,
        resources.c.resource_type,
        resources.c.shard,
    )
    rows = connection.execute(select(*columns, func.count()).group_by(*columns))
    sizes = {ShardKey(*key): size for *key, size in rows}
    wanted = (key for key in sizes if accounts is None or key.account_id in accounts)
    return {key: sizes[key] for key in sorted(wanted, key=_shard_order)}


def analyzed_sizes(
    connection: Connection, accounts: Collection[str] | None = None
) -> dict[ShardKey, int]:
    """Return the same with the shards of types that are kept with another type.

    Those take a look at every resource of that type, so who needs them asks for them.
    """
    sizes = shard_sizes(connection, accounts)
    for kind in RESOURCE_TYPES:
        if kind.kept_with is not None:
            sizes |= _sizes_within(connection, kind.name, kind.kept_with, sizes)
    return {key: sizes[key] for key in sorted(sizes, key=_shard_order)}


def kept_key(key: ShardKey) -> ShardKey:
    """Return the shard in which inventory and tiles keep the resources of a shard."""
    kind = type_named(key.resource_type)
    if kind is None or kind.kept_with is None:
        return key
    return replace(key, resource_type=kind.kept_with.name)


def resources_of(connection: Connection, key: ShardKey) -> list[Resource]:
    """Return the resources of one shard, ordered by ARN."""
    # Sorted here because databases order text each by their own collation.
    rows = connection.execute(select(resources.c.body).where(*_held(connection, key)))
    decode = _DECODERS[key.resource_type].decode
    return sorted((decode(body) for (body,) in rows), key=lambda found: found.arn)


def arns_of(connection: Connection, key: ShardKey) -> tuple[str, ...]:
    """Return the ARNs of one shard in the order of `resources_of`."""
    rows = connection.execute(select(resources.c.arn).where(*_held(connection, key)))
    return tuple(sorted(arn for (arn,) in rows))


def find_resource(connection: Connection, arn_or_id: str) -> Resource:
    """Return the resource with that ARN or id.

    Raises NotFound, or InvalidInput when several resources share the id.
    """
    body, key = _find(connection, arn_or_id)
    return _DECODERS[key.resource_type].decode(body)


def shard_of(connection: Connection, arn_or_id: str) -> ShardKey:
    """Return the shard of the resource with that ARN or id; raises as `find_resource`."""
    return _find(connection, arn_or_id)[1]


def placements(connection: Connection) -> list[Placement]:
    """Return where every resource of the inventory lives, ordered by ARN."""
    rows = connection.execute(
        select(
            resources.c.arn,
            resources.c.resource_id,
            resources.c.account_id,
            resources.c.region,
            resources.c.resource_type,
            resources.c.shard,
        )
    )
    found = (Placement(arn, resource_id, ShardKey(*key)) for arn, resource_id, *key in rows)
    return sorted(found, key=lambda placement: placement.arn)


def place(connection: Connection, wanted: Iterable[Resource]) -> dict[str, ShardKey]:
    """Return the shard of every given resource by ARN: the one it has, or the first with room."""
    result: dict[str, ShardKey] = {}
    for scope, group in _by_scope(wanted).items():
        known = {row.arn: row.shard for row in _rows_of(connection, scope)}
        sizes = Counter(known.values())
        open_shard = 0
        for arn in sorted({resource.arn for resource in group}):
            if arn not in known:
                while sizes[open_shard] >= SHARD_RESOURCES:
                    open_shard += 1
                known[arn] = open_shard
                sizes[open_shard] += 1
            result[arn] = ShardKey(*scope, known[arn])
    return result


def upsert_resources(connection: Connection, wanted: Sequence[Resource]) -> UpsertCounts:
    """Add the new resources and replace the changed ones; a resource keeps its shard.

    An ARN must not occur twice in `wanted`.
    """
    stored: dict[str, bytes] = {}
    for scope in _by_scope(wanted):
        stored |= {row.arn: row.body for row in _rows_of(connection, scope)}
    keys = place(connection, wanted)
    bodies = {resource.arn: _ENCODER.encode(resource) for resource in wanted}
    added = [_record(r, keys[r.arn], bodies[r.arn]) for r in wanted if r.arn not in stored]
    changed = [
        {"row_arn": arn, "new_body": body}
        for arn, body in bodies.items()
        if arn in stored and stored[arn] != body
    ]
    if added:
        connection.execute(insert(resources), added)
    if changed:
        statement = update(resources).where(resources.c.arn == bindparam("row_arn"))
        connection.execute(statement.values(body=bindparam("new_body")), changed)
    arns = tuple(str(one["row_arn"]) for one in changed)
    unchanged = len(bodies) - len(added) - len(changed)
    return UpsertCounts(len(added), len(changed), unchanged, arns)


def resources_named(connection: Connection, arns: Sequence[str]) -> dict[str, Resource]:
    """Return those of at most 1,000 resources that the inventory has, with all that is known."""
    return {arn: resource for arn, (_, resource) in places_named(connection, arns).items()}


def places_named(
    connection: Connection, arns: Sequence[str]
) -> dict[str, tuple[ShardKey, Resource]]:
    """Return the same with the shard of each."""
    rows = connection.execute(select(resources).where(resources.c.arn.in_(arns)))
    return {
        row.arn: (
            ShardKey(row.account_id, row.region, row.resource_type, row.shard),
            _DECODERS[_fullest(row.resource_type, row.body)].decode(row.body),
        )
        for row in rows
    }


def remove_others(connection: Connection, scope: Scope, kept: Collection[str]) -> list[str]:
    """Remove the resources of a scope whose ARNs are not among those kept; return theirs.

    Their samples stay in the tiles, where nobody asks for them any more.
    """
    gone = [row.arn for row in _rows_of(connection, scope) if row.arn not in kept]
    if gone:
        statement = delete(resources).where(resources.c.arn == bindparam("row_arn"))
        connection.execute(statement, [{"row_arn": arn} for arn in gone])
    return gone


def remove_resources_of(connection: Connection, account_id: str) -> int:
    """Remove every resource of one account and return how many there were."""
    return connection.execute(
        delete(resources).where(resources.c.account_id == account_id)
    ).rowcount


def _sizes_within(
    connection: Connection, name: str, kept: KeptWith, sizes: Mapping[ShardKey, int]
) -> dict[ShardKey, int]:
    """Return how many resources of the type the shards of the other one have."""
    accounts = {key.account_id for key in sizes}
    columns = (resources.c.account_id, resources.c.region, resources.c.shard)
    query = (
        select(*columns, func.count())
        .where(resources.c.resource_type == kept.name, _contains(connection, kept.mark))
        .group_by(*columns)
    )
    return {
        ShardKey(account_id, region, name, shard): size
        for account_id, region, shard, size in connection.execute(query)
        if account_id in accounts
    }


def _contains(connection: Connection, mark: str) -> ColumnElement[bool]:
    """Return the condition that a body contains some characters."""
    body = resources.c.body
    if connection.dialect.name == "sqlite":
        return func.instr(body, mark.encode()) > 0
    return func.strpos(func.convert_from(body, "UTF8"), mark) > 0


def _fullest(name: str, body: bytes) -> str:
    """Return the type that reads most of a stored resource: one kept with it, where it is there."""
    also = (
        kind.name
        for kind in RESOURCE_TYPES
        if kind.kept_with and kind.kept_with.name == name and kind.kept_with.mark.encode() in body
    )
    return next(also, name)


def _find(connection: Connection, arn_or_id: str) -> tuple[bytes, ShardKey]:
    named = or_(resources.c.arn == arn_or_id, resources.c.resource_id == arn_or_id)
    rows = connection.execute(select(resources).where(named).limit(2)).all()
    if not rows:
        raise NotFound(
            f"no resource {arn_or_id!r} in the inventory; "
            "expected an ARN or id that `compute-optimizer import --inventory` brought in"
        )
    if len(rows) > 1:
        raise InvalidInput(f"several resources have the id {arn_or_id!r}; give the ARN instead")
    row = rows[0]
    return row.body, ShardKey(row.account_id, row.region, row.resource_type, row.shard)


def _held(connection: Connection, key: ShardKey) -> tuple[Any, ...]:
    """Return the conditions of the rows that a shard consists of."""
    kind = type_named(key.resource_type)
    if kind is None or kind.kept_with is None:
        return _in_shard(key)
    return (*_in_shard(kept_key(key)), _contains(connection, kind.kept_with.mark))


def _in_shard(key: ShardKey) -> tuple[Any, ...]:
    scope = (key.account_id, key.region, key.resource_type)
    return (*_in_scope(scope), resources.c.shard == key.shard)


def _in_scope(scope: Scope) -> tuple[Any, ...]:
    account_id, region, resource_type = scope
    return (
        resources.c.account_id == account_id,
        resources.c.region == region,
        resources.c.resource_type == resource_type,
    )


def _rows_of(connection: Connection, scope: Scope) -> Sequence[Row[str, int, bytes]]:
    columns = select(resources.c.arn, resources.c.shard, resources.c.body)
    return connection.execute(columns.where(*_in_scope(scope))).all()


def _by_scope(wanted: Iterable[Resource]) -> Mapping[Scope, list[Resource]]:
    groups: dict[Scope, list[Resource]] = defaultdict(list)
    for resource in wanted:
        groups[(resource.account_id, resource.region, resource.resource_type)].append(resource)
    return groups


def _record(resource: Resource, key: ShardKey, body: bytes) -> dict[str, Any]:
    return {
        "arn": resource.arn,
        "account_id": key.account_id,
        "region": key.region,
        "resource_type": key.resource_type,
        "resource_id": resource.resource_id,
        "shard": key.shard,
        "body": body,
    }


def _shard_order(key: ShardKey) -> tuple[str, str, str, int]:
    return (key.account_id, key.region, key.resource_type, key.shard)
