"""The compose file, started and used by the commands of docs/operate.md, word for word."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.containers.conftest import Connect
from tests.documented import SHELL_BLOCK, section
from tests.local_docker import Docker
from tests.ports import free_port
from tests.waiting import SECONDS, wait_until

pytestmark = pytest.mark.containers

DATABASE = Path(__file__).parent / "database"
SERVICES = ("api", "worker", "database")

AS_ROOT = """#!/bin/sh
exec "$@"
"""

WITH_COMPOSE_1 = """#!/bin/sh
# Debian 12 has Compose 1 only, which wants to be told where there is no terminal.
test "$1" = compose || exec {docker} "$@"
shift
case "$1" in exec | run) command=$1; shift; set -- "$command" -T "$@" ;; esac
exec {compose} "$@"
"""


@dataclass(frozen=True)
class Composed:
    """The services of the file, and how they are spoken to."""

    docker: Docker
    folder: Path
    environment: dict[str, str]
    endpoint: str

    def run(self, script: str) -> str:
        """Run commands as somebody types them in the folder of the file; return what they print."""
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * SECONDS,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def container(self, service: str) -> str:
        """Return the id of a service's container."""
        return self.run(f"docker compose ps --all --quiet {service}").strip()

    def wait_until_healthy(self) -> None:
        for one in SERVICES:
            self.docker.wait_until_healthy(self.container(one))


def _programs(folder: Path, docker: Docker) -> Path:
    """Write the programs that the docs name and this machine may lack."""
    folder.mkdir()
    programs = {"sudo": AS_ROOT}
    if docker.try_to("compose", "version").returncode != 0:
        found = {"docker": shutil.which("docker"), "compose": shutil.which("docker-compose")}
        assert all(found.values()), f"Debian packages docker.io and docker-compose: {found}"
        programs["docker"] = WITH_COMPOSE_1.format(**found)
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


def _copy(text: str, port: int) -> str:
    """Return the file with a free port, and without what only Compose 2 knows: the name."""
    assert "127.0.0.1:8080:8080" in text
    text = text.replace("127.0.0.1:8080:8080", f"127.0.0.1:{port}:8080")
    return re.sub(r"^name: .*\n", "", text, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def composed(
    docker: Docker,
    build: Callable[[str], str],
    repository: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Composed]:
    """The folder of the file and the images that it names, of which nothing runs yet."""
    docker.run("tag", build("service"), "open-compute-optimizer:latest")
    docker.run("build", "-f", str(DATABASE / "Containerfile"), "-t", "postgres:17", str(DATABASE))
    root = tmp_path_factory.mktemp("compose")
    folder, port = root / "deploy" / "compose", free_port()
    folder.mkdir(parents=True)
    text = (repository / "deploy/compose/compose.yaml").read_text()
    (folder / "compose.yaml").write_text(_copy(text, port))
    path = f"{_programs(root / 'programs', docker)}:{os.environ['PATH']}"
    environment = {**docker.environment, "PATH": path, "COMPOSE_PROJECT_NAME": "optimizer"}
    found = Composed(docker, folder, environment, f"http://127.0.0.1:{port}")
    try:
        yield found
    finally:
        found.run("docker compose down --volumes")


def test_what_the_guide_says_starts_everything_once_and_makes_a_key_and_a_backup(
    composed: Composed, repository: Path, connect: Connect
) -> None:
    (commands,) = SHELL_BLOCK.findall(
        section((repository / "docs/operate.md").read_text(), "Containers")
    )

    printed = composed.run(commands)
    composed.wait_until_healthy()

    # Nobody was started before the database answered.
    counts = [composed.docker.state(composed.container(one), "RestartCount") for one in SERVICES]
    assert counts == ["0", "0", "0"]
    client = connect(composed.endpoint, printed)
    assert client.get_enrollment_status()["status"] == "Inactive"
    made = composed.folder / "backups" / "first"
    assert any(made.iterdir())
    assert made.stat().st_uid == 10001

    _replaced_after_its_death(composed)
    assert client.get_enrollment_status()["status"] == "Inactive"
    _same_after_down_and_up(composed)
    assert client.get_enrollment_status()["status"] == "Inactive"


def _replaced_after_its_death(composed: Composed) -> None:
    api = composed.container("api")
    os.kill(int(composed.docker.state(api, "State.Pid")), signal.SIGKILL)
    wait_until(lambda: composed.docker.state(api, "RestartCount") == "1", every_seconds=0.2)
    composed.docker.wait_until_healthy(api)


def _same_after_down_and_up(composed: Composed) -> None:
    composed.run("docker compose stop")
    codes = [composed.docker.state(composed.container(one), "State.ExitCode") for one in SERVICES]
    assert codes == ["0", "0", "0"]
    composed.run("docker compose down; docker compose up --detach")
    composed.wait_until_healthy()
