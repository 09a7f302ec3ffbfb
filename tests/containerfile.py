"""The container recipe, read; and what it runs, as a process of this machine."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.environment import without_settings

Instruction = tuple[str, str]
Stages = dict[str, list[Instruction]]


def all_of(stages: Stages, stage: str, word: str) -> list[str]:
    """Return what a stage, or one that it begins from, says with an instruction."""
    first, *rest = stages[stage]
    parent = first[1].partition(" ")[0]
    before = all_of(stages, parent, word) if parent in stages else []
    return [*before, *(text for name, text in rest if name == word)]


@contextmanager
def running(
    command: list[str], folder: Path, **variables: str
) -> Iterator["subprocess.Popen[str]"]:
    environment = without_settings()
    with subprocess.Popen(
        command,
        env=environment | {"TMPDIR": str(folder)} | variables,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
