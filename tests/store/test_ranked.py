"""Runs on SQLite and on a real PostgreSQL: recommendations of many scopes in one order."""

from dataclasses import replace

import pytest
from sqlalchemy import inspect

from compute_optimizer.model.recommendation import Finding
from compute_optimizer.store import State
from compute_optimizer.store import recommendations as store
from compute_optimizer.store.ranked import After, Order, Ranked, Wanted, read_ranked
from compute_optimizer.store.recommendations import Scope, Selection
from tests.records import ACCOUNT, NOW, REGION, arn, option, recommendation
from tests.revisions import back_to

HERE = Scope(ACCOUNT, REGION, "Ec2Instance")
THERE = Scope("333333333333", REGION, "Ec2Instance")

SAVINGS = {HERE: {1: 10.0, 2: 30.0, 3: 0.0, 4: 0.0}, THERE: {5: 20.0, 6: 30.0, 7: 0.0}}
"""Monthly USD by number, in two scopes; two tie at 30 and three at 0."""

DESCENDING = [2, 6, 5, 1, 4, 3, 7]
"""Of equal savings the scope that comes first, and in it the later ARN."""

ORDERED = {
    Order.SAVINGS_DESCENDING: DESCENDING,
    Order.SAVINGS: [3, 4, 7, 1, 5, 2, 6],
    Order.ARN: [1, 2, 3, 4, 5, 6, 7],
    Order.ARN_DESCENDING: [7, 6, 5, 4, 3, 2, 1],
}


@pytest.fixture
def written(state: State) -> State:
    with state.writing() as connection:
        run_id = store.begin_run(connection, NOW, NOW)
        for scope, savings in SAVINGS.items():
            found = [
                recommendation(
                    number,
                    account_id=scope.account_id,
                    finding=Finding.OVER_PROVISIONED if usd else Finding.OPTIMIZED,
                    options=(option("m5.large", usd),) if usd else (),
                )
                for number, usd in savings.items()
            ]
            store.write_result(connection, run_id, scope, found, [], now=NOW)
        store.complete_run(connection, run_id, list(SAVINGS), NOW)
    return state


def read(state: State, wanted: Wanted, limit: int = 100) -> list[Ranked]:
    with state.reading() as connection:
        return read_ranked(connection, wanted, limit)


def numbers_of(found: list[Ranked]) -> list[int]:
    return [int(one.arn.rpartition("i-")[2], 16) for one in found]


@pytest.mark.parametrize("order", Order)
def test_rows_of_all_scopes_come_in_one_order(written: State, order: Order) -> None:
    found = read(written, Wanted((HERE, THERE), order))

    assert numbers_of(found) == ORDERED[order]


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_hold_every_row_once(written: State, order: Order, size: int) -> None:
    wanted, numbers = Wanted((HERE, THERE), order), []
    while page := read(written, wanted, size):
        numbers += numbers_of(page)
        last = page[-1]
        wanted = replace(wanted, after=After(last.savings, last.scope, last.arn))

    assert numbers == ORDERED[order]


def test_findings_and_what_bodies_contain_select(written: State) -> None:
    saving = Selection(findings=frozenset({"Overprovisioned"}))
    even = [f'"{arn(number, "333333333333")}"'.encode() for number in (6,)]

    assert numbers_of(read(written, Wanted((HERE, THERE), selection=saving))) == [2, 6, 5, 1]
    found = read(written, Wanted((HERE, THERE), contains=lambda body: even[0] in body), 1)
    assert numbers_of(found) == [6]


def test_filters_that_look_at_facets_select(written: State) -> None:
    nobody = Selection(matches=lambda facets: facets.finding == "Optimized")

    assert numbers_of(read(written, Wanted((HERE, THERE), selection=nobody), 2)) == [4, 3]


def test_listed_arns_select(written: State) -> None:
    listed = Selection(arns=(arn(1),))

    assert numbers_of(read(written, Wanted((HERE,), selection=listed))) == [1]


def test_a_scope_without_a_current_run_has_no_rows(written: State) -> None:
    elsewhere = Scope(ACCOUNT, "eu-west-1", "Ec2Instance")

    assert read(written, Wanted((elsewhere,))) == []


def test_the_largest_savings_are_read_by_the_index(sqlite_state: State) -> None:
    # PostgreSQL plans by its statistics, which an empty table does not have.
    query = (
        "EXPLAIN QUERY PLAN SELECT resource_arn FROM recommendations WHERE run_id = 'r' AND "
        "account_id = 'a' AND region = 'b' AND resource_type = 'c' "
        "ORDER BY monthly_savings_usd DESC, resource_arn DESC LIMIT 50"
    )
    with sqlite_state.reading() as connection:
        plan = " ".join(str(row[-1]) for row in connection.exec_driver_sql(query))

    assert "ix_recommendations_savings" in plan
    assert "TEMP B-TREE" not in plan


def test_a_state_of_the_revision_before_gets_the_index(written: State) -> None:
    with written.writing() as connection:
        back_to(connection, "0009")

    written.migrate()

    with written.reading() as connection:
        indexes = {one["name"] for one in inspect(connection).get_indexes("recommendations")}
    assert "ix_recommendations_savings" in indexes
    assert numbers_of(read(written, Wanted((HERE, THERE)))) == DESCENDING
