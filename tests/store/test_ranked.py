"""Runs on SQLite and on a real PostgreSQL: recommendations of many scopes in one order."""

from dataclasses import replace

import msgspec
import pytest
from sqlalchemy import inspect, select

from compute_optimizer.model.recommendation import Ec2InstanceRecommendation, Finding
from compute_optimizer.resources.advice import advice_id
from compute_optimizer.store import State, analysis_runs
from compute_optimizer.store.analysis_runs import Scope
from compute_optimizer.store.ranked import Advising, After, Order, Ranked, Wanted, read_ranked
from compute_optimizer.store.recommendations import Selection
from compute_optimizer.store.search_tables import searched_recommendations
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
        run_id = analysis_runs.begin_run(connection, NOW, NOW)
        for scope, savings in SAVINGS.items():
            found = [
                recommendation(
                    number,
                    account_id=scope.account_id,
                    name=f"web-{number}",
                    tags={"Owner": "100% Straße" if number == 3 else f"Team {number}"},
                    finding=Finding.OVER_PROVISIONED if usd else Finding.OPTIMIZED,
                    options=(option("m5.large", usd),) if usd else (),
                )
                for number, usd in savings.items()
            ]
            analysis_runs.write_result(connection, run_id, scope, found, [], now=NOW)
        analysis_runs.complete_run(connection, run_id, list(SAVINGS), NOW)
    return state


def read(state: State, wanted: Wanted, limit: int = 100) -> list[Ranked]:
    with state.reading() as connection:
        return read_ranked(connection, wanted, limit)


def recommendation_of(one: Ranked) -> Ec2InstanceRecommendation:
    return msgspec.json.decode(one.body, type=Ec2InstanceRecommendation)


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


def test_findings_select(written: State) -> None:
    saving = Selection(findings=frozenset({"Overprovisioned"}))

    assert numbers_of(read(written, Wanted((HERE, THERE), selection=saving))) == [2, 6, 5, 1]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (arn(6, "333333333333"), [6]),
        # Names, keys and values of tags are searched whatever their case.
        ("WEB-2", [2]),
        ("owner", [2, 6, 5, 1, 4, 3, 7]),
        ("tEaM 4", [4]),
        # Signs that mean something to the database mean nothing here.
        ("web_2", []),
        ("%", [3]),
        ("100% Straße", [3]),
        ("STRASSE", [3]),
        ("nothing has this", []),
        # No word goes on in the next one.
        ("web-2\narn", []),
        ("x" * 100_000, []),
    ],
)
def test_a_text_is_found_in_names_arns_and_tags(
    written: State, text: str, numbers: list[int]
) -> None:
    assert numbers_of(read(written, Wanted((HERE, THERE), text=text))) == numbers


def test_a_text_and_other_conditions_hold_together(written: State) -> None:
    saving = Selection(findings=frozenset({"Overprovisioned"}))

    assert numbers_of(read(written, Wanted((HERE,), text="owner", selection=saving))) == [2, 1]
    pages = Wanted((HERE, THERE), Order.SAVINGS, text="owner")
    assert numbers_of(read(written, pages, 3)) == [3, 4, 7]
    last = read(written, pages, 3)[-1]
    following = replace(pages, after=After(last.savings, last.scope, last.arn))
    assert numbers_of(read(written, following)) == [1, 5, 2, 6]


def test_advice_is_found_by_its_id_or_by_being_another(written: State) -> None:
    everything = Wanted((HERE, THERE))
    advised = {
        number: advice_id(recommendation_of(one))
        for one in read(written, everything)
        if (number := numbers_of([one])[0]) in (1, 2, 5, 6)
    }
    decided = frozenset(str(advised[number]) for number in (2, 5))

    assert numbers_of(read(written, replace(everything, advising=Advising(decided)))) == [2, 5]
    others = replace(everything, advising=Advising(decided, others=True))
    # Those without an option (3, 4 and 7) advise nothing.
    assert numbers_of(read(written, others)) == [6, 1]
    assert numbers_of(read(written, replace(others, text="web-1"))) == [1]


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


def test_a_state_of_the_revision_before_is_searched_at_once(written: State) -> None:
    with written.writing() as connection:
        before = sorted(connection.execute(select(searched_recommendations)).all())
        back_to(connection, "0013")

    written.migrate()

    with written.reading() as connection:
        assert sorted(connection.execute(select(searched_recommendations)).all()) == before
    assert numbers_of(read(written, Wanted((HERE, THERE), text="strasse"))) == [3]
