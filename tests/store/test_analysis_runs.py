"""Runs on SQLite and on a real PostgreSQL: which of them readers see, and when."""

from datetime import timedelta

import pytest

from compute_optimizer.errors import Conflict
from compute_optimizer.store import State, analysis_runs
from compute_optimizer.store import recommendations as store
from compute_optimizer.store.schema import metadata
from tests.records import ACCOUNT, NOW, recommendation
from tests.written_runs import (
    ELSEWHERE,
    INSUFFICIENT,
    LATER,
    SCOPE,
    current,
    numbers_of,
    page,
    write_run,
)


def test_a_run_is_invisible_until_it_is_complete(state: State) -> None:
    write_run(state, 1, complete=False)
    assert current(state) is None


def test_what_a_run_writes_is_kept_by_run_and_not_among_all_that_others_wrote() -> None:
    # A key in no order, such as an id, would fall on as many pages as there are, run after run.
    first = {
        (table.name, next(iter(key)).name)
        for table in metadata.sorted_tables
        for key in (table.primary_key.columns, *(one.columns for one in table.indexes))
        if "run_id" in table.c
    }

    assert ("recommendations", "run_id") in first
    assert {one for one in first if one[1] != "run_id"} == {
        # Moments come one after the other, and scopes are few.
        ("forecasts", "as_of"),
        ("run_scopes", "account_id"),
        ("runs", "completed_at"),
        ("scores", "as_of"),
    }


def test_a_complete_run_becomes_the_current_one_of_its_scopes_only(state: State) -> None:
    run_id = write_run(state, 1)
    assert current(state) == run_id
    assert current(state, ELSEWHERE) is None


def test_a_newer_run_supersedes_the_former_one_which_stays_readable_for_a_day(
    state: State,
) -> None:
    first, second = write_run(state, 1, 2), write_run(state, 2)
    assert current(state) == second
    assert numbers_of(page(state, first)) == [1, 2]
    with state.reading() as connection:
        assert analysis_runs.is_readable(connection, first, SCOPE, NOW + timedelta(days=1))
        assert not analysis_runs.is_readable(
            connection, first, SCOPE, NOW + timedelta(days=1, seconds=1)
        )
        assert analysis_runs.is_readable(connection, second, SCOPE, NOW + timedelta(days=99))


def test_a_run_of_one_scope_leaves_the_other_scopes_alone(state: State) -> None:
    first = write_run(state, 1)
    write_run(state, 2, scope=ELSEWHERE)
    assert current(state) == first


def test_an_analyzed_scope_without_resources_is_superseded_by_emptiness(state: State) -> None:
    write_run(state, 1)
    with state.writing() as connection:
        run_id = analysis_runs.begin_run(connection, NOW, NOW)
        analysis_runs.complete_run(connection, run_id, [SCOPE], NOW)
    assert current(state) == run_id
    assert page(state, run_id) == []


def test_pruning_removes_what_was_superseded_over_a_day_ago_and_nothing_else(
    state: State,
) -> None:
    first, second = write_run(state, 1), write_run(state, 2)
    with state.writing() as connection:
        analysis_runs.prune_runs(connection, NOW + timedelta(days=1))
    assert numbers_of(page(state, first)) == [1]
    with state.writing() as connection:
        analysis_runs.prune_runs(connection, NOW + timedelta(days=1, seconds=1))
    assert page(state, first) == []
    assert numbers_of(page(state, second)) == [2]
    with state.reading() as connection:
        assert store.read_errors(connection, first, SCOPE) == []
        assert store.read_errors(connection, second, SCOPE) == [INSUFFICIENT]


def test_pruning_keeps_the_other_scopes_of_a_partly_superseded_run(state: State) -> None:
    with state.writing() as connection:
        both = analysis_runs.begin_run(connection, NOW, NOW)
        for scope in (SCOPE, ELSEWHERE):
            analysis_runs.write_result(connection, both, scope, [recommendation(1)], [], now=NOW)
        analysis_runs.complete_run(connection, both, [SCOPE, ELSEWHERE], NOW)
    write_run(state, 2, scope=ELSEWHERE)
    with state.writing() as connection:
        analysis_runs.prune_runs(connection, NOW + timedelta(days=2))
    assert current(state) == both
    assert numbers_of(page(state, both)) == [1]


def test_pruning_leaves_a_run_that_is_being_written_alone(state: State) -> None:
    run_id = write_run(state, 1, complete=False)
    with state.writing() as connection:
        analysis_runs.prune_runs(connection, NOW + analysis_runs.ABANDONED_AFTER)
        analysis_runs.complete_run(connection, run_id, [SCOPE], NOW)
    assert current(state) == run_id


def test_every_written_shard_shows_that_its_run_is_alive(state: State) -> None:
    run_id = write_run(state, 1, complete=False)
    almost = NOW + analysis_runs.ABANDONED_AFTER
    with state.writing() as connection:
        analysis_runs.write_result(connection, run_id, SCOPE, [recommendation(2)], [], now=almost)
        analysis_runs.prune_runs(connection, almost + analysis_runs.ABANDONED_AFTER)
        analysis_runs.complete_run(connection, run_id, [SCOPE], almost)
    assert numbers_of(page(state, run_id)) == [1, 2]


def test_a_run_that_was_given_up_is_removed_and_can_neither_be_written_nor_completed(
    state: State,
) -> None:
    run_id = write_run(state, 1, complete=False)
    with state.writing() as connection:
        analysis_runs.prune_runs(
            connection, NOW + analysis_runs.ABANDONED_AFTER + timedelta(seconds=1)
        )
    assert page(state, run_id) == []
    with pytest.raises(Conflict, match="given up"), state.writing() as connection:
        analysis_runs.write_result(connection, run_id, SCOPE, [recommendation(2)], [], now=LATER)
    with pytest.raises(Conflict, match="given up"), state.writing() as connection:
        analysis_runs.complete_run(connection, run_id, [SCOPE], LATER)
    assert current(state) is None


def test_current_scopes_are_those_of_the_given_accounts(state: State) -> None:
    write_run(state, 1)
    with state.reading() as connection:
        assert analysis_runs.current_scopes(connection, {ACCOUNT}) == {SCOPE}
        assert analysis_runs.current_scopes(connection, {"333333333333"}) == set()
