"""Tables that people read."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from compute_optimizer.cli.output import (
    ROOT,
    Format,
    complain,
    foreign_owner,
    print_first,
    print_rows,
    tell,
    title_of_largest,
    warn,
)


def test_a_name_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Names and tags come from others: an escape sequence could hide rows or retitle windows."""
    name = "a\x1b[2J\x9b31m\u202eb"

    print_rows([{"name": name}], {"name": "Name"}, Format.TABLE)

    assert r"a\x1b[2J\x9b31m\u202eb" in capsys.readouterr().out


@pytest.mark.parametrize("say", [tell, complain, warn])
def test_nor_can_a_name_in_a_line_or_an_error(
    capsys: pytest.CaptureFixture[str], say: Callable[[str], None]
) -> None:
    say("the name a\x1b[2J\x9b31mb\nin two lines")

    told = capsys.readouterr()
    assert "the name a\\x1b[2J\\x9b31mb\nin two lines\n" in told.out + told.err


def test_a_table_that_is_cut_says_how_much_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    def printed(limit: int) -> str:
        print_first(range(1_236), limit, lambda number: {"n": f"row {number}"}, {"n": "Number"})
        return capsys.readouterr().out

    assert printed(2).endswith("And 1,234 more: --limit 0 shows all of them.\n")
    assert "row 1 " in printed(2)
    assert "row 2 " not in printed(2)
    for whole in (0, 1_236, 2_000):
        assert "row 1235" in printed(whole)
        assert "more:" not in printed(whole)


def test_names_in_any_script_stand_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"name": "söarch-日本-🚀 [bold]"}], {"name": "Name"}, Format.TABLE)

    assert "söarch-日本-🚀 [bold]" in capsys.readouterr().out


def test_figures_stand_below_each_other_and_ids_do_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Figures end where their heading does; an account's id is no figure, though of digits."""
    rows = [
        {"account": "111111111111", "usd": 1489.2, "share": "44.4 %", "mixed": "7"},
        {"account": "222222222222", "usd": 8.5, "share": "", "mixed": "i-7"},
    ]
    columns = {"account": "Of the account", "usd": "USD a month", "share": "Share", "mixed": "Id"}

    print_rows(rows, columns, Format.TABLE)

    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "┃ Of the account ┃ USD a month ┃  Share ┃ Id  ┃"
    assert lines[3] == "│ 111111111111   │    1,489.20 │ 44.4 % │ 7   │"
    assert lines[4] == "│ 222222222222   │        8.50 │        │ i-7 │"


def test_whole_numbers_have_their_thousands_apart(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(
        [{"samples": 4032, "idle": True}], {"samples": "Samples", "idle": "Idle"}, Format.TABLE
    )

    assert "│   4,032 │ True │" in capsys.readouterr().out


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
