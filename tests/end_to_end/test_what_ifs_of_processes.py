"""What-ifs over several processes: asked of one, shown by all, computed though one is killed."""

import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import update

from compute_optimizer.app import opened
from compute_optimizer.config import load_settings
from compute_optimizer.store.what_if_tables import what_ifs
from compute_optimizer.store.what_ifs import STALE_AFTER, Phase
from tests.serving import serving
from tests.waiting import SECONDS, wait_until

ACCOUNT = "111111111111"
PROCESSES = 2
"""Until a what-if of the small fleet is over, on a busy machine and after a takeover."""

TRY = "/console/preferences/what-if"
FORM = {"account": ACCOUNT, "region": "us-east-1", "scope": "AccountId", "cpuHeadroom": "PERCENT_0"}


@pytest.fixture
def folder(demo_of_today: Path, tmp_path: Path) -> Path:
    """The fleet of the demo."""
    copy: Path = shutil.copytree(demo_of_today, tmp_path / "demo")
    return copy


@dataclass(frozen=True)
class Tab:
    """One connection, which one process answers for as long as it stays open."""

    connection: HTTPConnection
    host: str
    cookie: str = f"co_session={ACCOUNT}.token"

    def ask(self, method: str, path: str, **form: str) -> tuple[int, str, str]:
        """Return status, Location and page."""
        headers = {"Cookie": self.cookie, "Origin": f"http://{self.host}"}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, urlencode(form), headers)
        answer = self.connection.getresponse()
        return answer.status, answer.getheader("location", ""), answer.read().decode()

    def begin(self) -> str:
        """Send a what-if and return the address of its page."""
        page = self.ask("GET", "/console/enrollment")[2]
        token = re.search(r'name="form_token" value="(\w+)"', page)
        assert token, page
        status, there, page = self.ask("POST", TRY, form_token=token[1], **FORM)
        assert status == 303, page
        return there

    def over(self, there: str) -> str:
        """Return the page of a what-if that is over."""

        def shown() -> str | None:
            status, _, page = self.ask("GET", there)
            assert status == 200, page
            return None if "data-follow" in page else page

        return wait_until(shown, lambda: f"{there} goes on")


@contextmanager
def tabs(host: str, count: int) -> Iterator[list[Tab]]:
    with ExitStack() as stack:
        connections = [HTTPConnection(host, timeout=SECONDS) for _ in range(count)]
        for one in connections:
            stack.callback(one.close)
        yield [Tab(one, host) for one in connections]


def test_a_what_if_asked_of_one_process_is_shown_by_every_other(folder: Path) -> None:
    # Connections are dealt out by the kernel: that one of two has none of 12 happens once in 2,048.
    with (
        serving(folder, "--processes", str(PROCESSES), auth="off") as (host, _),
        tabs(host, 12) as open_tabs,
    ):
        there = open_tabs[0].begin()
        pages = [one.over(there) for one in open_tabs]

    assert all("Nothing was saved" in page for page in pages)


def test_a_what_if_goes_on_after_its_server_was_killed(folder: Path) -> None:
    with serving(folder, auth="off") as (host, first), tabs(host, 1) as (mine,):
        there = mine.begin()
        first.send(signal.SIGKILL)
        first.wait()
    # However fast it was: what a process leaves behind that is killed while it computes.
    lost = {"phase": Phase.RUNNING.value, "claim": "lost", "result": None, "attempts": 1}
    with opened(load_settings({"data_dir": folder, "auth": "off"}, {})) as application:
        then = application.clock.now() - STALE_AFTER
        with application.state.writing() as connection:
            changed = connection.execute(update(what_ifs).values(heartbeat_at=then, **lost))
    assert changed.rowcount >= 1

    with serving(folder, auth="off") as (host, _), tabs(host, 1) as (other,):
        page = other.over(there)

    assert "Nothing was saved" in page
