"""The workflow of the example: its commands run here as they are, its names are those in use."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from compute_optimizer.config import ENVIRONMENT_PREFIX, SETTINGS
from compute_optimizer.emulator.environment import environment_of
from tests.waiting import SECONDS


@pytest.fixture(scope="module")
def jobs(repository: Path) -> dict[str, Any]:
    text = (repository / "examples" / "github-actions" / "tests.yaml").read_text()
    found: dict[str, Any] = yaml.safe_load(text)["jobs"]
    return found


def steps_of(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_every_job_runs_tests_on_a_runner_of_its_own(jobs: dict[str, Any]) -> None:
    assert set(jobs) == {"pytest", "any-language", "container"}
    for job in jobs.values():
        assert job["runs-on"] == "ubuntu-latest"
        assert re.search(r"test", steps_of(job)[-1])


def test_the_step_that_starts_an_emulator_leads_later_steps_there(
    jobs: dict[str, Any], tmp_path: Path
) -> None:
    (start,) = (text for text in steps_of(jobs["any-language"]) if "--ephemeral" in text)
    program = tmp_path / "compute-optimizer"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m compute_optimizer "$@"\n')
    program.chmod(0o755)
    (tmp_path / "temporary").mkdir()
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "TMPDIR": str(tmp_path / "temporary"),
        "GITHUB_ENV": str(tmp_path / "github-env"),
    }
    # What stays in the background is told apart by its number, to end it afterwards.
    script = f"{start}\necho $! > number"

    subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env=environment, check=True, timeout=SECONDS
    )
    try:
        lines = (tmp_path / "github-env").read_text().splitlines()
        told = dict(line.split("=", 1) for line in lines)
        url = told["AWS_ENDPOINT_URL_COMPUTE_OPTIMIZER"]
        assert told == environment_of(url, "123456789012")
        with urlopen(f"{url}/healthz") as response:
            assert json.load(response) == {"status": "ok"}
    finally:
        os.kill(int((tmp_path / "number").read_text()), 15)


def test_the_container_is_told_that_its_port_is_private_and_it_is(jobs: dict[str, Any]) -> None:
    service = jobs["container"]["services"]["compute-optimizer"]
    names = {f"{ENVIRONMENT_PREFIX}{setting.name.upper()}" for setting in SETTINGS}

    assert set(service["env"]) <= names
    assert service["ports"] == ["127.0.0.1:8080:8080"]
    url = jobs["container"]["env"]["AWS_ENDPOINT_URL_COMPUTE_OPTIMIZER"]
    assert url == "http://127.0.0.1:8080"
    told = environment_of(url, "123456789012")
    assert jobs["container"]["env"].items() <= told.items()
