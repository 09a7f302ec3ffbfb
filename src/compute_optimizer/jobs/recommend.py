"""Recommend: read back what the current runs say, over accounts, Regions and resource types."""

from collections import Counter
from collections.abc import Collection, Iterator

from sqlalchemy import Connection

from compute_optimizer.model.recommendation import IdleRecommendation, Recommendation
from compute_optimizer.resources import idleness, type_named
from compute_optimizer.resources.resource_type import ResourceType
from compute_optimizer.store.analysis_runs import Scope, current_run, current_scopes
from compute_optimizer.store.enrollments import opted_in_accounts
from compute_optimizer.store.idle_recommendations import (
    After,
    IdleScope,
    current_runs,
    read_idle_page,
)
from compute_optimizer.store.recommendations import counted_savings, error_counts, read_page

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


def left_without(connection: Connection) -> Counter[str]:
    """Return how many resources of opted-in accounts were analyzed in vain, by the error's code."""
    found = Counter[str]()
    for scope in current_scopes(connection, opted_in_accounts(connection)):
        if run_id := current_run(connection, scope):
            found.update(error_counts(connection, run_id, scope))
    return found


def idle_by_savings(
    connection: Connection,
    accounts: Collection[str] | None = None,
    regions: Collection[str] | None = None,
    hidden: Collection[str] = (),
) -> list[IdleRecommendation]:
    """Return what is idle of every resource type but the hidden, as `by_savings`.

    What has no price comes last.
    """
    wanted = opted_in_accounts(connection)
    if accounts is not None:
        wanted &= set(accounts)
    places = {
        (scope.account_id, scope.region)
        for scope in current_scopes(connection, wanted)
        if regions is None or scope.region in regions
    }
    found = [one for place in sorted(places) for one in idle_of(connection, *place, hidden)]
    return sorted(found, key=lambda one: (-idleness.counted_savings(one), one.resource_arn))


def idle_of(
    connection: Connection, account_id: str, region: str, hidden: Collection[str] = ()
) -> Iterator[IdleRecommendation]:
    """Yield what is idle in an account and Region, of every resource type but the hidden."""
    place = IdleScope(account_id, region, current_runs(connection, account_id, region, hidden))
    after: After | None = None
    while page := read_idle_page(connection, place, limit=PAGE, after=after):
        yield from page
        after = After(idleness.counted_savings(page[-1]), page[-1].resource_arn)


def _all_of(connection: Connection, scope: Scope, kind: ResourceType) -> Iterator[Recommendation]:
    run_id = current_run(connection, scope)
    after = ""
    while run_id is not None:
        page = read_page(connection, run_id, scope, kind.recommendation, limit=PAGE, after=after)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].resource_arn
