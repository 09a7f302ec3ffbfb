"""A fleet that was analyzed, and people who decide on what is advised for it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.jobs.analyze import AnalysisRun, analyze
from compute_optimizer.jobs.noticed import notice_changes
from compute_optimizer.jobs.recommend import by_savings
from compute_optimizer.model.decision import Advice
from compute_optimizer.model.event import Event
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.advice import advice_of
from compute_optimizer.store import State, inventory, outbox
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, Desk, opt_in
from tests.kept import copied, kept
from tests.stored_fleets import QUIET, store_fleet

ADA, BOB = "ada", "bob"


@dataclass
class Office:
    """The fleet, its analyses and its inventory."""

    desk: Desk
    tiles: TileStore
    fleet: list[Resource]

    @property
    def state(self) -> State:
        return self.desk.state

    def analyze(self) -> AnalysisRun:
        return analyze(self.state, self.tiles, self.desk.clock, workers=1)

    def advice(self, number: int = 0) -> Advice:
        """Return what is advised for a machine now."""
        arn = self.fleet[number].arn
        with self.state.reading() as connection:
            (found,) = (one for one in by_savings(connection) if one.resource_arn == arn)
        advice = advice_of(found)
        assert advice is not None
        return advice

    def change(self, number: int, **changes: Any) -> int:
        """Change a machine as an import brings it in; return how much advice that settles."""
        with self.state.writing() as connection:
            (now,) = inventory.resources_named(connection, [self.fleet[number].arn]).values()
            counts = inventory.upsert_resources(connection, [replace(now, **changes)])
            return notice_changes(connection, counts.changed_arns, self.desk.clock.now())

    def follow(self, number: int) -> int:
        """Do what is advised for a machine."""
        return self.change(number, instance_type=self.advice(number).advised["instanceType"])

    def events(self) -> list[Event]:
        """Return what the outbox holds that nobody has addressed."""
        with self.state.reading() as connection:
            return outbox.unaddressed(connection)

    def forget_events(self) -> None:
        """Address every event to nobody."""
        with self.state.writing() as connection:
            ids: Iterable[str] = (one.event_id for one in outbox.unaddressed(connection))
            outbox.address(connection, {one: [] for one in ids}, self.desk.clock.now())


def office(state: State, tiles: TileStore, cpu: tuple[float, ...] = (QUIET, QUIET)) -> Office:
    """Return a fleet of m5.xlarge that was analyzed just now; a quiet one is too large."""
    desk = opt_in(state, ALPHA)
    fleet = store_fleet(state, tiles, ALPHA, cpu=cpu)
    here = Office(desk, tiles, fleet)
    here.analyze()
    return here


@dataclass(frozen=True)
class KeptOffice:
    """The data folder of an office that was closed, to be copied."""

    folder: Path
    fleet: list[Resource]

    def opened_in(self, folder: Path, state: State) -> Office:
        """Return the office of a copy whose state is open."""
        return Office(Desk(state), TileStore(folder / "tiles"), list(self.fleet))


@pytest.fixture(scope="session")
def kept_office(tmp_path_factory: pytest.TempPathFactory) -> KeptOffice:
    """The office of two quiet machines."""
    folder = tmp_path_factory.mktemp("office")
    with kept(folder) as state:
        return KeptOffice(folder, office(state, TileStore(folder / "tiles")).fleet)


@pytest.fixture
def copied_office(kept_office: KeptOffice, tmp_path: Path) -> Iterator[Office]:
    """The office of two quiet machines, for one test."""
    with copied(kept_office.folder, tmp_path) as state:
        yield kept_office.opened_in(tmp_path, state)
