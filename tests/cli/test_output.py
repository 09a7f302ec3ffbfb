"""Tables that people read."""

import os
from pathlib import Path

import pytest

from compute_optimizer.cli.output import ROOT, Format, foreign_owner, print_rows, title_of_largest


def test_a_name_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Names and tags come from others: an escape sequence could hide rows or retitle windows."""
    name = "a\x1b[2J\x9b31m\u202eb"

    print_rows([{"name": name}], {"name": "Name"}, Format.TABLE)

    assert r"a\x1b[2J\x9b31m\u202eb" in capsys.readouterr().out


def test_names_in_any_script_stand_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"name": "söarch-日本-🚀 [bold]"}], {"name": "Name"}, Format.TABLE)

    assert "söarch-日本-🚀 [bold]" in capsys.readouterr().out


def test_root_is_told_whose_folder_it_is_about_to_write_into(tmp_path: Path) -> None:
    nobody = 12345  # Has no name on machines that tests are run on.
    if os.geteuid() == ROOT:
        os.chown(tmp_path, nobody, nobody)
    owner = tmp_path.stat().st_uid

    assert foreign_owner(tmp_path, ROOT)
    assert foreign_owner(tmp_path, owner) == ""
    assert foreign_owner(tmp_path / "not-made-yet", ROOT) == ""
    assert foreign_owner(Path("/"), ROOT) == ""


@pytest.mark.parametrize(
    ("shown", "total", "title"),
    [
        (1, 1, "1 idle resource"),
        (3, 3, "3 idle resources, the largest savings first"),
        (20, 1_234, "The largest savings, 20 of 1,234 idle resources"),
    ],
)
def test_a_title_says_how_many_there_are_and_how_many_are_shown(
    shown: int, total: int, title: str
) -> None:
    assert title_of_largest(shown, total, "idle resources") == title
