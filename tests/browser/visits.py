"""A served console, and a tab of a browser in which it is visited."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.environment import without_settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / ".artifacts" / "console"
PROGRAM = (sys.executable, "-m", "compute_optimizer")

ACCOUNT = "111111111111"
"""The demo's management account, which sees its members."""

CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""So that it runs as root, in a container, and talks to nobody but the page's own server."""

START_SECONDS = 120

PATIENCE = 120_000
"""Milliseconds, far more than any page takes: two browsers share the machine."""


def environment(data_dir: Path) -> dict[str, str]:
    kept = without_settings()
    return kept | {"COMPUTE_OPTIMIZER_DATA_DIR": str(data_dir)}


@contextmanager
def served(data_dir: Path, auth: str, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve the data until the end of the block, with settings by their names; yields the URL."""
    given = {f"COMPUTE_OPTIMIZER_{name}": value for name, value in (settings or {}).items()}
    variables = environment(data_dir) | {"COMPUTE_OPTIMIZER_PORT": "0"} | given
    command = [*PROGRAM, "serve", "--auth", auth]
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://[\d.]+:\d+", line)
        assert found, line
        try:
            yield found[0]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=START_SECONDS)


@dataclass
class Visit:
    """One tab, and all that went wrong in it or left the site."""

    page: "Page"
    url: str
    problems: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Open a page of the console and wait until it is complete, its charts included."""
        # The server says in the page what its scripts have to fetch: nothing is busy before it is.
        self.page.goto(f"{self.url}/console{path}")
        self.page.wait_for_selector("[aria-busy=true]", state="detached")

    def watch(self) -> None:
        """Note errors of the console and requests to other hosts from now on."""
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("request", self._asked)

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console: {message.text}")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.url, "data:")):
            self.problems.append(f"request: {request.url}")


@contextmanager
def visiting(browser: "Browser", url: str, **options: Any) -> Iterator[Visit]:
    """Open a tab with an empty jar of cookies."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    visit = Visit(context.new_page(), url)
    visit.watch()
    try:
        yield visit
    finally:
        context.close()


def sign_in(visit: Visit, account: str = ACCOUNT) -> None:
    """Sign in where auth is off."""
    visit.open("/sign-in")
    visit.page.fill("#account_id", account)
    visit.page.click("button.primary")
    visit.page.wait_for_url(lambda url: not url.endswith("/sign-in"))
