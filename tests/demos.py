"""Demos that a run of tests prepares once, however many processes it has: to be copied."""

import fcntl
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from compute_optimizer.app import opened
from compute_optimizer.cli.demo import prepare
from compute_optimizer.cli.output import settings_for
from compute_optimizer.interfaces import Clock, SystemClock
from compute_optimizer.jobs.demo import claim_folder
from tests.records import NOW, FixedClock

PREPARED_AT = NOW + timedelta(hours=1)

SIZE = 100
"""Instances: enough for every account of the demo to have some of most types."""

SMALL = 12
"""Instances where only the demo's parts matter, and not what is recommended."""

Make = Callable[[Path], None]


def prepare_in(folder: Path, clock: Clock, size: int) -> None:
    """Do the demo's main job in a folder."""
    claim_folder(folder)
    with opened(settings_for(folder, auth="off"), clock) as application:
        prepare(application, size)


@pytest.fixture(scope="session")
def kept_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo of SIZE instances that was prepared at PREPARED_AT."""
    return _made_once(
        tmp_path_factory,
        "kept-demo",
        lambda folder: prepare_in(folder, FixedClock(PREPARED_AT), SIZE),
    )


@pytest.fixture(scope="session")
def demo_of_today(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a SMALL demo that was prepared just now, for processes with a real clock."""
    return _made_once(
        tmp_path_factory, "demo-of-today", lambda folder: prepare_in(folder, SystemClock(), SMALL)
    )


def _made_once(folders: pytest.TempPathFactory, name: str, make: Make) -> Path:
    """Return a folder that the first of all processes makes while the others wait for it."""
    place = folders.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent  # The run's; each process has a folder in it.
    folder, done = place / name, place / f"{name}.done"
    with (place / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make(folder)
            done.touch()
    return folder
