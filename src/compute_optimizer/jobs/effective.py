"""Effective rates: from files of what was billed into the state, and into recommendations."""

from collections.abc import Sequence
from typing import TypeVar

from compute_optimizer.catalog.effective_rates import AccountRates
from compute_optimizer.interfaces import no_progress
from compute_optimizer.model.preferences import AFTER_DISCOUNTS, Preferences
from compute_optimizer.model.recommendation import Recommendation, Results
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.resource_type import ResourceType
from compute_optimizer.sources.billing import read_billing
from compute_optimizer.sources.files.tables import ReadProgress
from compute_optimizer.store import State
from compute_optimizer.store.billed_usage import BilledGroup, billed_groups, replace_usage

R = TypeVar("R", bound=Recommendation)


def after_discounts(
    kind: ResourceType,
    found: Results[R],
    resources: Sequence[Resource],
    rates: AccountRates,
    preferences: Preferences,
) -> Results[R]:
    """Return the results with savings at effective rates, where they are known and asked for."""
    asked = preferences.savings_estimation_mode == AFTER_DISCOUNTS
    if kind.discounted is None or not rates.products or not asked:
        return found
    return kind.discounted(found, resources, rates)


def import_billing(
    state: State, places: Sequence[str], progress: ReadProgress = no_progress
) -> list[BilledGroup]:
    """Take in what was billed, in the place of whatever was known of the same accounts.

    Raises InvalidInput for what is no bill; then nothing changes.
    """
    usage = read_billing(places, progress)
    accounts = {one.account_id for one in usage}
    with state.writing() as connection:
        replace_usage(connection, usage)
        return [one for one in billed_groups(connection) if one.account_id in accounts]
