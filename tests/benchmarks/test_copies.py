"""Copied recommendations are found, read and counted as those that the store wrote."""

from pathlib import Path

import pytest
from sqlalchemy import select

from benchmarks.page_latency import ACCOUNT, REGION, arn_of, fill
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.model.tally import Topic
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import Scope, current_run
from compute_optimizer.store.recommendations import read_page
from compute_optimizer.store.schema import recommendations
from compute_optimizer.store.search_tables import searched_recommendations
from compute_optimizer.store.summaries import current_tallies

SCOPE = Scope(ACCOUNT, REGION, "Ec2Instance")
ORIGINALS = 40


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(f"sqlite:///{tmp_path / 'state.db'}")
    made.migrate()
    return made


def test_copies_are_read_found_and_counted(state: State) -> None:
    fill(state, 3 * ORIGINALS, ORIGINALS)

    with state.reading() as connection:
        run_id = current_run(connection, SCOPE)
        assert run_id is not None
        page = read_page(connection, run_id, SCOPE, Ec2InstanceRecommendation, limit=1000)
        counted = sum(
            one.resources
            for one in current_tallies(connection)["Ec2Instance"]
            if one.topic is Topic.FINDING
        )
        searched = connection.execute(
            select(searched_recommendations.c.resource_arn)
            .where(searched_recommendations.c.idle.is_(False))
            .order_by(searched_recommendations.c.resource_arn)
        ).scalars()
        ids = select(recommendations.c.recommendation_id)
        known = [one for one in connection.execute(ids).scalars() if one]
        wanted = [arn_of(number, ORIGINALS) for number in range(3 * ORIGINALS)]
        assert [one.resource_arn for one in page] == wanted
        assert list(searched) == wanted
    assert counted == 3 * ORIGINALS
    assert len(set(known)) == len(known)
    # The last original and its two copies differ by their ARN alone.
    assert {one.name for one in page[ORIGINALS - 1 :: ORIGINALS]} == {page[ORIGINALS - 1].name}


def test_a_part_of_a_lot_is_refused(state: State) -> None:
    with pytest.raises(SystemExit, match="90 recommendations are not whole lots of 40"):
        fill(state, 90, ORIGINALS)
