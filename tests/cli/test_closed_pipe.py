"""How a command ends whose output nobody reads any more, as a process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Type

LEFT = 141
"""128 and 13, the number of SIGPIPE: what shells tell of `yes | head`."""

MANY = [f"{number:012}" for number in range(100)]


@pytest.fixture
def nobody_reads() -> Iterator[int]:
    """Return where a pipe is written whose reader has left already."""
    read, write = os.pipe()
    os.close(read)
    yield write
    os.close(write)


def ended(output: int, data_dir: Path, *words: str) -> tuple[int, str]:
    """Return exit code and complaints of a command that writes there."""
    done = subprocess.run(
        [sys.executable, "-m", "compute_optimizer", *words],
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "COMPUTE_OPTIMIZER_DATA_DIR": str(data_dir)},
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "words",
    [
        # More than is buffered (8 KiB), so that the command itself meets the closed pipe.
        ("accounts", "list", "--output", "json"),
        # A table, which Rich writes.
        ("accounts", "list"),
        # So little that it is written at the very end.
        ("status", "--output", "json"),
        ("--version",),
        ("--help",),
    ],
    ids=" ".join,
)
def test_a_reader_that_has_seen_enough_ends_any_command_quietly(
    words: tuple[str, ...], nobody_reads: int, tmp_path: Path, typed: Type
) -> None:
    assert typed("accounts", "add", *MANY).code == 0

    assert ended(nobody_reads, tmp_path, *words) == (LEFT, "")


def test_an_error_is_told_with_its_code_although_nobody_reads_the_output(
    nobody_reads: int, tmp_path: Path
) -> None:
    code, said = ended(nobody_reads, tmp_path, "accounts", "add", "12")

    assert code == 2
    assert "'12'" in said


def test_a_command_without_any_output_to_write_to_does_its_work(tmp_path: Path) -> None:
    command = f"{sys.executable} -m compute_optimizer accounts add 111111111111 >&-"
    environment = {**os.environ, "COMPUTE_OPTIMIZER_DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        command, shell=True, env=environment, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


FULL = Path("/dev/full")
"""A device of Linux that never has room."""


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full, which other systems lack")
@pytest.mark.parametrize(
    "words", [("--version",), ("status", "--output", "json"), ("recommend",)], ids=" ".join
)
def test_an_output_that_takes_no_more_is_told_once_and_is_no_reader_that_left(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    with FULL.open("w") as full:
        code, said = ended(full.fileno(), tmp_path, *words)

    assert (code, said.count("No space left")) == (1, 1)
    assert "the output, or the data folder, cannot be written: No space left" in said
    assert "defect" not in said
    assert "Traceback" not in said
