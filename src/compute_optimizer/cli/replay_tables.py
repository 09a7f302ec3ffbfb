"""A replay of the advice for one resource type, as tables for people."""

from collections.abc import Mapping
from typing import Any

from compute_optimizer.cli.backtest_tables import between
from compute_optimizer.cli.figures import percent
from compute_optimizer.cli.output import Format, print_rows
from compute_optimizer.resources import plural_of

Report = Mapping[str, Any]

ORIGINS = {
    "origin": "Origin",
    "judged": "Judged",
    "clipped": "Clipped",
    "scored": "Scored",
    "unseen": "Without later samples",
    "reduced": "Given less",
    "violations": "Violations",
    "interval": "95 % interval",
    "savings": "Savings",
    "savings_interval": "95 % interval",
    "saved": "USD a month",
}
FAILURES = {
    "name": "Failures",
    "seen": "Counted",
    "rose": "Rose",
    "interval": "95 % interval",
}
CHANGES = {
    "name": "Dimension",
    "judged": "Judged",
    "violated": "Violated",
}
DIMENSIONS = {
    "name": "Dimension",
    "unit": "Unit",
    "forgiven": "Forgiven",
    "violated": "Violated",
}


def print_replay(report: Report) -> None:
    """Print what was replayed, the scores of every origin and of all, and what was violated."""
    fleet, overall = report["fleet"], report["overall"]
    print(
        f"{fleet['name']}: {plural_of(fleet['resource_type'])}, {fleet['days']} days from "
        f"{fleet['first_day']}; {fleet['train_days']} days to learn from, {fleet['test_days']} to "
        "test on."
    )
    rows = [_row(one["origin"], one) for one in report["origins"]]
    rows.append(_row("all", overall))
    print_rows(rows, ORIGINS, Format.TABLE, "What the advice would have done")
    rows = [
        {
            "name": one["name"],
            "unit": one["unit"],
            "forgiven": percent(one["forgiven"]),
            "violated": overall["violations_by_dimension"][one["name"]],
        }
        for one in fleet["dimensions"]
    ]
    print_rows(rows, DIMENSIONS, Format.TABLE, "Where it would have hurt, over all origins")
    if overall["unpriced"]:
        print(f"{overall['unpriced']:,} without a known price count for violations only.")
    if "failures" in overall:
        rows = [_failure_row(one) for one in overall["failures"]]
        print_rows(rows, FAILURES, Format.TABLE, "What failed more often, left as it was")
    if "changes" in report:
        _print_changes(report["changes"])


def _print_changes(changes: Report) -> None:
    """Print what came of the advice that was followed, which no replay can tell."""
    told = f"Followed: {changes['made']:,} changes, {changes['judged']:,} of them judged"
    if changes["judged"]:
        told += f", {changes['violated']:,} violated (95 %: {between(changes['interval'])})"
    print(f"{told}.")
    rows = [{"name": name, **told} for name, told in changes["by_dimension"].items()]
    if rows:
        print_rows(rows, CHANGES, Format.TABLE, "What came of changes, where they made smaller")


def _failure_row(one: Report) -> dict[str, Any]:
    return {
        "name": one["name"],
        "seen": one["seen"],
        "rose": one["rose"],
        "interval": between(one["interval"]),
    }


def _row(origin: str, scores: Report) -> dict[str, Any]:
    return {
        "origin": origin,
        "judged": scores["judged"],
        "clipped": scores["clipped"],
        "scored": scores["scored"],
        "unseen": scores["without_test_samples"],
        "reduced": scores["reduced"],
        "violations": f"{percent(scores['violations'])} ({scores['violated']})",
        "interval": between(scores["violations_interval"]),
        "savings": percent(scores["savings"]),
        "savings_interval": between(scores["savings_interval"]),
        "saved": scores["monthly_usd_saved"],
    }
