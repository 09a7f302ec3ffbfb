"""Tables that are looked through in the order in which they are named.

SQLite takes every table for equally long as long as nobody analyzed them, and may go through all
recommendations of all runs to look for the scope of each. It keeps to the order of a CROSS JOIN
(sqlite.org/optoverview.html), for which SQLAlchemy has no word.
"""

from functools import reduce
from typing import Any

from sqlalchemy import FromClause, Join, true
from sqlalchemy.ext.compiler import compiles


class _CrossJoin(Join):
    inherit_cache = True


@compiles(_CrossJoin)
def _spelled(join: _CrossJoin, compiler: Any, **options: Any) -> str:
    left, right = (compiler.process(one, **options) for one in (join.left, join.right))
    return f"{left} CROSS JOIN {right}"


def in_order(*tables: FromClause) -> FromClause:
    """Return tables whose rows are put together, to be joined by the conditions of a query."""
    return reduce(lambda left, right: _CrossJoin(left, right, true()), tables)
