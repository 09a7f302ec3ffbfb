"""Add to a running emulator what a test states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from compute_optimizer.emulator.fixed import owners_of, read
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
    placed = [
        one
        for record in records
        if isinstance(record, FixedRecommendations)
        for one in read(record.operation, record.recommendations)
    ]
    arns = seed(place, records, owners_of(placed))
    running.fixed.keep(placed)
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
    placed = read(operation, recommendations, account_id, region)
    with running.application.state.writing() as connection:
        write_strangers(connection, owners_of(placed), running.clock.now())
    running.fixed.keep(placed)
