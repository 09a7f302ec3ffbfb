"""Tables that people read."""

import pytest

from compute_optimizer.cli.output import Format, print_rows


def test_a_name_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Names and tags come from others: an escape sequence could hide rows or retitle windows."""
    name = "a\x1b[2J\x9b31m\u202eb"

    print_rows([{"name": name}], {"name": "Name"}, Format.TABLE)

    assert r"a\x1b[2J\x9b31m\u202eb" in capsys.readouterr().out


def test_names_in_any_script_stand_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"name": "söarch-日本-🚀 [bold]"}], {"name": "Name"}, Format.TABLE)

    assert "söarch-日本-🚀 [bold]" in capsys.readouterr().out
