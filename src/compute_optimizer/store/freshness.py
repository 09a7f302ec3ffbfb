"""How fresh and how complete the data is, by account, Region and resource type, and how large."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Connection, Select, Table, func, select, text

from compute_optimizer.store.analysis_runs import Scope
from compute_optimizer.store.schema import UtcDateTime, resources, run_scopes, runs, tiles
from compute_optimizer.store.tile_places import CURRENT, SUPERSEDED
from compute_optimizer.store.tiles import TileStore


@dataclass(frozen=True, slots=True)
class Freshness:
    """What is known of the data of one scope."""

    scope: Scope
    resources: int = 0
    newest_sample: datetime | None = None
    days: int = 0
    """Days with samples since the day that was asked for."""
    as_of: datetime | None = None
    """Of the current recommendations."""
    recommendations: int = 0
    errors: int = 0
    """Resources of the current run that have no recommendation."""


def freshness(connection: Connection, since: date) -> list[Freshness]:
    """Return every scope that has resources, samples or recommendations, in order."""
    found: dict[Scope, dict[str, object]] = {}
    for query in (_inventory(), _samples(), _days(since), _current_runs()):
        for row in connection.execute(query).mappings():
            scope = Scope(*(row[name] for name in Scope._fields))
            values = {name: value for name, value in row.items() if name not in Scope._fields}
            found.setdefault(scope, {}).update(values)
    return [Freshness(scope, **found[scope]) for scope in sorted(found)]  # type: ignore[arg-type]


def _inventory() -> Select[Any]:
    key = _key(resources)
    return select(*key, func.count().label("resources")).group_by(*key)


def _samples() -> Select[Any]:
    key = _key(tiles)
    newest = func.max(tiles.c.last_sample_at, type_=UtcDateTime).label("newest_sample")
    return select(*key, newest).group_by(*key)


def _days(since: date) -> Select[Any]:
    key = _key(tiles)
    days = func.count(tiles.c.day.distinct()).label("days")
    return select(*key, days).where(tiles.c.day >= since).group_by(*key)


def _current_runs() -> Select[Any]:
    told = (runs.c.as_of, run_scopes.c.recommendations, run_scopes.c.errors)
    query = select(*_key(run_scopes), *told).join(runs)
    return query.where(run_scopes.c.superseded_at.is_(None))


def _key(table: Table) -> list[Column[Any]]:
    return [table.c[name] for name in Scope._fields]


def state_bytes(connection: Connection) -> int:
    """Return the size of the state database."""
    if connection.dialect.name == "sqlite":
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        size: int = connection.execute(text("PRAGMA page_size")).scalar_one()
        return int(pages) * size
    return int(
        connection.execute(select(func.pg_database_size(func.current_database()))).scalar_one()
    )


def tile_bytes(store: TileStore) -> tuple[int, int]:
    """Return how many files the metric store has, current or superseded, and their size."""
    parts = (CURRENT, SUPERSEDED)
    sizes = [one.bytes for part in parts for one in store.place.files(part)]
    return len(sizes), sum(sizes)
