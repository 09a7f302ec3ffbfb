"""The console of a small demo, served by a process of its own, and a browser to open it in.

Runs in the environment `.venv-browser` (make test-browser), which holds what the program needs at
run time and Playwright; the browser is the machine's own Chromium.
"""

import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.decided import decide
from tests.browser.visits import CHROMIUM, PROGRAM, environment, served
from tests.lacking import lacking

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.register_assert_rewrite("tests.browser.checks")

collect_ignore_glob = [] if find_spec("playwright") else ["test_*.py"]


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's data: generated, imported and analyzed."""
    folder = tmp_path_factory.mktemp("console") / "demo"
    command = [*PROGRAM, "demo", "--no-serve", "--data-dir", str(folder)]
    done = subprocess.run(command, env=environment(folder), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def url(data_dir: Path) -> Iterator[str]:
    """Where the console answers, with auth off."""
    with served(data_dir, "off") as address:
        yield address


@pytest.fixture(scope="session")
def decided(data_dir: Path) -> str:
    """Something in every state that people and the inventory bring about; the id of the applied."""
    return decide(data_dir)


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """The machine's Chromium."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    if path is None:
        reason = "needs the program chromium, as Debian's package of that name installs it"
        lacking(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=[*CHROMIUM])
        yield chromium
        chromium.close()
