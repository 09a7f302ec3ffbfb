"""`compute-optimizer serve --ephemeral`: it says where, answers, and leaves nothing."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from compute_optimizer import cli
from compute_optimizer.emulator.environment import VARIABLES_THAT_LEAD_ELSEWHERE, environment_of
from compute_optimizer.emulator.folders import PREFIX
from tests.cli.conftest import Begin
from tests.emulating import client_at
from tests.environment import without_settings
from tests.waiting import SECONDS

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start an emulator on a free port, its temporary files in the test's folder.

    The environment is one of a user who also runs the service for real.
    """
    kept = without_settings()
    environment = kept | {
        "TMPDIR": str(tmp_path),
        "COMPUTE_OPTIMIZER_DATA_DIR": str(tmp_path / "real"),
        "COMPUTE_OPTIMIZER_AUTH": "on",
    }
    command = [sys.executable, "-m", "compute_optimizer", "serve", "--ephemeral", "--port", "0"]
    with ExitStack() as stack:

        def run(*options: str) -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                [*command, *options],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environment,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield run


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def left_in(folder: Path) -> list[Path]:
    """Return what is left of emulators in a folder once their guards had time to clean up."""
    until = time.monotonic() + SECONDS
    while left := list(folder.iterdir()):
        if time.monotonic() > until:
            break
        time.sleep(0.05)
    return left


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_leaves_nothing_however_it_ends(start: Start, tmp_path: Path, number: int) -> None:
    process = start()
    found = re.fullmatch(
        r"Serving on (http://127\.0\.0\.1:\d+) \(ephemeral, account 123456789012\)\n",
        first_line(process),
    )
    assert found
    assert client_at(found[1]).get_enrollment_status()["status"] == "Inactive"
    assert [one.name.startswith(PREFIX) for one in tmp_path.iterdir()] == [True]

    process.send_signal(number)

    _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == (0 if number != signal.SIGKILL else -number), errors
    assert errors == ""
    assert left_in(tmp_path) == []


def test_says_in_json_where_it_is_and_by_which_environment(start: Start) -> None:
    told = json.loads(first_line(start("--output", "json", "--account", "111122223333")))

    assert told["accountId"] == "111122223333"
    assert told["environment"] == environment_of(told["url"], "111122223333")
    assert told["unset"] == list(VARIABLES_THAT_LEAD_ELSEWHERE)
    assert client_at(told["url"]).get_enrollment_status()["status"] == "Inactive"


SCRIPT = """\
AWS_PROFILE=production
export AWS_PROFILE
eval "$ANNOUNCED"
exec "$PYTHON" -c 'import os, json; print(json.dumps(dict(os.environ)))'
"""


def test_says_in_lines_for_a_shell_where_it_is(start: Start) -> None:
    process = start("--output", "env")
    assert process.stdout is not None
    announced = "".join(process.stdout.readline() for _ in range(len(environment_of("", "")) + 1))
    shell = subprocess.run(
        ["sh", "-c", SCRIPT],
        env={"ANNOUNCED": announced, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=True,
    )

    seen = json.loads(shell.stdout)
    url = seen["AWS_ENDPOINT_URL_COMPUTE_OPTIMIZER"]
    assert environment_of(url, "123456789012").items() <= seen.items()
    assert "AWS_PROFILE" not in seen
    assert client_at(url).get_enrollment_status()["status"] == "Inactive"


def test_its_clock_starts_where_told_and_stands_still(begin: Begin) -> None:
    words = ("--output", "json", "--clock", "2026-03-01T12:00", "--frozen")
    told = json.loads(begin(*words).out.readline())
    client = client_at(told["url"])
    client.update_enrollment_status(status="Active")
    answer = client.get_enrollment_status()

    assert answer["status"] == "Pending"
    assert answer["lastUpdatedTimestamp"].isoformat() == "2026-03-01T12:00:00+00:00"
    time.sleep(1.1)  # a clock that goes on would have decided after a second
    assert client.get_enrollment_status()["status"] == "Pending"


def test_takes_settings_of_the_service(begin: Begin) -> None:
    settings = ("throttle_requests_per_second=0.001", "throttle_burst=1")
    words = [word for one in settings for word in ("--setting", one)]
    client = client_at(json.loads(begin("--output", "json", *words).out.readline())["url"])
    client.get_enrollment_status()

    with pytest.raises(client.exceptions.ThrottlingException):
        client.get_enrollment_status()


def test_binds_beyond_loopback_where_told_that_the_port_is_private(begin: Begin) -> None:
    told = begin("--host", "0.0.0.0", "--i-know-this-port-is-private", "--output", "json")
    url = json.loads(told.out.readline())["url"].replace("0.0.0.0", "127.0.0.1")
    assert client_at(url).get_enrollment_status()["status"] == "Inactive"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--ephemeral", "--clock", "yesterday"], "--clock 'yesterday' is no moment; expected one"),
        (["--ephemeral", "--account", "12"], "--account '12': expected 12 digits"),
        (["--ephemeral", "--setting", "page_size"], "--setting 'page_size': expected NAME=VALUE"),
        (["--ephemeral", "--setting", "page_sise=3"], "no setting 'page_sise' to choose"),
        (["--ephemeral", "--auth", "on"], "--auth does not go with --ephemeral"),
        (["--ephemeral", "--data-dir", "data"], "--data-dir does not go with --ephemeral"),
        (["--ephemeral", "--processes", "2"], "--processes does not go with --ephemeral"),
        (["--ephemeral", "--host", "0.0.0.0"], "--i-know-this-port-is-private"),
        (["--clock", "2026-03-01"], "--clock is an option of an emulator; add --ephemeral"),
        (["--frozen"], "--frozen is an option of an emulator; add --ephemeral"),
        (["--account", "1"], "--account is an option of an emulator; add --ephemeral"),
        (["--state", "fleet.yaml"], "--state is an option of an emulator; add --ephemeral"),
        (["--output", "json"], "--output is an option of an emulator; add --ephemeral"),
    ],
)
def test_refuses_by_name_what_it_cannot_do(
    options: list[str],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["compute-optimizer", "serve", "--port", "0", *options])
    with pytest.raises(SystemExit) as ended:
        cli.main()

    said = capsys.readouterr()
    assert ended.value.code == 2
    assert expected in said.err
    assert said.out == ""
