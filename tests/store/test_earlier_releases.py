"""A store that an earlier release left is opened, brought up to date and used by this one."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from compute_optimizer import store
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.restore import Restored, RestoreRequest, restore
from compute_optimizer.model.metrics import Window
from compute_optimizer.store import State, inventory
from compute_optimizer.store.access_keys import check_key_file, list_access_keys
from compute_optimizer.store.sealing import open_key_file
from compute_optimizer.store.state_copy import revision_of
from compute_optimizer.store.tiles import TileStore, read_samples
from tests.enrolling import ALPHA, Desk
from tests.fixture_store import DAYS, FINDINGS, FIXTURES, KEY_NAME, LEVELS, make
from tests.states import FreshUrl
from tests.stored_fleets import CPU, LAST_DAY

STORES = sorted(FIXTURES.glob("store-*.tar.gz"))


@pytest.fixture(params=STORES, ids=lambda path: path.name)
def kept(request: pytest.FixtureRequest) -> Path:
    """Each store that is kept, in turn."""
    path: Path = request.param
    return path


@pytest.fixture
def restored(kept: Path, state: State, tmp_path: Path) -> Iterator[tuple[State, Restored]]:
    """The store in a state of each kind in turn, of the newest schema."""
    request = RestoreRequest(kept, tmp_path / "secrets.key")
    found = restore(state, TileStore(tmp_path / "tiles"), request, lambda *_: None)
    yield state, found


def head() -> str:
    folder = Path(store.__file__).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    return str(ScriptDirectory.from_config(config).get_current_head())


def test_there_is_a_store_to_be_opened() -> None:
    assert STORES


def test_what_this_program_leaves_could_be_kept_as_well(
    fresh_sqlite: FreshUrl, tmp_path: Path
) -> None:
    make(tmp_path / "store.tar.gz")
    with closing(State(fresh_sqlite())) as state:
        request = RestoreRequest(tmp_path / "store.tar.gz", tmp_path / "secrets.key")
        found = restore(state, TileStore(tmp_path / "tiles"), request, lambda *_: None)

    assert (found.manifest.revision, found.tiles) == (head(), DAYS)


def test_a_store_of_an_earlier_release_is_read(
    restored: tuple[State, Restored], tmp_path: Path
) -> None:
    state, found = restored
    desk = Desk(state)

    answer = desk.call("GetEC2InstanceRecommendations", ALPHA)
    preferences = desk.call("GetRecommendationPreferences", ALPHA, resourceType="Ec2Instance")[
        "recommendationPreferencesDetails"
    ]

    assert found.manifest.revision <= head()
    assert desk.status(ALPHA)["status"] == "Active"
    assert [one["finding"] for one in answer["instanceRecommendations"]] == list(FINDINGS)
    assert [one["lookBackPeriod"] for one in preferences] == ["DAYS_14"]
    with state.reading() as connection:
        assert revision_of(connection) == head()
        assert [one.name for one in list_access_keys(connection)] == [KEY_NAME]
        check_key_file(connection, open_key_file(tmp_path / "secrets.key", tmp_path))


def test_tiles_of_an_earlier_release_are_read_and_analyzed_to_the_same_end(
    restored: tuple[State, Restored], tmp_path: Path
) -> None:
    state, _ = restored
    tiles, desk = TileStore(tmp_path / "tiles"), Desk(state)
    with state.reading() as connection:
        (key,) = inventory.shards(connection)
        samples = read_samples(connection, tiles, key, Window(LAST_DAY, LAST_DAY), [CPU])

    desk.clock.tick()
    analyze(state, tiles, desk.clock, workers=1)

    assert np.unique(samples.series[CPU]).tolist() == sorted(LEVELS)
    answer = desk.call("GetEC2InstanceRecommendations", ALPHA)
    assert [one["finding"] for one in answer["instanceRecommendations"]] == list(FINDINGS)
