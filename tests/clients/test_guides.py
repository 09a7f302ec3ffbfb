"""The guide to the emulator, in every language whose tools are there: what it shows is run."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.clients.conftest import needs_node
from tests.clients.foreign import NODE_VENV, ROOT, program

pytestmark = pytest.mark.clients

GUIDE = ROOT / "docs" / "emulator-guides.md"

SECONDS = 120.0


def shown(heading: str, language: str) -> str:
    """Return the code that the guide shows first below a heading."""
    section = GUIDE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    code = re.search(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert code, heading
    return code[1]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with the program of this project, as an environment of Python has it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "compute-optimizer"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m compute_optimizer "$@"\n')
    script.chmod(0o755)
    return folder


@contextmanager
def shell(script: str, programs: Path, *more: Path) -> Iterator[str]:
    """Run a script after the one that starts an emulator, and give what it printed."""
    folder = programs.parent
    (folder / "temporary").mkdir()
    path = ":".join([*(str(one) for one in (programs, *more)), os.environ["PATH"]])
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "COMPUTE_OPT"))}
    environment = kept | {
        "PATH": path,
        "HOME": str(folder),
        "TMPDIR": str(folder / "temporary"),
        "AWS_PROFILE": "production",  # as somebody may have it, whom the guide must not lead there
        "AWS_PAGER": "",
    }
    whole = f"{shown('Start it', 'bash')}\necho $! > number\n{script}"
    # Into a file: what goes on in the background holds a pipe open.
    with (folder / "errors").open("w") as errors:
        ended = subprocess.run(
            ["bash", "-e", "-c", whole],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            timeout=SECONDS,
        )
    try:
        assert ended.returncode == 0, (folder / "errors").read_text()
        yield ended.stdout
    finally:
        os.kill(int((folder / "number").read_text()), signal.SIGTERM)


def test_boto3(programs: Path) -> None:
    (programs.parent / "program.py").write_text(shown("boto3", "python"))
    python = program("client-boto3-new", "python")

    with shell(f"{shlex.quote(python)} program.py", programs) as said:
        assert said == "Pending\n"


def test_the_command_line(programs: Path) -> None:
    aws = Path(program("client-awscli", "aws")).parent

    with shell(shown("The AWS CLI", "bash"), programs, aws) as said:
        assert said.splitlines()[-1] == "Active"


def test_javascript(programs: Path) -> None:
    modules = ROOT / f".venv-{NODE_VENV}" / "node_modules"
    needs_node()
    (programs.parent / "node_modules").symlink_to(modules)
    (programs.parent / "program.mjs").write_text(shown("JavaScript", "javascript"))

    with shell("node program.mjs", programs) as said:
        assert said == "Inactive\n"


def test_the_configuration_of_terraform_is_the_one_that_is_applied_by_tests() -> None:
    text = shown("Terraform", "bash")

    folders = set(re.findall(r"-chdir=(\S+)", text))
    assert {ROOT / one for one in folders} == {ROOT / "examples" / "terraform"}
