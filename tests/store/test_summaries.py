"""Runs on SQLite and on a real PostgreSQL: counts of the current runs and of those before them."""

from datetime import timedelta

from compute_optimizer.model.tally import Topic
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import Scope
from compute_optimizer.store.summaries import Counted, current_totals, former_totals
from tests.records import ACCOUNT, NOW, REGION, recommendation
from tests.written_runs import store_run

HERE = Scope(ACCOUNT, REGION, "Ec2Instance")
THERE = Scope(ACCOUNT, "eu-west-1", "Ec2Instance")
LATER = NOW + timedelta(hours=5)


def write(state: State, scope: Scope, count: int, hours: int = 0) -> None:
    found = [recommendation(number) for number in range(count)]
    store_run(state, scope, found, now=NOW + timedelta(hours=hours))


def found(counts: list[Counted]) -> dict[tuple[str, ...], int]:
    return {one.of: one.tally.resources for one in counts if one.tally.topic is Topic.FINDING}


def test_counts_are_told_apart_by_the_columns_that_are_asked_for(state: State) -> None:
    write(state, HERE, 2)
    write(state, THERE, 3)

    with state.reading() as connection:
        by_region = current_totals(connection, [ACCOUNT], ["region"])
        by_account = current_totals(connection, [ACCOUNT], ["account_id"])
        nobody = current_totals(connection, ["444444444444"], ["region"])
    assert found(by_region) == {(REGION,): 2, ("eu-west-1",): 3}
    assert found(by_account) == {(ACCOUNT,): 5}
    assert nobody == []


def test_the_runs_before_are_the_last_superseded_of_each_scope(state: State) -> None:
    for hours, count in ((0, 4), (1, 2), (2, 3)):
        write(state, HERE, count, hours)
    write(state, THERE, 7)

    with state.reading() as connection:
        since, counts = former_totals(connection, [ACCOUNT], ["resource_type"])
    # The first run of `HERE` was superseded twice, and `THERE` was analyzed once.
    assert since == NOW + timedelta(hours=2)
    assert found(counts) == {("Ec2Instance",): 2}


def test_without_a_run_before_there_is_nothing_to_compare_with(state: State) -> None:
    write(state, HERE, 1)

    with state.reading() as connection:
        assert former_totals(connection, [ACCOUNT], ["resource_type"]) == (None, [])
