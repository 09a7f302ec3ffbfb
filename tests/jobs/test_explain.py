"""An explanation shows the figures of the very recommendation that readers see."""

from datetime import UTC, date, datetime, timedelta

import pytest

from compute_optimizer.errors import InvalidInput, NotFound
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.explain import compare, explain
from compute_optimizer.jobs.recommend import by_savings
from compute_optimizer.model.metrics import Window
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, START, Desk, opt_in
from tests.records import arn
from tests.stored_fleets import BUSY, LAST_DAY, QUIET, store_fleet

MIDNIGHT = datetime(2026, 3, 15, tzinfo=UTC)


@pytest.fixture
def desk(sqlite_state: State, tiles: TileStore) -> Desk:
    """An account with three machines: too large, too small, and just right."""
    desk = opt_in(sqlite_state, ALPHA)
    store_fleet(sqlite_state, tiles, ALPHA, cpu=(QUIET, BUSY, 70.0))
    return desk


def test_every_recommendation_is_explained_by_its_own_figures(desk: Desk, tiles: TileStore) -> None:
    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT, workers=1)
    with desk.state.reading() as connection:
        found = by_savings(connection)

    assert len(found) == 3
    for one in found:
        assert isinstance(one, Ec2InstanceRecommendation)
        told = explain(desk.state, tiles, desk.clock, one.resource_arn)
        assert told.as_of == one.last_refresh == MIDNIGHT
        assert told.finding == one.finding.value
        assert told.finding_reason_codes == one.finding_reason_codes
        assert told.idle == one.idle
        ranked = {
            (pool, rank): evidence.instance_type
            for evidence in told.considered
            for pool, rank in evidence.ranks.items()
        }
        assert ranked == {(o.architecture_pool, o.rank): o.instance_type for o in one.options}


def test_before_the_first_analysis_the_present_is_explained(desk: Desk, tiles: TileStore) -> None:
    told = explain(desk.state, tiles, desk.clock, arn(0, ALPHA))

    assert told.as_of == START
    # The day of the clock itself, and the 13 before.
    assert told.window == Window(date(2026, 3, 2), date(2026, 3, 15))


def test_another_moment_may_be_asked_for_and_later_samples_are_not_looked_at(
    desk: Desk, tiles: TileStore
) -> None:
    store_fleet(desk.state, tiles, ALPHA, cpu=(BUSY, BUSY, BUSY), days=2)

    def finding(as_of: datetime) -> str:
        return explain(desk.state, tiles, desk.clock, arn(0, ALPHA), as_of=as_of).finding

    assert finding(MIDNIGHT) == "Underprovisioned"
    assert finding(MIDNIGHT - timedelta(days=2)) == "Overprovisioned"


def test_a_resource_without_a_recommendation_is_explained_by_its_error(
    desk: Desk, tiles: TileStore
) -> None:
    early = datetime(LAST_DAY.year - 1, 1, 1, tzinfo=UTC)

    told = explain(desk.state, tiles, desk.clock, arn(0, ALPHA), as_of=early)

    assert told.finding == "INSUFFICIENT_METRIC_DATA"
    assert told.considered == ()


def test_what_the_inventory_does_not_have_is_not_found(desk: Desk, tiles: TileStore) -> None:
    with pytest.raises(NotFound, match="i-nobody"):
        explain(desk.state, tiles, desk.clock, "i-nobody")


def test_the_future_is_not_explained(desk: Desk, tiles: TileStore) -> None:
    later = START + timedelta(seconds=1)

    with pytest.raises(InvalidInput, match="expected a moment"):
        explain(desk.state, tiles, desk.clock, arn(0, ALPHA), as_of=later)


def test_both_sides_of_a_comparison_are_what_explain_says_of_them(
    desk: Desk, tiles: TileStore
) -> None:
    store_fleet(desk.state, tiles, ALPHA, cpu=(BUSY, BUSY, BUSY), days=2)
    noon = MIDNIGHT - timedelta(days=1, hours=12)

    found = compare(desk.state, tiles, desk.clock, arn(0, ALPHA), as_of=MIDNIGHT, against=noon)

    for side in (found.before, found.after):
        told = explain(desk.state, tiles, desk.clock, arn(0, ALPHA), as_of=side.as_of)
        assert (side.dimensions, side.history) == (told.dimensions, told.history)
        assert side.answer.finding == told.finding
    # A day and a half of the second level, of which the earlier moment knew half a day.
    assert (found.before.as_of, found.after.as_of) == (noon, MIDNIGHT)


def test_a_comparison_without_a_moment_takes_that_of_the_current_run(
    desk: Desk, tiles: TileStore
) -> None:
    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT, workers=1)
    earlier = MIDNIGHT - timedelta(days=3)

    found = compare(desk.state, tiles, desk.clock, arn(0, ALPHA), as_of=None, against=earlier)

    assert (found.before.as_of, found.after.as_of) == (earlier, MIDNIGHT)


def test_the_same_moment_or_a_future_one_is_not_compared(desk: Desk, tiles: TileStore) -> None:
    def compared(as_of: datetime, against: datetime) -> None:
        compare(desk.state, tiles, desk.clock, arn(0, ALPHA), as_of=as_of, against=against)

    with pytest.raises(InvalidInput, match="two that differ"):
        compared(MIDNIGHT, MIDNIGHT)
    with pytest.raises(InvalidInput, match="expected a moment"):
        compared(MIDNIGHT, START + timedelta(days=1))


def test_samples_that_came_after_the_analysis_are_told(desk: Desk, tiles: TileStore) -> None:
    def told(as_of: datetime | None = None) -> dict[str, tuple[str, str]] | None:
        found = explain(desk.state, tiles, desk.clock, arn(0, ALPHA), as_of=as_of).departures
        return None if found is None else {one.fact: (one.stored, one.now) for one in found}

    assert told() is None  # nothing is stored before the first analysis
    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT, workers=1)
    assert told() == {}
    store_fleet(desk.state, tiles, ALPHA, cpu=(BUSY, BUSY, BUSY), days=2)

    later = told()
    assert later is not None
    assert later["finding"] == ("Overprovisioned", "Underprovisioned")
    # 10 and 95 % of 4 vCPUs.
    assert later["CPU demand"] == ("0.4", "3.8")
    assert told(MIDNIGHT - timedelta(days=1)) is None
