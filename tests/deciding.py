"""A fleet that was analyzed, and people who decide on what is advised for it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

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
