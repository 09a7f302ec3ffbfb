"""Add to a running emulator what a test states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from compute_optimizer.emulator.rosters import write_strangers
from compute_optimizer.emulator.seeding import Place, leaves_work, seed, wants_analysis
from compute_optimizer.emulator.state import FixedRecommendations
from compute_optimizer.emulator.state_file import Stated, records_of
from compute_optimizer.store.tiles import TileStore

if TYPE_CHECKING:
    from compute_optimizer.emulator.running import Emulator


def put(running: Emulator, stated: Stated, *, analyze: bool) -> list[str]:
    """Write what is stated, analyze it, and return the ARNs of the resources in their order."""
    records = records_of(stated)
    application = running.application
    # Nothing of an emulator outlives it, so nobody waits for the disk.
    tiles = TileStore(running.tiles.root, durable=False)
    place = Place(application.state, tiles, running.clock, running.account_id)
    fixed = [one for one in records if isinstance(one, FixedRecommendations)]
    owners = [running.fixed.put(one.operation, one.recommendations) for one in fixed]
    arns = seed(place, records, frozenset().union(*owners))
    if leaves_work(records):
        running.due.ask()
    if analyze and wants_analysis(place, records):
        running.analyze()
    return arns


def put_fixed(
    running: Emulator,
    operation: str,
    recommendations: Sequence[Any],
    account_id: str | None,
    region: str | None,
) -> None:
    """Keep fixed recommendations, and opt their accounts in if nobody has said anything of them."""
    owners = running.fixed.put(operation, recommendations, account_id, region)
    clock = running.clock
    with running.application.state.writing() as connection:
        write_strangers(connection, owners, clock.now())
