"""What was considered, the figures beside their limits, and the rules of idleness, for people."""

from collections.abc import Sequence
from typing import Any

from compute_optimizer.cli.figures import number, usd
from compute_optimizer.cli.output import Format, print_rows
from compute_optimizer.engine.explanation import (
    ChoiceEvidence,
    Figure,
    IdleEvidence,
    IdleLimitEvidence,
)

CHOICES = {
    "of": "What",
    "configuration": "Configuration",
    "rank": "Rank",
    "monthly_usd": "USD a month",
    "risk": "Risk",
    "refused": "Refused because",
}
FIGURES = {
    "figure": "Figure",
    "unit": "Unit",
    "value": "Value",
    "limit": "Limit",
    "decides": "Decides",
}
IDLE_LIMITS = {
    "finding": "Finding",
    "window": "Window",
    "metrics": "Metrics",
    "measure": "Held to the limit",
    "value": "Value",
    "limit": "Idle",
    "holds": "Holds",
}

SHOWN = 12
"""Configurations in the table: the options and what is nearest to the first by its price."""


def print_choices(choices: Sequence[ChoiceEvidence]) -> None:
    """Print what was considered, if anything: the options and the nearest others."""
    if not choices:
        return
    shown = nearest(choices)
    title = "What was considered"
    if len(shown) < len(choices):
        title = f"The nearest {len(shown)} of {len(choices)} that were considered"
    rows = [
        {
            "of": one.of,
            "configuration": one.configuration,
            "rank": one.rank,
            "monthly_usd": usd(one.monthly_usd),
            "risk": one.performance_risk,
            "refused": "; ".join(one.refused_because),
        }
        for one in shown
    ]
    print_rows(rows, CHOICES, Format.TABLE, title)


def nearest(choices: Sequence[ChoiceEvidence]) -> list[ChoiceEvidence]:
    """Return the options and, of the others, those nearest to the first by price, in order."""
    first = next((one.monthly_usd for one in choices if one.rank and one.monthly_usd), 0.0)

    def away(one: ChoiceEvidence) -> tuple[bool, float]:
        return not one.rank, float("inf") if one.monthly_usd is None else abs(
            one.monthly_usd - first
        )

    kept = sorted(choices, key=away)[:SHOWN]
    return [one for one in choices if one in kept]


def print_figures(figures: Sequence[Figure]) -> None:
    """Print the figures that decided, if any, beside their limits."""
    if not figures:
        return
    rows = [
        {
            "figure": one.figure,
            "unit": one.unit,
            "value": number(one.value),
            "limit": "" if one.limit is None else number(one.limit),
            "decides": one.decides,
        }
        for one in figures
    ]
    print_rows(rows, FIGURES, Format.TABLE, "Other figures that decide")


def print_idle_rules(rules: Sequence[IdleEvidence]) -> None:
    """Print what the rules of idleness say, if there are any."""
    rows = [_limit_row(rule, one) for rule in rules for one in rule.limits]
    if rows:
        print_rows(rows, IDLE_LIMITS, Format.TABLE, "Is it idle?")


def _limit_row(rule: IdleEvidence, one: IdleLimitEvidence) -> dict[str, Any]:
    return {
        "finding": f"{rule.finding}: {'yes' if rule.is_idle else 'no'}",
        "window": f"{rule.window.first} to {rule.window.last}",
        "metrics": " + ".join(one.metrics),
        "measure": one.measure,
        "value": number(one.value),
        "limit": f"{'at most' if one.inclusive else 'below'} {number(one.limit)}",
        "holds": _holds(rule, one),
    }


def _holds(rule: IdleEvidence, one: IdleLimitEvidence) -> str:
    if not rule.concerned:
        return "the rule is not about it"
    if not one.known:
        return "too few samples"
    return "yes" if one.holds else "no"
