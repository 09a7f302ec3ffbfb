"""How any command ends when something goes wrong."""

import errno
import json
import os

import pytest

from compute_optimizer import __version__, cli
from compute_optimizer.errors import Conflict
from tests.commands import Type


def run(monkeypatch: pytest.MonkeyPatch, error: Exception) -> int:
    """Run a command line whose command raises the error; return the exit code."""

    def fail() -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_an_error_for_people_ends_with_its_message_and_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, Conflict("two imports at once")) == Conflict.exit_code == 4
    assert capsys.readouterr().err == "error: two imports at once\n"


def test_a_defect_ends_with_a_message_and_shows_its_traceback_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COMPUTE_OPTIMIZER_TRACEBACK", raising=False)
    assert run(monkeypatch, KeyError("rank")) == 1
    said = capsys.readouterr().err
    assert "unexpected KeyError: 'rank'" in said
    assert "Traceback" not in said

    monkeypatch.setenv("COMPUTE_OPTIMIZER_TRACEBACK", "true")
    with pytest.raises(KeyError):
        cli.main()


def test_a_defect_beside_a_wrong_setting_ends_with_a_message_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COMPUTE_OPTIMIZER_PORT", "http")

    assert run(monkeypatch, KeyError("rank")) == 1
    assert "unexpected KeyError: 'rank'" in capsys.readouterr().err


def test_the_version_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["compute-optimizer", "--version"])

    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert (ended.value.code, capsys.readouterr().out) == (0, f"compute-optimizer {__version__}\n")


def test_a_misspelt_variable_is_warned_of_once_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, typed: Type
) -> None:
    monkeypatch.setenv("COMPUTE_OPTIMIZER_AUHT", "off")

    ended = typed("accounts", "list", "--output", "json")

    assert ended.code == 0
    assert json.loads(ended.out)["accounts"] == []
    assert ended.err == (
        "warning: COMPUTE_OPTIMIZER_AUHT is the variable of no setting and is ignored; "
        "is COMPUTE_OPTIMIZER_AUTH meant?\n"
    )


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_and_is_no_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    monkeypatch.delenv("COMPUTE_OPTIMIZER_TRACEBACK", raising=False)

    assert run(monkeypatch, OSError(number, os.strerror(number), "/data/tiles/1.parquet")) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: /data/tiles/1.parquet cannot be written: ")
    assert said.endswith("; make room there, or write elsewhere\n")


def test_a_pipe_that_broke_elsewhere_than_at_the_output_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COMPUTE_OPTIMIZER_TRACEBACK", raising=False)

    assert run(monkeypatch, BrokenPipeError(errno.EPIPE, "Broken pipe")) == 1
    assert "unexpected BrokenPipeError" in capsys.readouterr().err


def test_an_argument_that_is_no_text_is_named(typed: Type) -> None:
    # Bytes of an argument that are no UTF-8, as Python hands them on (PEP 383).
    ended = typed("explain", "i-\udcff")

    assert ended.code == 2
    assert ended.err == "error: the argument 'i-\\udcff' is no UTF-8 text; expected it in UTF-8\n"


def test_text_that_cannot_be_written_elsewhere_is_a_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["compute-optimizer", "status"])

    assert run(monkeypatch, UnicodeEncodeError("utf-8", "\udcff", 0, 1, "no text")) == 1
    assert "unexpected UnicodeEncodeError" in capsys.readouterr().err
