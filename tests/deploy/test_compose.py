"""The compose file beside its image: its services find what they need, and are found healthy."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.containerfile import Stages, all_of, running
from tests.waiting import SECONDS

API_PORT = 8080
"""The one that the health check of the image asks."""

WORKER_PORT = 9465
"""The default of the setting `worker_port`."""


@pytest.fixture(scope="module")
def services(repository: Path) -> dict[str, dict[str, Any]]:
    """The services that run the image."""
    read = yaml.safe_load((repository / "deploy/compose/compose.yaml").read_text())
    return {name: one for name, one in read["services"].items() if "build" in one}


def test_the_image_has_the_driver_of_the_database(
    services: dict[str, dict[str, Any]], stages: Stages, repository: Path
) -> None:
    for name, one in services.items():
        url = one["environment"]["COMPUTE_OPTIMIZER_STATE_URL"]
        assert url.startswith("postgresql://"), name
    locks = re.findall(r"-r (\S+)", " ".join(all_of(stages, "build", "RUN")))
    pins = [line for lock in locks for line in (repository / lock).read_text().splitlines()]

    assert {"psycopg", "psycopg-binary"} <= {pin.partition("==")[0] for pin in pins}


def test_whoever_does_not_answer_on_the_port_of_the_api_says_how_it_is_found_healthy(
    services: dict[str, dict[str, Any]],
) -> None:
    answering = {name for name, one in services.items() if str(API_PORT) in one["command"]}

    assert answering == {"api"}
    assert {name for name, one in services.items() if "healthcheck" in one} == {"worker", "backup"}
    assert services["backup"]["healthcheck"] == {"disable": True}


def test_the_worker_is_found_healthy_while_it_runs(
    services: dict[str, dict[str, Any]], tmp_path: Path, port: int
) -> None:
    kind, python, *arguments = services["worker"]["healthcheck"]["test"]
    assert (kind, python) == ("CMD", "python")
    told = [word.replace(f":{WORKER_PORT}/", f":{port}/") for word in arguments]
    assert told != arguments
    probe = [sys.executable, *told]
    command = [sys.executable, "-m", "compute_optimizer", *services["worker"]["command"]]

    assert subprocess.run(probe, capture_output=True).returncode != 0
    with running(
        command,
        tmp_path,
        COMPUTE_OPTIMIZER_DATA_DIR="data",
        COMPUTE_OPTIMIZER_WORKER_PORT=str(port),
    ) as process:
        assert process.stderr is not None
        assert f":{port}/metrics" in process.stderr.readline()
        assert subprocess.run(probe, capture_output=True).returncode == 0
        process.terminate()
        _, errors = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, errors


def test_the_guide_gives_what_is_mounted_to_the_user_of_the_image(
    services: dict[str, dict[str, Any]], stages: Stages, repository: Path
) -> None:
    (user,) = all_of(stages, "service", "USER")
    guide = (repository / "docs/operate.md").read_text()
    mounted = {str(one).partition(":")[0] for one in services["backup"]["volumes"]}

    assert "./backups" in mounted
    assert f"sudo chown {user.partition(':')[0]} secrets.key backups" in guide
