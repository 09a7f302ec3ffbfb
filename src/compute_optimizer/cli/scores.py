"""`compute-optimizer scores`: how what was predicted compares with what came."""

from typing import Annotated, Any

import msgspec
import typer

from compute_optimizer.app import opened
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_first,
    print_json,
    settings_for,
)
from compute_optimizer.model.forecast import Counted, Score
from compute_optimizer.store.forecasts import all_scores

SHOWN = 14
"""Scores in the table unless more are asked for: two weeks of daily ones."""

HEADINGS = {
    "as_of": "As of (UTC)",
    "machines": "Machines",
    "judged": "Judged",
    "options": "Options",
    "expected": "Expected",
    "observed": "Came",
    "first_options": "First options",
    "first_expected": "Expected",
    "first_observed": "Came",
}


def scores(
    limit: Annotated[int, typer.Option(min=0, help="Scores in the table; 0 shows all.")] = SHOWN,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Show how many options' predicted event came within 14 days, beside how many were expected.

    The worker makes the scores.
    """
    with opened(settings_for(data_dir)) as application, application.state.reading() as connection:
        found = all_scores(connection)
    if output is Format.JSON:
        print_json([as_json(one) for one in found])
    elif found:
        print_first(found, limit, _row, HEADINGS)
    else:
        print("There is no score yet: the first comes 14 days after the worker's first analysis.")


def as_json(score: Score) -> dict[str, Any]:
    """Return a score for programs."""
    return {
        "runId": score.run_id,
        "asOf": score.as_of.isoformat(),
        "scoredAt": score.scored_at.isoformat(),
        "machines": score.machines,
        "judged": score.judged,
        "unseen": score.unseen,
        "changed": score.changed,
        "gone": score.gone,
        "everyOption": _counted(score.every),
        "firstOptions": _counted(score.first),
        "reliability": list(score.reliability),
    }


def _counted(one: Counted) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(one)
    return found


def _row(score: Score) -> dict[str, Any]:
    return {
        "as_of": f"{score.as_of:%Y-%m-%d %H:%M}",
        "machines": score.machines,
        "judged": score.judged,
        **_cells(score.every),
        **{f"first_{name}": value for name, value in _cells(score.first).items()},
    }


def _cells(one: Counted) -> dict[str, Any]:
    low, high = one.interval
    return {
        "options": one.options,
        "expected": f"{one.expected:.1f}",
        "observed": f"{one.observed} ({low:.0f} to {high:.0f})" if one.options else "",
    }
