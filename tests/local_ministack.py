"""Another local AWS to collect from: ministack, as a process in an environment of its own.

It pins a botocore and a graphql-core that exclude those of development.
"""

import os
import subprocess
from collections.abc import Iterable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.lacking import lacking
from tests.local_aws import OWN, LocalAws, fronting, point_at
from tests.local_insights import App
from tests.ports import free_port
from tests.waiting import SECONDS, wait_until

PROGRAM = Path(__file__).parents[1] / ".venv-ministack" / "bin" / "ministack"

HOP = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
"""Headers that belong to one connection."""


def passing_on(port: int) -> App:
    """Return an application that asks another server."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        query = f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else ""
        try:
            connection.request(
                environ["REQUEST_METHOD"],
                environ["REQUEST_URI"].partition("?")[0] + query,
                environ["wsgi.input"].read(),
                _headers(environ),
            )
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        kept = [pair for pair in answer.getheaders() if pair[0].lower() not in HOP]
        start_response(f"{answer.status} {answer.reason or 'Unknown'}", kept)
        return [body]

    return app


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-"): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    return headers | {"Content-Type": environ.get("CONTENT_TYPE", "")}


@pytest.fixture(scope="session")
def ministack_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """Start the process on a free port, and a front; both are ended at the end."""
    if not PROGRAM.exists():
        reason = "needs ministack: `python scripts/environments.py create ministack`"
        lacking(reason)
    port = free_port()
    folder = tmp_path_factory.mktemp("ministack")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [PROGRAM], env=_environment(port, folder), cwd=folder, stdout=log, stderr=log
        )
    try:
        _wait_for(port, process, folder / "log")
        with fronting(passing_on(port)) as here:
            yield here
    finally:
        process.terminate()
        process.wait(SECONDS)


def _environment(port: int, folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "S3_DATA_DIR": str(folder / "s3"),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "LOG_LEVEL": "WARNING",
        "MINISTACK_ACCOUNT_ID": OWN,
    }


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    wait_until(lambda: _answers(port, process, log), lambda: "ministack does not answer")


def _answers(port: int, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        with urlopen(f"http://127.0.0.1:{port}/_ministack/health"):
            return True
    except OSError:
        return False


@pytest.fixture
def ministack(
    ministack_server: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> LocalAws:
    """An empty AWS, and an environment in which boto3 finds it and nothing else."""
    with urlopen(Request(f"{ministack_server.url}/_ministack/reset", method="POST")):
        ministack_server.forget()
    point_at(ministack_server, tmp_path, monkeypatch)
    return ministack_server
