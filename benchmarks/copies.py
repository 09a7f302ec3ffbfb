"""Makes many stored recommendations of few, in the database: rows of the same shape under ARNs of
their own. A million take a fifth of the time in which the store would write them one by one.

Such rows are called generated wherever they are measured.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from compute_optimizer.store import State
from compute_optimizer.store.packed_bodies import packed, unpacked
from compute_optimizer.store.schema import (
    idle_recommendations,
    recommendations,
    run_summaries,
)
from compute_optimizer.store.search_tables import (
    facet_holders,
    idle_facet_holders,
    searched_recommendations,
)

PLACE_DIGITS = 4
"""Hexadecimal digits at the end of an ARN that stay."""

COPY_DIGITS = 13
"""Those in front of them, which tell copies apart."""

DIGITS = COPY_DIGITS + PLACE_DIGITS
"""As many as ids of EC2 instances have."""

_OLD = f"substr(resource_arn, -{DIGITS})"
_NEW = f"(printf('%0{COPY_DIGITS}x', :copy) || substr(resource_arn, -{PLACE_DIGITS}))"

CHANGED: Mapping[str, str] = {
    "resource_arn": f"substr(resource_arn, 1, length(resource_arn) - {DIGITS}) || {_NEW}",
    "resource_id": f"replace(resource_id, {_OLD}, {_NEW})",
    "facets": f"replace(facets, {_OLD}, {_NEW})",
    "words": f"replace(words, {_OLD}, {_NEW})",
    "body": f"body_of_copy(body, {_OLD}, {_NEW})",
    "recommendation_id": "printf('%06x', :copy) || substr(recommendation_id, 7)",
    # The ARNs of a part begin alike, up to a digit that stays.
    "beginning": f"replace(beginning, '-{'0' * COPY_DIGITS}', printf('-%0{COPY_DIGITS}x', :copy))",
    "part": "printf('%06x', :copy) || substr(part, 7)",
}
"""What a copy has of its own, by column, in SQLite's words; everything else is the same."""

TABLES = (
    recommendations,
    idle_recommendations,
    searched_recommendations,
    facet_holders,
    idle_facet_holders,
    run_summaries,
)
"""All that hold rows of a run."""


def arn_ending(number: int, originals: int) -> str:
    """Return the last digits of the ARN of a generated resource; higher numbers follow."""
    copy, place = divmod(number, originals)
    return f"{copy:0{COPY_DIGITS}x}{place:0{PLACE_DIGITS}x}"


def copy_run(state: State, run_id: str, copies: int) -> None:
    """Write so many copies of all that a run has, one in a transaction (SQLite).

    ARNs must end in DIGITS hexadecimal digits, of which only the last PLACE_DIGITS are not zero.
    """
    with state.writing() as connection:
        for table in TABLES:
            # Kept apart, so that a copy need not be told from those before it.
            connection.execute(
                text(f"CREATE TABLE original_{table} AS SELECT * FROM {table} WHERE run_id = :run"),
                {"run": run_id},
            )
    for copy in range(1, copies + 1):
        with state.writing() as connection:
            driver: Any = connection.connection.driver_connection
            driver.create_function("body_of_copy", 3, _body_of_copy)
            for table in TABLES:
                names = [column.name for column in table.columns]
                values = ", ".join(CHANGED.get(name, name) for name in names)
                connection.execute(
                    text(
                        f"INSERT INTO {table} ({', '.join(names)}) "
                        f"SELECT {values} FROM original_{table}"
                    ),
                    {"copy": copy},
                )
    with state.writing() as connection:
        for table in TABLES:
            connection.execute(text(f"DROP TABLE original_{table}"))


def _body_of_copy(body: bytes, old: str, new: str) -> bytes:
    return packed(unpacked(body).replace(old.encode(), new.encode()))
