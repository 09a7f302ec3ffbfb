"""From a generated bill to the answers of the service, by the savings estimation mode."""

from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.effective import import_billing
from compute_optimizer.store import State
from compute_optimizer.store.billed_usage import billed_groups, effective_rates
from compute_optimizer.store.tiles import TileStore
from tests.bills import cur, planned, write_bill
from tests.enrolling import ALPHA, BETA, Desk
from tests.stored_fleets import store_fleet

PRICE = 0.192
"""USD an hour of a m5.xlarge with Linux in us-east-1 (AWS Price List, 2026)."""


def bill(folder: Path, name: str, *lines: dict[str, str]) -> str:
    """Write a bill and return its path."""
    return str(write_bill(folder / name, lines))


@pytest.fixture
def desk(sqlite_state: State, tmp_path: Path) -> Desk:
    """An account with a quiet machine, and a bill: a Savings Plan pays 3 of 4 USD for it."""
    found = Desk(sqlite_state, tiles=TileStore(tmp_path / "tiles"))
    found.opt_in(ALPHA)
    found.settle()
    store_fleet(sqlite_state, found.tiles, ALPHA)
    listed = 100 * PRICE
    paid = planned("BoxUsage:m5.xlarge", 100, listed, listed * 0.75)
    import_billing(sqlite_state, [bill(tmp_path, "bill.csv", paid)])
    return found


def answer(desk: Desk) -> tuple[str, dict[str, Any]]:
    """Analyze, and return the source and the first option of what the service answers."""
    analyze(desk.state, desk.tiles, desk.clock)
    (one,) = desk.call("GetEC2InstanceRecommendations", ALPHA)["instanceRecommendations"]
    source = one["effectiveRecommendationPreferences"]["savingsEstimationMode"]["source"]
    return source, one["recommendationOptions"][0]


def money(option: dict[str, Any], after: str = "") -> float:
    found: float = option[f"savingsOpportunity{after}"]["estimatedMonthlySavings"]["value"]
    return found


def test_the_mode_decides_whether_bills_count_from_the_next_analysis_on(desk: Desk) -> None:
    source, option = answer(desk)

    # The plan pays three quarters of list for whatever runs, so the savings are as much less.
    assert source == "CostOptimizationHub"
    assert money(option) > 0
    assert money(option, "AfterDiscounts") == pytest.approx(money(option) * 0.75)

    mode = {"resourceType": "Ec2Instance", "savingsEstimationMode": "BeforeDiscounts"}
    desk.call("PutRecommendationPreferences", ALPHA, **mode)
    source, option = answer(desk)

    assert source == "PublicPricing"
    assert option["savingsOpportunityAfterDiscounts"] == option["savingsOpportunity"]


def test_without_a_bill_both_savings_are_those_at_list_prices(desk: Desk, tmp_path: Path) -> None:
    others = [cur("BoxUsage:m5.xlarge", 1, 1, 0.5, line_item_usage_account_id=BETA)]
    import_billing(desk.state, [bill(tmp_path, "other.csv", *others)])
    only_databases = cur("InstanceUsage:db.m5.large", 1, 1, 0.5)
    only_databases["line_item_operation"] = "CreateDBInstance:0002"
    import_billing(desk.state, [bill(tmp_path, "databases.csv", only_databases)])

    source, option = answer(desk)

    # The account's last bill, which replaced the one before, has databases only.
    assert source == "PublicPricing"
    assert option["savingsOpportunityAfterDiscounts"] == option["savingsOpportunity"]


def test_an_import_replaces_what_was_known_of_its_accounts_only(
    state: State, tmp_path: Path
) -> None:
    both = [
        cur("BoxUsage:m5.large", 10, 10, 9),
        cur("BoxUsage:c5.large", 20, 20, 18),
        cur("BoxUsage:m5.large", 30, 30, 24, line_item_usage_account_id=BETA),
    ]
    import_billing(state, [bill(tmp_path, "both.csv", *both)])
    ours = cur("BoxUsage:m5.large", 10, 10, 5)

    (told,) = import_billing(state, [bill(tmp_path, "ours.csv", ours)])

    with state.reading() as connection:
        groups = billed_groups(connection)
        rates = effective_rates(connection)
    assert told == groups[0]
    assert [(g.account_id, g.rates, g.billed.list_usd) for g in groups] == [
        (ALPHA, 1, 10),
        (BETA, 1, 30),
    ]
    assert (rates[ALPHA].factor("ec2"), rates[BETA].factor("ec2")) == (0.5, 0.8)
