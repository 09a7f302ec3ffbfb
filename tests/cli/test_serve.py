"""`compute-optimizer serve` as a process: it starts, says where, answers and stops when asked."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import pytest

from compute_optimizer.api.listening import KEEP_ALIVE_SECONDS, bind, url_of
from compute_optimizer.api.processes import Member
from tests.commands import Type
from tests.environment import without_settings
from tests.forked import running
from tests.serving import serving
from tests.waiting import SECONDS

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `serve` with the given options; whatever still runs at the end is killed."""
    with ExitStack() as stack:

        def run(*options: str) -> "subprocess.Popen[str]":
            command = [sys.executable, "-m", "compute_optimizer", "serve", *options]
            return stack.enter_context(_running([*command, "--data-dir", str(tmp_path)]))

        yield run


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which processes that are started make their temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@contextmanager
def _running(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    environment = without_settings()
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, env=environment, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def announced_url(out: IO[str] | None) -> str:
    assert out is not None
    line = out.readline()
    found = re.fullmatch(r"Serving on (http://127\.0\.0\.1:\d+) \(auth off\)\n", line)
    assert found, line
    return found[1]


def health(url: str) -> bytes:
    with urllib.request.urlopen(f"{url}/health", timeout=SECONDS) as response:
        body: bytes = response.read()
    return body


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("processes", ["1", "2"])
def test_it_says_where_it_serves_and_stops_when_asked(
    start: Start, number: int, processes: str
) -> None:
    process = start("--port", "0", "--auth", "off", "--processes", processes)

    assert health(announced_url(process.stdout)) == b'{"status":"ok"}'
    process.send_signal(number)

    _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors
    assert errors == ""


def test_a_port_that_is_taken_is_named(typed: Type) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = typed("serve", "--port", port, "--auth", "off")

    assert ended.code == 2
    assert f"cannot bind 127.0.0.1 port {port}: Address already in use" in ended.err


def test_auth_off_beyond_loopback_is_refused(typed: Type) -> None:
    ended = typed("serve", "--port", "0", "--auth", "off", "--host", "0.0.0.0")

    assert ended.code == 2
    assert "--i-know-this-port-is-private" in ended.err


def test_a_process_that_dies_is_replaced_and_the_port_goes_on_answering(tmp_path: Path) -> None:
    words = ("serve", "--port", "0", "--workers", "2", "--data-dir", str(tmp_path))
    with running(*words, auth="off") as process:
        url = announced_url(process.out)
        parent = process.process.pid
        assert parent is not None
        before = _children(parent)

        os.kill(before[0], signal.SIGKILL)

        # Each on a connection of its own; who comes for the dead one waits for its successor.
        assert {health(url) for _ in range(20)} == {b'{"status":"ok"}'}
        after = _children(parent)
        assert len(after) == 2
        assert before[0] not in after
        process.send(signal.SIGTERM)
        code, errors = process.wait(), process.err.read()
    assert code == 0, errors
    assert "serving process 0 ended by itself, with code -9; it is replaced" in errors


def test_a_process_that_cannot_serve_is_not_tried_for_ever(tmp_path: Path) -> None:
    (tmp_path / "secrets.key").write_text("no key at all")
    words = ("serve", "--port", "0", "--processes", "2", "--data-dir", str(tmp_path))

    with running(*words) as process:
        code, errors = process.wait(), process.err.read()

    assert code == 1, errors
    assert "secrets.key" in errors  # what the process said
    assert "a serving process ended by itself, with code 2" in errors
    assert "Traceback" not in errors


def test_processes_end_with_the_one_that_started_them_and_leave_nothing(
    start: Start, temporary: Path
) -> None:
    process = start("--port", "0", "--auth", "off", "--processes", "2")
    url = announced_url(process.stdout)
    assert len(list(temporary.iterdir())) == 1

    process.kill()
    # They hold its pipes open, so that these end once the last of them has ended.
    process.communicate(timeout=SECONDS)

    with pytest.raises(urllib.error.URLError):
        health(url)
    assert list(temporary.iterdir()) == []


def test_ctrl_c_while_processes_start_ends_all_without_a_traceback(
    start: Start, temporary: Path
) -> None:
    process = start("--port", "0", "--auth", "off", "--processes", "2")
    while len(_children(process.pid)) < 2:
        assert process.poll() is None

    # A terminal sends it to every process of the group; these still read their modules.
    os.killpg(process.pid, signal.SIGINT)

    _, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, errors) == (0, "")
    assert list(temporary.iterdir()) == []


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve with two processes, for tests that leave them alone; return where."""
    folder = tmp_path_factory.mktemp("two")
    with serving(folder, "--processes", "2", auth="off") as (host, _):
        yield host


def test_a_port_that_several_processes_have_is_taken_for_the_next_server(
    two: str, tmp_path: Path
) -> None:
    port = two.rpartition(":")[2]
    words = ("serve", "--port", port, "--processes", "2", "--data-dir", str(tmp_path))

    with running(*words, auth="off") as process:
        code, errors = process.wait(), process.err.read()

    assert code == 2
    assert f"cannot bind 127.0.0.1 port {port}: Address already in use" in errors


def test_only_one_of_several_processes_does_what_is_done_for_all() -> None:
    assert [Member(number).keeps_house for number in range(3)] == [True, False, False]


def test_several_processes_count_their_answers_together(two: str) -> None:
    url = f"http://{two}"
    target = {"X-Amz-Target": "ComputeOptimizerService.GetEnrollmentStatus"}
    for _ in range(20):
        # Each on a connection of its own, which either process may take.
        request = urllib.request.Request(url, b"{}", target, method="POST")
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=SECONDS)

    with urllib.request.urlopen(f"{url}/metrics", timeout=SECONDS) as response:
        lines = response.read().decode().splitlines()

    counts = [line for line in lines if line.startswith("compute_optimizer_request_seconds_count")]
    assert sum(float(line.split()[-1]) for line in counts) == 20


def _children(parent: int) -> list[int]:
    """Return the processes that answer."""
    listed = Path(f"/proc/{parent}/task/{parent}/children")
    if not listed.exists():
        pytest.skip("needs Linux's /proc to find the processes")
    children = [int(pid) for pid in listed.read_text().split()]
    # The other child is multiprocessing's resource tracker.
    return [pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_idle_connections_outlive_those_of_clients() -> None:
    assert KEEP_ALIVE_SECONDS > 60


@pytest.mark.parametrize(
    ("host", "start_of_url"), [("127.0.0.1", "http://127.0.0.1:"), ("::1", "http://[::1]:")]
)
def test_urls_of_both_kinds_of_address(host: str, start_of_url: str) -> None:
    try:
        listener = bind(host, 0)
    except Exception:
        pytest.skip(f"this machine has no {host}")
    with listener:
        assert url_of(listener) == f"{start_of_url}{listener.getsockname()[1]}"
