"""The handles that a test has on a running emulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compute_optimizer.api.dispatch import Call
from compute_optimizer.app import Application
from compute_optimizer.emulator.calls import Calls
from compute_optimizer.emulator.clock import MovableClock
from compute_optimizer.emulator.due import Due
from compute_optimizer.emulator.fixed import FixedAnswers, owners_of, read
from compute_optimizer.emulator.injection import Faults
from compute_optimizer.emulator.strictness import Strictness
from compute_optimizer.model.preferences import PUBLISHED
from compute_optimizer.shapes import ServiceException
from compute_optimizer.store.tiles import TileStore

if TYPE_CHECKING:
    from compute_optimizer.emulator.state_file import Stated
    from compute_optimizer.jobs.analyze import AnalysisRun


@dataclass(frozen=True, slots=True)
class Emulator:
    """What a test holds of a running server."""

    url: str
    """Where the server answers, such as http://127.0.0.1:40123."""
    account_id: str
    """The account of callers whose access key id is not twelve digits."""
    clock: MovableClock
    folder: Path
    """State, tiles and exports; removed at the end."""
    application: Application
    tiles: TileStore
    due: Due
    faults: Faults
    """What goes wrong."""
    calls: Calls
    """What was called."""
    strict: Strictness
    fixed: FixedAnswers = field(default_factory=FixedAnswers)
    """Recommendations that are answered as a test gave them."""

    def analyze(self, as_of: datetime | None = None) -> AnalysisRun:
        """Compute recommendations from the metrics that are there, by the published rule.

        Raises Conflict where no account is opted in, and InvalidInput where no sample lies in the
        look-back period.
        """
        from compute_optimizer.jobs.analyze import analyze

        return analyze(
            self.application.state,
            self.tiles,
            self.clock,
            as_of=as_of,
            workers=1,
            profile=PUBLISHED,
        )

    def put(self, *stated: Stated, analyze: bool = True) -> list[str]:
        """Add what a test states to what is there, and return the ARNs of the resources.

        Given metrics, opted-in accounts are analyzed. Raises InvalidInput for what cannot be.
        """
        from compute_optimizer.emulator.seeding import World, leaves_work, seed, wants_analysis
        from compute_optimizer.emulator.state import FixedRecommendations
        from compute_optimizer.emulator.state_file import records_of

        records = records_of(stated)
        placed = [
            one
            for record in records
            if isinstance(record, FixedRecommendations)
            for one in read(record.operation, record.recommendations)
        ]
        # Nothing of an emulator outlives it, so nobody waits for the disk.
        tiles = TileStore(self.tiles.root, durable=False)
        world = World(self.application.state, tiles, self.clock, self.account_id)
        arns = seed(world, records, owners_of(placed))
        self.fixed.keep(placed)
        if leaves_work(records):
            self.due.ask()
        if analyze and wants_analysis(world, records):
            self.analyze()
        return arns

    def put_fixed(
        self,
        operation: str,
        recommendations: Sequence[Any],
        account_id: str | None = None,
        region: str | None = None,
    ) -> None:
        """Let an operation answer recommendations as they are given, in the spelling of the API.

        Account and Region are those of their ARNs. The accounts are opted in of which nobody has
        said anything. Raises InvalidInput that names the path of whatever the service could not
        send.
        """
        from compute_optimizer.emulator.rosters import write_strangers

        placed = read(operation, recommendations, account_id, region)
        with self.application.state.writing() as connection:
            write_strangers(connection, owners_of(placed), self.clock.now())
        self.fixed.keep(placed)

    def watch(self, call: Call, error: ServiceException | None) -> None:
        """Record a call that was answered."""
        self.calls.record(call, error, self.faults.take_kinds(call.request_id))

    def settle(self) -> None:
        """Do at once what waits for its time: decide enrollments, write exports."""
        self.due.run()
