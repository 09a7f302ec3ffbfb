"""What current runs advise, as sums and by id."""

from pathlib import Path

import pytest
from sqlalchemy import insert, inspect, update

from compute_optimizer.jobs.decisions import decide
from compute_optimizer.model.decision import Action, Advice
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.store import State
from compute_optimizer.store.advice import (
    advised_anew,
    advised_now,
    find_current,
    savings_now,
)
from compute_optimizer.store.analysis_runs import Scope, current_run
from compute_optimizer.store.decisions import assigned_owners, save_owner
from compute_optimizer.store.schema import run_scopes
from compute_optimizer.store.search_tables import searched_recommendations
from compute_optimizer.store.tiles import TileStore
from tests.deciding import Office, office
from tests.enrolling import ALPHA, BETA
from tests.records import REGION
from tests.revisions import back_to
from tests.statements import statements_of

HERE = Scope(ALPHA, REGION, EC2_INSTANCE)


@pytest.fixture
def here(state: State, tmp_path: Path) -> Office:
    """On every database."""
    return office(state, TileStore(tmp_path / "tiles"))


def test_sums_are_of_current_runs_and_of_the_given_scopes(here: Office) -> None:
    saved = [here.advice(number).prediction.savings_monthly_usd or 0.0 for number in (0, 1)]
    # What the first analysis said is kept for a day, and does not count.
    here.analyze()

    with here.state.reading() as connection:
        number, savings = advised_now(connection, [HERE], idle=False)
        assert number == 2
        assert savings == pytest.approx(sum(saved))
        elsewhere = HERE._replace(account_id=BETA)
        assert advised_now(connection, [elsewhere], idle=False) == (0, 0.0)
        assert advised_now(connection, [HERE], idle=True) == (0, 0.0)


def test_savings_are_told_of_what_was_decided_and_is_advised_now(here: Office) -> None:
    advice, undecided = here.advice(), here.advice(1)
    _dismiss(here, advice)

    with here.state.reading() as connection:
        ids = [one.recommendation_id for one in (advice, undecided)]
        found = savings_now(connection, [*ids, f"rec-{0:020x}"])
    saved = advice.prediction.savings_monthly_usd
    assert found == {advice.recommendation_id: pytest.approx(saved)}


def test_what_a_run_said_of_a_scope_that_it_is_not_current_of_is_not_advised_now(
    here: Office,
) -> None:
    advice, table = here.advice(), run_scopes
    _dismiss(here, advice)
    name, elsewhere = advice.recommendation_id, HERE._replace(account_id=BETA)
    run = {"run_id": _current_run(here), "recommendations": 0, "errors": 0}
    with here.state.reading() as connection:
        found = find_current(connection, name)
        assert found is not None
        assert found.resource_arn == advice.resource_arn
        assert list(savings_now(connection, [name])) == [name]

    # It stays the current run of another account.
    with here.state.writing() as connection:
        connection.execute(update(table).values(superseded_at=here.desk.clock.now()))
        connection.execute(insert(table).values(**run, **elsewhere._asdict()))
        assert find_current(connection, name) is None
        assert savings_now(connection, [name]) == {}


def test_advice_is_found_by_an_index_of_each_scope(tmp_path: Path, sqlite_state: State) -> None:
    # PostgreSQL plans by its statistics, which an empty table does not have.
    here = office(sqlite_state, TileStore(tmp_path / "tiles"))
    advice, run = here.advice(), _current_run(here)
    here.analyze()
    _advise_something_else(here, advice.resource_arn)
    asked = statements_of(here.state, "SELECT")

    with here.state.reading() as connection:
        find_current(connection, "rec-else")
        savings_now(connection, ["rec-else"])
        assert advised_anew(connection, run, HERE, 5)

    key = "run_id=? AND account_id=? AND region=? AND resource_type=? AND recommendation_id=?"
    of_advice = [
        one for one in asked if "recommendations.recommendation_id" in one and "searched" not in one
    ]
    tables = ("recommendations", "idle_recommendations") * 3
    assert [_search_of(here.state, one) for one in of_advice] == [
        f"SEARCH {table} USING INDEX ix_{table}_advice ({key})" for table in tables
    ]


def _search_of(state: State, statement: str) -> str:
    """Return how SQLite looks for the recommendations of a statement."""
    values = (None,) * statement.count("?")
    with state.reading() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    (found,) = (str(step) for *_, step in plan if "recommendations " in step)
    return found


@pytest.mark.parametrize("revision", ["0022", "0024"])
def test_advice_of_an_earlier_revision_is_found_by_the_new_index(
    here: Office, revision: str
) -> None:
    advice = here.advice()
    with here.state.writing() as connection:
        back_to(connection, revision)

    here.state.migrate()

    with here.state.reading() as connection:
        found = find_current(connection, advice.recommendation_id)
        indexes = {one["name"] for one in inspect(connection).get_indexes("recommendations")}
    assert found is not None
    assert indexes == {
        "ix_recommendations_advice",
        "ix_recommendations_finding",
        "ix_recommendations_savings",
    }


def test_new_is_what_the_current_run_does_not_advise(here: Office) -> None:
    advice, run = here.advice(), _current_run(here)
    here.analyze()
    with here.state.reading() as connection:
        assert advised_anew(connection, run, HERE, 5) == (0, 0.0, [])

    _advise_something_else(here, advice.resource_arn)
    saved = advice.prediction.savings_monthly_usd
    with here.state.reading() as connection:
        count, total, ((savings, found),) = advised_anew(connection, run, HERE, 5)
    assert (count, total, savings) == (1, saved, saved)
    assert found.resource_arn == advice.resource_arn


def test_what_is_new_is_counted_beyond_what_is_shown(here: Office) -> None:
    run = _current_run(here)
    here.analyze()
    advised = [here.advice(number) for number in range(len(here.fleet))]
    for number, one in enumerate(advised):
        _advise_something_else(here, one.resource_arn, f"rec-else-{number}")

    with here.state.reading() as connection:
        count, total, shown = advised_anew(connection, run, HERE, 1)

    savings = [one.prediction.savings_monthly_usd or 0.0 for one in advised]
    assert (count, len(shown)) == (len(advised), 1)
    assert total == pytest.approx(sum(savings))
    assert shown[0][0] == max(savings)


def _dismiss(here: Office, advice: Advice) -> None:
    decide(here.state, here.desk.clock, advice.recommendation_id, Action.DISMISS, "ada", "known")


def _current_run(here: Office) -> str:
    with here.state.reading() as connection:
        return current_run(connection, HERE) or ""


def _advise_something_else(here: Office, arn: str, advice: str = "rec-else") -> None:
    table = searched_recommendations
    there = table.c.run_id == _current_run(here), table.c.resource_arn == arn
    with here.state.writing() as connection:
        connection.execute(update(table).where(*there).values(recommendation_id=advice))


def test_assigned_owners_are_those_of_the_given_accounts(here: Office) -> None:
    first, second = (one.arn for one in here.fleet)
    with here.state.writing() as connection:
        save_owner(connection, ALPHA, first, "team web")
        save_owner(connection, BETA, second, "team db")
        assert assigned_owners(connection, [ALPHA]) == {first: "team web"}
