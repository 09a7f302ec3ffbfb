"""The container recipe, and a port for what it runs."""

from pathlib import Path
from string import Template

import pytest

from tests.containerfile import Instruction, Stages
from tests.ports import free_port


@pytest.fixture(scope="module")
def stages(repository: Path) -> Stages:
    """The instructions of each stage, FROM first, with the defaults of arguments in it."""
    found: Stages = {}
    given: dict[str, str] = {}
    lines = (repository / "Containerfile").read_text().replace("\\\n", " ").splitlines()
    current: list[Instruction] = []
    for line in (one for one in lines if one and not one.startswith("#")):
        word, _, rest = line.partition(" ")
        if word == "ARG":
            name, _, default = rest.partition("=")
            given[name] = default
            continue
        if word == "FROM":
            rest = Template(rest).substitute(given)
            current = found.setdefault(rest.rpartition(" AS ")[2], [])
        current.append((word, rest))
    return found


@pytest.fixture
def port() -> int:
    return free_port()
