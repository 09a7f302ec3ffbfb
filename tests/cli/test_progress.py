"""How far jobs are, as lines and as a bar."""

import io
import logging

import pytest
from rich.console import Console
from rich.progress import TextColumn

from compute_optimizer.cli import progress
from compute_optimizer.cli.progress import Lines, bar_on, bars, line_of


def test_a_line_has_the_rate_and_the_time_left() -> None:
    # 10 steps in 4 s are 2.5 a second; 30 are left.
    assert line_of("analysis", 20, 50, 10, 4.0) == "analysis: 20 of 50, 2.5 a second, 12 s left"
    assert line_of("analysis", 1, 50, 0, 0.0) == "analysis: 1 of 50"


def test_lines_come_now_and_then_and_start_over_with_the_next_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    moments = iter([0.0, 5.0, 20.0, 21.0, 100.0, 116.0])
    monkeypatch.setattr(progress, "monotonic", lambda: next(moments))
    lines = Lines()
    with caplog.at_level(logging.INFO):
        # Steps at 0, 5, 20 and 21 s, of which 20 is the first 15 s after the beginning.
        for done in (1, 2, 5, 6):
            lines.told("analysis", done, 6)
        for done in (1, 3):
            lines.told("analysis", done, 6)

    assert caplog.messages == [
        "analysis: 5 of 6, 0.2 a second, 5 s left",
        # 2 steps in 16 s: 3 are left.
        "analysis: 3 of 6, 0.12 a second, 24 s left",
    ]


def test_nothing_of_a_bar_is_written_into_a_file() -> None:
    written = io.StringIO()
    with bars(TextColumn("{task.description}"), console=Console(file=written)) as shown:
        shown.add_task("Analyzing")

    assert written.getvalue() == ""


def test_the_bar_has_one_row_for_each_job() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, _environ={"TERM": "xterm"})
    with bar_on(console) as told:
        told("analysis", 3, 10)
        told("collection", 1, 2)

    assert "analysis" in screen.getvalue()
    assert "3/10" in screen.getvalue()
    assert "collection" in screen.getvalue()
