"""Recommend: read back what the current runs say, over accounts, Regions and resource types."""

from collections.abc import Collection, Iterator

from sqlalchemy import Connection

from compute_optimizer.model.recommendation import Recommendation
from compute_optimizer.resources import ResourceType, type_named
from compute_optimizer.store.enrollments import opted_in_accounts
from compute_optimizer.store.recommendations import (
    Scope,
    counted_savings,
    current_run,
    current_scopes,
    read_page,
)

PAGE = 1_000
"""Recommendations read at once."""


def by_savings(
    connection: Connection,
    accounts: Collection[str] | None = None,
    regions: Collection[str] | None = None,
    resource_types: Collection[str] | None = None,
) -> list[Recommendation]:
    """Return the recommendations of opted-in accounts, the largest savings first.

    `accounts`, `regions` and `resource_types` restrict them; None takes all.
    """
    wanted = opted_in_accounts(connection)
    if accounts is not None:
        wanted &= set(accounts)
    scopes = (
        (scope, kind)
        for scope in sorted(current_scopes(connection, wanted))
        if (kind := type_named(scope.resource_type))
        and (regions is None or scope.region in regions)
        and (resource_types is None or kind.name in resource_types)
    )
    found = [one for scope, kind in scopes for one in _all_of(connection, scope, kind)]
    return sorted(found, key=lambda one: (-counted_savings(one), one.resource_arn))


def _all_of(connection: Connection, scope: Scope, kind: ResourceType) -> Iterator[Recommendation]:
    run_id = current_run(connection, scope)
    after = ""
    while run_id is not None:
        page = read_page(connection, run_id, scope, kind.recommendation, limit=PAGE, after=after)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].resource_arn
