"""What a run counted, read as totals: a shard wrote a handful of rows, a total is their sum."""

from sqlalchemy import Connection, and_, func, select

from compute_optimizer.model.tally import Tally, Topic
from compute_optimizer.store.schema import run_scopes
from compute_optimizer.store.schema import run_summaries as table


def current_tallies(
    connection: Connection, account_id: str | None = None, region: str | None = None
) -> dict[str, tuple[Tally, ...]]:
    """Return every count of the current runs, by resource type.

    `account_id` and `region` restrict them; None takes all.
    """
    given = ((run_scopes.c.account_id, account_id), (run_scopes.c.region, region))
    wanted = [column == value for column, value in given if value is not None]
    shared = ("run_id", "account_id", "region", "resource_type")
    joined = and_(*(table.c[name] == run_scopes.c[name] for name in shared))
    key = table.c.resource_type, table.c.topic, table.c.name
    sums = [
        func.sum(column)
        for column in (table.c.resources, table.c.monthly_savings_usd, table.c.monthly_usd)
    ]
    query = (
        select(*key, *sums)
        .select_from(run_scopes.join(table, joined))
        .where(*wanted, run_scopes.c.superseded_at.is_(None))
        .group_by(*key)
        .order_by(*key)
    )
    found: dict[str, list[Tally]] = {}
    for resource_type, topic, name, count, savings, cost in connection.execute(query):
        one = Tally(Topic(topic), name, int(count), savings, cost)
        found.setdefault(resource_type, []).append(one)
    return {name: tuple(tallies) for name, tallies in found.items()}
