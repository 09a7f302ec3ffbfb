"""What a run did, in words."""

from typing import Any

import pytest

from compute_optimizer.jobs.job_kinds import JOB_KINDS
from compute_optimizer.jobs.run_words import DID, described


@pytest.mark.parametrize(
    ("job", "detail", "words"),
    [
        ("analysis", None, ""),
        ("collection", {}, "nothing to do"),
        ("backtests", {"fleets": 1}, "backtested 1 fleet"),
        ("exports", {"exports": 0, "rows": 0}, "nothing to do"),
        ("exports", {"exports": 2, "rows": 1200}, "wrote 2 exports, 1,200 rows"),
        ("enrollment", {"changed": False}, "nothing to do"),
        ("enrollment", {"changed": True}, "enrollments changed"),
        ("purge", {"accounts": ["111111111111"]}, "removed the data of 1 account"),
        (
            "analysis",
            {"run": "r", "accounts": 1, "resources": 300, "errors": 0}
            | {"estimatedMonthlySavings": 3856.04},
            "analyzed 1 account, 300 resources, 3,856.04 USD to save a month",
        ),
        (
            "retention",
            {"tiles": 8, "scores": 0, "jobRuns": 1, "expired": 2},
            "removed 8 day tiles, 1 past run, 2 expired records",
        ),
        (
            "collection",
            {"fleet": {"files": 2, "refused": 1}, "own": {"files": 0}},
            "read fleet (2 files, 1 refused row), own (nothing to do)",
        ),
        ("enrollment", {"anything": 7}, "anything 7"),
    ],
)
def test_figures_are_told_as_people_speak(
    job: str, detail: dict[str, Any] | None, words: str
) -> None:
    assert described(job, detail) == words


def test_words_are_of_jobs_that_there_are() -> None:
    assert set(DID) < {kind.name for kind in JOB_KINDS}
