"""The command `scores`."""

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from compute_optimizer.model.forecast import Counted, Score
from compute_optimizer.store import State
from compute_optimizer.store.forecasts import save_score
from tests.cli.conftest import Type
from tests.enrolling import START

SCORE = Score(
    run_id="run-1",
    as_of=START,
    scored_at=START,
    machines=12,
    judged=10,
    unseen=1,
    changed=1,
    gone=0,
    every=Counted(30, 2.25, 3, (1.0, 8.0), 0.08),
    first=Counted(10, 0.75, 1, (0.2, 4.0), 0.09),
    reliability=({"from": 0.0, "to": 0.1, "options": 30, "observed": 0.1},),
)


@pytest.fixture
def scored(tmp_path: Path) -> None:
    with closing(State(f"sqlite:///{tmp_path / 'state.db'}")) as state:
        state.migrate()
        with state.writing() as connection:
            save_score(connection, SCORE)


@pytest.mark.usefixtures("scored")
def test_people_see_what_was_expected_beside_what_came(typed: Type) -> None:
    ended = typed("scores")

    assert ended.code == 0
    (row,) = (line for line in ended.out.splitlines() if "2026-03-15 06:30" in line)
    cells = [cell.strip() for cell in row.strip("│ ").split("│")]
    assert cells[1:6] == ["12", "10", "30", "2.2", "3 (1 to 8)"]
    assert cells[6:] == ["10", "0.8", "1 (0 to 4)"]


@pytest.mark.usefixtures("scored")
def test_a_table_ends_at_its_limit_and_says_so_while_programs_get_all(
    typed: Type, tmp_path: Path
) -> None:
    with closing(State(f"sqlite:///{tmp_path / 'state.db'}")) as state, state.writing() as written:
        save_score(written, replace(SCORE, run_id="run-2"))

    assert "And 1 more: --limit 0 shows all of them." in typed("scores", "--limit", "1").out
    assert len(json.loads(typed("scores", "--limit", "1", "--output", "json").out)) == 2


@pytest.mark.usefixtures("scored")
def test_programs_get_everything(typed: Type) -> None:
    (found,) = json.loads(typed("scores", "--output", "json").out)

    assert (found["runId"], found["asOf"]) == ("run-1", "2026-03-15T06:30:00+00:00")
    assert found["everyOption"] == {
        "options": 30,
        "expected": 2.25,
        "observed": 3,
        "interval": [1.0, 8.0],
        "brier": 0.08,
    }
    assert found["reliability"][0]["options"] == 30


def test_before_the_first_score_it_says_when_there_will_be_one(typed: Type) -> None:
    assert "14 days after the worker's first analysis" in typed("scores").out
