"""Decisions on what the demo advises, by the command line, and one change that is noticed."""

import csv
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.browser.visits import PROGRAM, environment

DECIDED = 8
"""Recommendations for instances that save least of all that save something: no other test opens
them."""


def run(data_dir: Path, *words: str) -> str:
    """Run the program; return what it prints."""
    done = subprocess.run(
        [*PROGRAM, *words], env=environment(data_dir), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def decide(data_dir: Path) -> str:
    """Accept, snooze, dismiss and follow advice; return the id of what was applied."""
    told = json.loads(run(data_dir, "recommend", "--output", "json"))["recommendations"]
    found = [
        one
        for one in told
        if one["resourceType"] == "Ec2Instance"
        and one["recommendationId"]
        and (one["estimatedMonthlySavings"] or 0) > 0
    ]
    applied, *others = found[-DECIDED:]
    ids = [one["recommendationId"] for one in others]
    run(data_dir, "decisions", "accept", applied["recommendationId"], "--note", "in the window")
    run(data_dir, "decisions", "accept", ids[0], "--note", "tonight's window")
    until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    run(data_dir, "decisions", "snooze", ids[1], "--until", until)
    run(data_dir, "decisions", "dismiss", ids[2], "--reason", "needs the headroom " * 12)
    run(data_dir, "decisions", "assign", ids[0], "team web")
    run(data_dir, "import", "--inventory", str(_followed(data_dir, applied)))
    name: str = applied["recommendationId"]
    return name


def _followed(data_dir: Path, applied: dict[str, Any]) -> Path:
    """Write an inventory of the one machine as was advised."""
    with (data_dir / "inventory.csv").open() as file:
        (row,) = (one for one in csv.DictReader(file) if one["arn"] == applied["resourceArn"])
    path = data_dir / "followed.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, row.keys())
        writer.writeheader()
        writer.writerow(row | {"type": applied["recommended"]})
    return path
