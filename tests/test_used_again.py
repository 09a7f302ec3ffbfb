"""Databases that tests have done with: used again where they are as new, and only there."""

from contextlib import closing

import psycopg
import pytest
from sqlalchemy import text

from compute_optimizer.store import State
from tests.every_table import every_row, fill_every_table
from tests.states import Databases, FreshUrl
from tests.used_again import emptied, template_of
from tests.waiting import wait_until


def content(url: str) -> dict[str, object]:
    with closing(State(url)) as state, state.reading() as connection:
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).all()
        return {**every_row(connection), "alembic_version": revision}


def fill(url: str) -> None:
    with closing(State(url)) as state, state.writing() as connection:
        fill_every_table(connection)


def identity(url: str) -> tuple[object, object]:
    """Return the number of a database, which stays, and its name."""
    query = "SELECT oid, datname FROM pg_database WHERE datname = current_database()"
    with psycopg.connect(url) as connection:
        ((number, name),) = connection.execute(query).fetchall()
    return number, name


def test_every_row_is_taken_away_but_those_of_a_new_database(fresh_postgresql: FreshUrl) -> None:
    url = fresh_postgresql()
    new, template = content(url), template_of(url)
    fill(url)
    assert all(content(url).values())

    assert emptied(url, template)

    assert content(url) == new
    assert new["alembic_version"]


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE recommendations ADD COLUMN more integer",
        "ALTER TABLE recommendations ALTER COLUMN body SET STORAGE EXTENDED",
        "ALTER TABLE recommendations ALTER COLUMN body SET DEFAULT ''",
        "CREATE INDEX more ON recommendations (run_id)",
        "CREATE TABLE more (one integer)",
        "DROP TABLE alembic_version",
        # What the planner knows of rows that are gone.
        "ANALYZE accounts",
    ],
)
def test_a_database_in_which_more_than_rows_changed_is_not_used_again(
    fresh_postgresql: FreshUrl, statement: str
) -> None:
    url = fresh_postgresql()
    template = template_of(url)
    fill(url)
    assert emptied(url, template)
    fill(url)
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode())

    assert not emptied(url, template)


def test_a_database_is_used_again_under_another_name_once_nobody_holds_it(
    postgresql_databases: Databases, postgresql_url: str
) -> None:
    with postgresql_databases.lent() as fresh:
        former = fresh()
    number, name = identity(former)

    with psycopg.connect(former), postgresql_databases.lent() as fresh:
        assert identity(fresh())[0] != number

    with psycopg.connect(postgresql_url, autocommit=True) as server:
        held = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
        wait_until(lambda: server.execute(held, [name]).fetchone() == (0,))
    with postgresql_databases.lent() as fresh:
        found = [identity(fresh()) for _ in range(2)]
    assert number in dict(found)
    assert name not in dict(found).values()
