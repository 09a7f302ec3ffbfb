"""A small store as a release leaves it, kept as a backup that later releases must read.

    python -m tests.fixture_store 0.1.0      writes tests/fixtures/store-0.1.0.tar.gz

Made once, by the release itself, and never again: it stands for the stores that are out there.
"""

import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from compute_optimizer.api.authorization import policy_allowing
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.backup import BackupRequest, back_up
from compute_optimizer.store import State
from compute_optimizer.store.access_keys import KeyRequest, create_access_key
from compute_optimizer.store.sealing import open_key_file
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, Desk
from tests.stored_fleets import BUSY, QUIET, store_fleet

FIXTURES = Path(__file__).parent / "fixtures"

DAYS = 3
"""More than the 30 hours that an analysis wants."""

LEVELS = (QUIET, BUSY)
"""Percent of CPU of the two machines; each is at 20 % of its memory."""

FINDINGS = ("OVER_PROVISIONED", "UNDER_PROVISIONED")
"""Of the same machines."""

KEY_NAME = "of the release"


def make(target: Path) -> None:
    """Write a store with an organization, a fleet, its recommendations, preferences and a key."""
    with TemporaryDirectory() as folder:
        data = Path(folder)
        tiles = TileStore(data / "tiles")
        with closing(State(f"sqlite:///{data / 'state.db'}")) as state:
            state.migrate()
            desk = Desk(state)
            desk.organize(ALPHA)
            desk.opt_in_all()
            desk.clock.tick()
            store_fleet(state, tiles, ALPHA, cpu=LEVELS, days=DAYS)
            _prefer(desk)
            _add_key(state, data, desk)
            analyze(state, tiles, desk.clock, workers=1)
            request = BackupRequest(target, data / "secrets.key")
            back_up(state, tiles, desk.clock, request, lambda _what, _done, _total: None)


def _prefer(desk: Desk) -> None:
    scope = {"name": "AccountId", "value": ALPHA}
    desk.call(
        "PutRecommendationPreferences",
        ALPHA,
        resourceType="Ec2Instance",
        scope=scope,
        lookBackPeriod="DAYS_14",
    )


def _add_key(state: State, data: Path, desk: Desk) -> None:
    sealer = open_key_file(data / "secrets.key", data)
    request = KeyRequest(ALPHA, KEY_NAME, policy_allowing(["*"]))
    with state.writing() as connection:
        create_access_key(connection, sealer, request, desk.clock.now())


if __name__ == "__main__":
    make(FIXTURES / f"store-{sys.argv[1]}.tar.gz")
