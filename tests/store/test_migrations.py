"""Migrations of databases that are filled: from every earlier revision, on both kinds."""

from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select, text, update

from compute_optimizer.store import State
from compute_optimizer.store.packed_bodies import MARK
from compute_optimizer.store.schema import metadata, recommendations
from compute_optimizer.store.search_tables import facet_holders
from tests.every_table import fill_every_table
from tests.revisions import ADDED, WIDENED, arn_columns, back_to
from tests.states import FreshUrl

REVISIONS = ("0001", *sorted(ADDED), "0020", "0022", "0023", "0024")
"""All but the newest."""

FILLED_ANEW = (facet_holders,)
"""Tables whose rows revision 0021 makes of others."""

LATER_COLUMNS = frozenset(
    (table.name, name) for widened in WIDENED.values() for table, names in widened for name in names
)


def older_rows(connection: Connection, revision: str) -> dict[str, list[str]]:
    """Return the rows of the tables of a revision, without the columns that came later."""
    later = {table.name for added, tables in ADDED.items() if added > revision for table in tables}
    found = {}
    for table in metadata.sorted_tables:
        if table.name not in later and table not in FILLED_ANEW:
            columns = [one for one in table.c if (table.name, one.name) not in LATER_COLUMNS]
            found[table.name] = sorted(map(repr, connection.execute(select(*columns))))
    return found


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_filled_database_keeps_its_rows_and_gets_the_newest_schema(
    state: State, revision: str
) -> None:
    with state.writing() as connection:
        fill_every_table(connection)
        back_to(connection, revision)
        before = older_rows(connection, revision)

    state.migrate()

    with state.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert older_rows(connection, revision) == before
    assert sum(map(len, before.values())) > 0


PACKED_AGAIN = text("SELECT pg_column_size(body) < octet_length(body) FROM recommendations")


def test_postgresql_packs_no_body_again_also_after_a_migration(
    fresh_postgresql: FreshUrl,
) -> None:
    # Packed already, as far as its mark tells, and of a kind that could well be packed again.
    body = MARK + b"0" * 4_096
    with closing(State(fresh_postgresql())) as state:
        with state.writing() as connection:
            fill_every_table(connection)
            connection.execute(update(recommendations).values(body=body))
            assert not any(connection.execute(PACKED_AGAIN).scalars())
            back_to(connection, "0023")
            connection.execute(update(recommendations).values(body=MARK))
            connection.execute(update(recommendations).values(body=body))
            assert any(connection.execute(PACKED_AGAIN).scalars())

        state.migrate()

        with state.writing() as connection:
            # Rows that are there stay, and what is written from here on is as it is made.
            assert any(connection.execute(PACKED_AGAIN).scalars())
            connection.execute(update(recommendations).values(body=MARK))
            connection.execute(update(recommendations).values(body=body))
            assert not any(connection.execute(PACKED_AGAIN).scalars())


COLLATIONS = text(
    "SELECT table_name, column_name, collation_name FROM information_schema.columns"
    " WHERE table_schema = 'public' AND column_name IN ('arn', 'resource_arn')"
)


def test_postgresql_orders_every_arn_by_its_bytes_also_after_a_migration(
    fresh_postgresql: FreshUrl,
) -> None:
    with closing(State(fresh_postgresql())) as state:
        with state.writing() as connection:
            created = collations(connection)
            fill_every_table(connection)
            back_to(connection, "0019")
            assert set(collations(connection).values()) == {None}

        state.migrate()

        with state.reading() as connection:
            assert collations(connection) == created
    assert created == {(one.table.name, one.name): "C" for one in arn_columns()}


def collations(connection: Connection) -> dict[tuple[str, str], str | None]:
    """Return how columns of ARNs are ordered; None for the locale of the database."""
    found = connection.execute(COLLATIONS)
    return {(table, column): collation for table, column, collation in found}
