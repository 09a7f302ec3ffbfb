"""Fixtures that every room of the tests may use."""

import atexit
import gc
import os
from collections.abc import Generator, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import settings

from compute_optimizer.store import sqlite
from tests.lacking import lacking

pytest_plugins = [
    "pytester",
    "tests.buckets",
    "tests.calling",
    "tests.commands",
    "tests.deciding",
    "tests.demos",
    "tests.local_aws",
    "tests.local_ministack",
    "tests.states",
    "tests.sts",
]

# How long an example takes is a matter of the machine and of what else it does.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

REPOSITORY = Path(__file__).parents[1]

FIRST = REPOSITORY / "tests" / "jobs" / "test_on_ray.py"
"""Tests that share a cluster, which takes long to start. Processes of pytest that take tests from
each other share out what is left at the end: each of them would start a cluster for the last few.
"""


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Look for garbage in what tests make, and not in what was read for them.

    Modules and tests are half a million objects that stay: looking through them was a fifth of the
    processor time of reading them, and goes on afterwards.
    """
    gc.disable()
    try:
        _import_own_share_first(session.config)
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        # Or libraries warn at Python's end that what it left alone was never freed. Not before:
        # pytest looks for garbage several times when it ends.
        atexit.register(gc.unfreeze)


def _import_own_share_first(config: pytest.Config) -> None:
    """Import the modules of tests in an order of its own, where several processes do so at once.

    All of them read all modules, and in a new clone whoever comes first rewrites what a module
    asserts and keeps that for the others: in one order they would rewrite each module together.
    """
    worker = getattr(config, "workerinput", None)
    if worker is None:
        return
    given = (Path(one.partition("::")[0]) for one in config.args)
    modules = sorted(file.resolve() for one in given for file in one.rglob("test_*.py"))
    first = len(modules) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
    for file in modules[first:] + modules[:first]:
        # What cannot be imported, or is to be skipped, is told of when it is collected.
        with suppress(Exception, pytest.skip.Exception):
            import_module(".".join(file.relative_to(REPOSITORY).with_suffix("").parts))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests of one module, so that one process has all of them."""
    items.sort(key=lambda item: item.path != FIRST)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """Look for garbage when a module of tests ends, and no more in what stays after it.

    Else each look goes through all that was ever imported or kept for other tests. The last one
    does, for what was kept and not closed; it is here, where warnings are errors.
    """
    try:
        return (yield)
    finally:
        if nextitem is None:
            gc.unfreeze()
        if nextitem is None or nextitem.path != item.path:
            gc.collect()
            gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def without_waiting_for_the_disk() -> Iterator[None]:
    """Let nothing outlive a power failure, as the databases of tests: each tile waits for the disk.

    What a killed process wrote is there all the same.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        patch.setattr(sqlite, "PRAGMAS", (*sqlite.PRAGMAS, "synchronous=OFF"))
        yield


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real traces and figures beside the checkout.

    It is no part of the repository: a user's clone skips what needs it, the project's own checks
    (CI=true) must not.
    """
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        reason = "needs the folder ../shared (real traces and figures), which is not in a clone"
        lacking(reason)
    return folder
