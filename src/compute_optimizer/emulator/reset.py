"""Emptying a running emulator, so that the tests of another language can share one."""

import shutil

from sqlalchemy import delete

from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.store.schema import metadata, sealing_keys


def reset(running: Emulator) -> None:
    """Forget accounts, resources, metrics, exports, faults and calls, and set the clock back.

    What is left is an account that was never enrolled, whatever the emulator started with. Page
    tokens of before stay readable and are refused: what they continue is gone.
    """
    running.faults.clear()
    with running.application.state.writing() as connection:
        for table in reversed(metadata.sorted_tables):
            if table is not sealing_keys:
                connection.execute(delete(table))
    settings = running.application.settings
    for folder in (settings.tiles_dir, settings.export_dir):
        shutil.rmtree(folder, ignore_errors=True)
    running.clock.restart()
    running.due.forget()
    running.fixed.clear()
    running.calls.clear()
    running.strict.comparisons.clear()
