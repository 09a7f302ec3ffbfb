"""Instance types that EC2 described, as the state keeps them: one description for each Region."""

from collections.abc import Sequence
from datetime import date

import msgspec
from sqlalchemy import Connection, delete, insert, select

from compute_optimizer.catalog import InstanceTypes, load_instance_types
from compute_optimizer.catalog.described_types import OwnFigures, unshipped, with_described
from compute_optimizer.model.described_type import DescribedType
from compute_optimizer.store.own_prices import own_prices
from compute_optimizer.store.schema import described_types as table


def keep_types(connection: Connection, types: Sequence[DescribedType]) -> list[DescribedType]:
    """Store those that the package does not ship, and return them; former descriptions go."""
    kept = list({(one.name, one.region): one for one in unshipped(types)}.values())
    for one in kept:
        former = table.c.name == one.name, table.c.region == one.region
        connection.execute(delete(table).where(*former))
    if kept:
        connection.execute(insert(table), [_row(one) for one in kept])
    return kept


def remove_types(connection: Connection) -> int:
    """Remove all of them and return how many there were."""
    return connection.execute(delete(table)).rowcount


def described_types(connection: Connection) -> tuple[DescribedType, ...]:
    """Return every one, ordered by name and Region; those of a former version, too."""
    rows = connection.execute(select(table).order_by(table.c.name, table.c.region)).mappings()
    return tuple(
        DescribedType(
            row["name"],
            row["region"],
            row["date"],
            tuple(msgspec.json.decode(row["body"], type=dict[str, float | None]).items()),
        )
        for row in rows
    )


def own_figures(connection: Connection, day: date) -> OwnFigures:
    """Return what counts on a day before, and beside, what the package ships."""
    return OwnFigures(own_prices(connection, day), described_types(connection))


def instance_types(connection: Connection) -> InstanceTypes:
    """Return the catalog of instance types with those that were described, at shipped prices."""
    return with_described(load_instance_types(), described_types(connection))


def _row(one: DescribedType) -> dict[str, object]:
    return {
        "name": one.name,
        "region": one.region,
        "date": one.date,
        "body": msgspec.json.encode(dict(one.figures)),
    }
