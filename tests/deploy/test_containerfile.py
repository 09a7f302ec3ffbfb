"""The container recipe, as far as it can be held without an engine.

The images are built and run in tests/containers.
"""

import fnmatch
import json
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tests.containerfile import Stages, all_of, running
from tests.waiting import SECONDS

PRIVATE = "COMPUTE_OPTIMIZER_I_KNOW_THIS_PORT_IS_PRIVATE"


def test_the_interpreter_is_one_that_the_project_wants_and_its_locks_were_made_with(
    stages: Stages, repository: Path
) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    images = {first[1].partition(" ")[0] for first, *_ in stages.values()} - stages.keys()

    (image,) = images
    version = re.fullmatch(r"python:(\d+\.\d+)-slim", image)
    assert version
    assert version[1] in SpecifierSet(project["requires-python"])
    assert (
        f"Python {version[1]}"
        in (repository / "docs/decisions/0010-environments-and-constraints.md").read_text()
    )


def sources(stages: Stages) -> set[str]:
    """Return what is copied from the folder of the project."""
    copies = [text for stage in stages.values() for word, text in stage if word == "COPY"]
    return {name for copy in copies if "--from=" not in copy for name in copy.split()[:-1]}


def test_whatever_is_copied_exists_and_is_sent(stages: Stages, repository: Path) -> None:
    lines = (repository / ".containerignore").read_text().splitlines()
    sent = {line.removeprefix("!") for line in lines if line.startswith("!")}

    assert sources(stages) == sent
    assert all((repository / name).exists() for name in sent)
    # Docker reads another name.
    assert (repository / ".dockerignore").read_text() == "\n".join([*lines, ""])


def test_whatever_the_build_needs_is_copied(stages: Stages, repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    needed = {"pyproject.toml", "src", project["readme"], *project["license-files"]}
    installs = " ".join(text for word, text in stages["build"] if word == "RUN")
    locks = set(re.findall(r"-r (\S+)", installs))

    assert needed | locks == sources(stages)
    assert locks == {f"constraints/{name}.txt" for name in ("run", "build", "postgresql")}


@pytest.mark.parametrize("stage", ["emulator", "service"])
def test_it_runs_as_nobody_in_particular(stages: Stages, stage: str) -> None:
    (made,) = (line for line in all_of(stages, stage, "RUN") if line.startswith("useradd "))
    words = shlex.split(made)
    user, group = words[words.index("--uid") + 1], words[words.index("--gid") + 1]

    assert all_of(stages, stage, "USER") == [f"{user}:{group}"]
    assert int(user) > 0


def test_nothing_says_by_itself_that_the_port_is_private(stages: Stages) -> None:
    for stage in stages:
        said = [*all_of(stages, stage, "ENV"), *all_of(stages, stage, "CMD")]
        assert not fnmatch.filter([line.upper() for line in said], "*PORT*PRIVATE*")


def command_of(stages: Stages, stage: str, port: int) -> list[str]:
    """Return what a container of a stage runs, but with another port."""
    (entry,) = all_of(stages, stage, "ENTRYPOINT")
    (words,) = all_of(stages, stage, "CMD")
    assert json.loads(entry) == ["compute-optimizer"]
    arguments: list[str] = json.loads(words)
    assert all_of(stages, stage, "EXPOSE") == [arguments[arguments.index("--port") + 1]]
    given = [str(port) if word == "8080" else word for word in arguments]
    return [sys.executable, "-m", "compute_optimizer", *given]


def test_the_emulator_ends_with_a_message_unless_told_that_its_port_is_private(
    stages: Stages, tmp_path: Path, port: int
) -> None:
    with running(command_of(stages, "emulator", port), tmp_path) as process:
        _, errors = process.communicate(timeout=SECONDS)

    assert process.returncode == 2
    assert "--i-know-this-port-is-private" in errors


@pytest.mark.parametrize(
    ("stage", "variables"),
    [("emulator", {PRIVATE: "true"}), ("service", {"COMPUTE_OPTIMIZER_DATA_DIR": "data"})],
)
def test_it_serves_is_found_healthy_and_ends_when_the_engine_says_so(
    stages: Stages, tmp_path: Path, port: int, stage: str, variables: dict[str, str]
) -> None:
    (check,) = all_of(stages, stage, "HEALTHCHECK")
    python, *arguments = json.loads(check.partition("CMD ")[2])
    assert python == "python"
    probe = [sys.executable, *(word.replace(":8080/", f":{port}/") for word in arguments)]

    with running(command_of(stages, stage, port), tmp_path, **variables) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"Serving on http://0.0.0.0:{port} ")
        assert subprocess.run(probe, capture_output=True).returncode == 0

        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, errors
    assert subprocess.run(probe, capture_output=True).returncode != 0
