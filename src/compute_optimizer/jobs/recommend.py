"""Recommend: read back what the current runs say, over accounts and Regions."""

from collections.abc import Collection, Iterator

from sqlalchemy import Connection

from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.model.resource import EC2_INSTANCE
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
) -> list[Ec2InstanceRecommendation]:
    """Return the recommendations of opted-in accounts, the largest savings first.

    `accounts` and `regions` restrict them; None takes all.
    """
    wanted = opted_in_accounts(connection)
    if accounts is not None:
        wanted &= set(accounts)
    scopes = (
        scope
        for scope in sorted(current_scopes(connection, wanted))
        if scope.resource_type == EC2_INSTANCE and (regions is None or scope.region in regions)
    )
    found = [one for scope in scopes for one in _all_of(connection, scope)]
    return sorted(found, key=lambda one: (-counted_savings(one), one.resource_arn))


def _all_of(connection: Connection, scope: Scope) -> Iterator[Ec2InstanceRecommendation]:
    run_id = current_run(connection, scope)
    after = ""
    while run_id is not None:
        page = read_page(
            connection, run_id, scope, Ec2InstanceRecommendation, limit=PAGE, after=after
        )
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].resource_arn
