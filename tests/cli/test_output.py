"""Tables that people read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from compute_optimizer.cli.output import ROOT, Format, foreign_owner, print_rows

LONG_TABLE = """
from compute_optimizer.cli import output
print("begun", flush=True)
input()
output.print_rows([{"name": "x" * 100}] * 10_000, {"name": "Name"}, output.Format.TABLE)
"""


def test_a_name_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Names and tags come from others: an escape sequence could hide rows or retitle windows."""
    name = "a\x1b[2J\x9b31m\u202eb"

    print_rows([{"name": name}], {"name": "Name"}, Format.TABLE)

    assert r"a\x1b[2J\x9b31m\u202eb" in capsys.readouterr().out


def test_names_in_any_script_stand_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"name": "söarch-日本-🚀 [bold]"}], {"name": "Name"}, Format.TABLE)

    assert "söarch-日本-🚀 [bold]" in capsys.readouterr().out


def test_a_reader_that_has_seen_enough_of_a_table_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LONG_TABLE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write("\n")
        process.stdin.flush()

        assert (process.wait(60), process.stderr.read()) == (0, "")


def test_root_is_told_whose_folder_it_is_about_to_write_into(tmp_path: Path) -> None:
    nobody = 12345  # Has no name on machines that tests are run on.
    if os.geteuid() == ROOT:
        os.chown(tmp_path, nobody, nobody)
    owner = tmp_path.stat().st_uid

    assert foreign_owner(tmp_path, ROOT)
    assert foreign_owner(tmp_path, owner) == ""
    assert foreign_owner(tmp_path / "not-made-yet", ROOT) == ""
    assert foreign_owner(Path("/"), ROOT) == ""
