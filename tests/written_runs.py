"""Runs written by hand, and what readers see of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    IdleRecommendation,
    Recommendation,
    RecommendationError,
)
from compute_optimizer.store import State, analysis_runs
from compute_optimizer.store import recommendations as store
from compute_optimizer.store.analysis_runs import Scope
from compute_optimizer.store.recommendations import Selection
from tests.enrolling import MANAGEMENT, Desk
from tests.records import ACCOUNT, NOW, REGION, arn, recommendation

SCOPE = Scope(ACCOUNT, REGION, "Ec2Instance")
ELSEWHERE = Scope(ACCOUNT, "eu-west-1", "Ec2Instance")
LATER = NOW + timedelta(hours=5)
INSUFFICIENT = RecommendationError(arn(900), "INSUFFICIENT_METRIC_DATA", "Too few samples.")


def store_run(
    state: State,
    scope: Scope,
    found: Sequence[Recommendation],
    errors: Sequence[RecommendationError] = (),
    *,
    idle: Sequence[IdleRecommendation] = (),
    now: datetime = NOW,
) -> str:
    """Make what was found the current recommendations of a scope, and return the run."""
    with state.writing() as connection:
        run_id = analysis_runs.begin_run(connection, now, now)
        analysis_runs.write_result(connection, run_id, scope, found, errors, idle=idle, now=now)
        analysis_runs.complete_run(connection, run_id, [scope], now)
    return run_id


def publish(
    desk: Desk,
    found: Sequence[Recommendation],
    errors: Sequence[RecommendationError] = (),
    *,
    resource_type: str,
    account: str = MANAGEMENT,
    idle: Sequence[IdleRecommendation] = (),
) -> None:
    """Make what was found the current recommendations of an account, as of the desk's clock."""
    scope = Scope(account, REGION, resource_type)
    store_run(desk.state, scope, found, errors, idle=idle, now=desk.clock.now())


def write_run(state: State, *numbers: int, scope: Scope = SCOPE, complete: bool = True) -> str:
    with state.writing() as connection:
        run_id = analysis_runs.begin_run(connection, NOW, NOW)
    with state.writing() as connection:
        found = [recommendation(number) for number in numbers]
        analysis_runs.write_result(connection, run_id, scope, found, [INSUFFICIENT], now=NOW)
    if complete:
        with state.writing() as connection:
            analysis_runs.complete_run(connection, run_id, [scope], NOW)
    return run_id


def page(
    state: State,
    run_id: str,
    *,
    limit: int = 100,
    after: str = "",
    selection: Selection = store.EVERYTHING,
) -> list[Ec2InstanceRecommendation]:
    with state.reading() as connection:
        return store.read_page(
            connection,
            run_id,
            SCOPE,
            Ec2InstanceRecommendation,
            limit=limit,
            after=after,
            selection=selection,
        )


def numbers_of(found: list[Ec2InstanceRecommendation]) -> list[int]:
    return [int(one.resource_arn.rpartition("i-")[2], 16) for one in found]


def current(state: State, scope: Scope = SCOPE) -> str | None:
    with state.reading() as connection:
        return analysis_runs.current_run(connection, scope)
