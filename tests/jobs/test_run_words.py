"""What a run did, in words."""

from typing import Any

import pytest

from compute_optimizer.jobs.run_words import described


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        (None, ""),
        ({}, "nothing to do"),
        ({"fleets": 1}, "1 fleet backtested"),
        ({"exports": 0, "rows": 0}, "nothing to do"),
        ({"exports": 2, "rows": 1200}, "2 exports written, 1,200 rows"),
        ({"changed": False}, "nothing to do"),
        ({"changed": True}, "enrollments changed"),
        ({"accounts": ["111111111111"]}, "1 account"),
        (
            {"run": "r", "accounts": 1, "resources": 300, "errors": 0}
            | {"estimatedMonthlySavings": 3856.04},
            "1 account, 300 resources, 3,856.04 USD to save a month",
        ),
        ({"tiles": 3, "jobRuns": 1}, "3 day tiles, 1 past run of jobs removed"),
        ({"fleet": {"files": 2, "refused": 1}}, "fleet (2 files read, 1 row refused)"),
        ({"own": {"files": 0}}, "own (nothing to do)"),
        ({"anything": 7}, "anything 7"),
    ],
)
def test_figures_are_told_as_people_speak(detail: dict[str, Any] | None, words: str) -> None:
    assert described(detail) == words
