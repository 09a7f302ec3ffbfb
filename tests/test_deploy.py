"""What is in deploy: commands and settings exist, and systemd and YAML understand the files."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from compute_optimizer.config import ENVIRONMENT_PREFIX, SETTINGS
from tests.typed_commands import COMMANDS, PROGRAM, options

DEPLOY = Path(__file__).parents[1] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
INSTALLED = "/opt/compute-optimizer/bin/compute-optimizer"
VARIABLES = {f"{ENVIRONMENT_PREFIX}{one.name.upper()}" for one in SETTINGS}
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())


def check_command(words: list[str]) -> None:
    """Fail where the program has no such command, or the command no such option."""
    length = 2 if " ".join(words[:2]) in COMMANDS else 1
    name = " ".join((PROGRAM, *words[:length]))
    assert name in COMMANDS
    given = {word for word in words if word.startswith("--")}
    assert given - options(COMMANDS[name]) == set()


def commands_of(unit: Path) -> Iterator[list[str]]:
    for line in re.findall(r"^ExecStart\w*=(.*)$", unit.read_text(), re.MULTILINE):
        if INSTALLED in line:
            yield shlex.split(line.partition(INSTALLED)[2].rstrip("'"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_commands_of_units_exist(unit: Path) -> None:
    found = list(commands_of(unit))

    assert found
    for words in found:
        check_command(words)


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*")), ids=lambda path: path.name)
def test_settings_in_deploy_exist(path: Path) -> None:
    if path.is_file():
        named = set(re.findall(rf"\b{ENVIRONMENT_PREFIX}[A-Z_]+\b", path.read_text()))

        assert named <= VARIABLES


@pytest.fixture
def systemd_analyze() -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("needs systemd-analyze, which machines without systemd do not have")
    return program


def test_systemd_understands_the_units(tmp_path: Path, systemd_analyze: str) -> None:
    for unit in sorted((DEPLOY / "systemd").iterdir()):
        # systemd looks whether the program is there; here another one is.
        text = unit.read_text().replace(INSTALLED, sys.executable)
        (tmp_path / unit.name).write_text(text)

    units = [str(one) for one in sorted(tmp_path.iterdir())]
    ended = subprocess.run(
        [systemd_analyze, "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )

    told = [line for line in ended.stderr.splitlines() if "compute-optimizer" in line]
    assert (ended.returncode, told) == (0, [])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_may_do_little_more_than_they_need(unit: Path, systemd_analyze: str) -> None:
    # systemd tells the exposure from 0 to 10, and takes the threshold in tenths: 2.0 is "OK".
    words = (
        systemd_analyze,
        "security",
        "--offline=true",
        "--threshold=20",
        "--no-pager",
        str(unit),
    )
    ended = subprocess.run(words, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_commands_of_the_compose_file_exist() -> None:
    own = {name: one for name, one in COMPOSE["services"].items() if "build" in one}

    assert set(own) == {"api", "worker", "backup"}
    for one in own.values():
        assert one["entrypoint"] == [PROGRAM]
        check_command(one["command"])


def test_the_compose_file_names_only_what_it_declares() -> None:
    services = COMPOSE["services"]
    for name, one in services.items():
        assert set(one.get("depends_on", ())) <= set(services), name
        assert set(one.get("secrets", ())) <= set(COMPOSE["secrets"]), name
        volumes = {str(volume).partition(":")[0] for volume in one.get("volumes", ())}
        assert {v for v in volumes if not v.startswith(".")} <= set(COMPOSE["volumes"]), name


def test_the_api_of_the_compose_file_can_be_reached_from_its_machine_only() -> None:
    assert COMPOSE["services"]["api"]["ports"] == ["127.0.0.1:8080:8080"]
    assert not any("ports" in one for name, one in COMPOSE["services"].items() if name != "api")
