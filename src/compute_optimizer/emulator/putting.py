"""Add to a running emulator what a test states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from compute_optimizer.emulator.seeding import Place, leaves_work, seed, wants_analysis
from compute_optimizer.emulator.state_file import Stated, records_of

if TYPE_CHECKING:
    from compute_optimizer.emulator.running import Emulator


def put(running: Emulator, stated: Sequence[Stated], *, analyze: bool) -> list[str]:
    """Write what is stated, analyze it, and return the ARNs of the resources in their order."""
    records = [record for one in stated for record in records_of(one)]
    application = running.application
    place = Place(application.state, running.tiles, running.clock, running.account_id)
    arns = seed(place, records)
    if leaves_work(records):
        running.due.ask()
    if analyze and wants_analysis(place, records):
        running.analyze()
    return arns
