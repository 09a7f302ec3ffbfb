"""What the worker does when a day has begun: analyze again what is there."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from compute_optimizer.errors import InvalidInput
from compute_optimizer.store import inventory
from compute_optimizer.store.enrollments import opted_in_accounts

if TYPE_CHECKING:
    from compute_optimizer.emulator.running import Emulator

log = logging.getLogger(__name__)


def analyze_day(running: Emulator) -> None:
    """Analyze every opted-in account, as the worker does every day.

    Where no sample at all lies in the look-back period the worker's job fails and the former
    recommendations stand; so they do here.
    """
    with running.application.state.reading() as connection:
        if not (opted_in_accounts(connection) and inventory.shards(connection)):
            return
    try:
        running.analyze()
    except InvalidInput as error:
        log.warning("the recommendations stand as they are: %s", error)
