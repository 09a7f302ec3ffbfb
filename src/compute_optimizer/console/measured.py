"""What the page of quality shows of backtests and scores. Pure: from what is stored to rows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from compute_optimizer.backtest.advice import DEFAULT
from compute_optimizer.backtest.deployment import ORACLE, key_of
from compute_optimizer.backtest.headline import ASKED, whole_of_dimensions
from compute_optimizer.backtest.intervals import wilson
from compute_optimizer.backtest.policies import SWEEP
from compute_optimizer.backtest.run import BUDGETS
from compute_optimizer.model.forecast import Score

OURS = {DEFAULT: "this advice", SWEEP: "the strongest simple rule", ORACLE: "with hindsight"}
"""What names of policies mean, where that is not told by themselves."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How one rule did, over all test windows."""

    name: str
    meaning: str
    violations: float
    violations_interval: Sequence[float]
    savings: float
    savings_interval: Sequence[float] | None


@dataclass(frozen=True, slots=True)
class Bin:
    """Predicted against observed, over options or resources that are alike."""

    title: str
    number: int
    expected: float | None
    """Mean predicted probability."""
    observed: int
    interval: Sequence[float]
    """95 %, of the observed share."""

    @property
    def observed_share(self) -> float | None:
        """Return the share of which the event came."""
        return self.observed / self.number if self.number else None


@dataclass(frozen=True, slots=True)
class Day:
    """One day's predictions, held against the 14 days after it."""

    day: date
    options: int
    expected: float
    observed: int
    interval: tuple[float, float]


def rules_of(report: Mapping[str, Any]) -> list[Rule]:
    """Return every rule of a backtest of instances, by violations."""
    policies = report["overall"]["policies"]
    rules = [_rule(name, found["deployed"]) for name, found in policies.items()]
    return sorted(rules, key=lambda one: (one.name != DEFAULT, one.violations, -one.savings))


def _rule(name: str, deployed: Mapping[str, Any]) -> Rule:
    told = deployed[ASKED]
    return Rule(
        name=name,
        meaning=OURS.get(name, ""),
        violations=told["violations"],
        violations_interval=told["violations_interval"],
        savings=told["savings"],
        savings_interval=told["savings_interval"],
    )


def budgets_of(report: Mapping[str, Any]) -> list[tuple[float, Rule]]:
    """Return how this advice did for each budget that was asked for."""
    deployed = report["overall"]["policies"][DEFAULT]["deployed"]
    return [(one, _rule(DEFAULT, {ASKED: deployed[key_of(one)]})) for one in BUDGETS]


def reliability_of(report: Mapping[str, Any]) -> list[Bin]:
    """Return predicted against observed of all test windows, by bins of probability."""
    rows = [
        row
        for origin in report["origins"]
        for row in whole_of_dimensions(origin["calibration"])["reliability"]
    ]
    found = []
    for low, high in sorted({(row["from"], row["to"]) for row in rows}):
        same = [row for row in rows if row["from"] == low]
        number = sum(row["options"] for row in same)
        expected = sum(row["expected"] * row["options"] for row in same) / number
        observed = round(sum(row["observed"] * row["options"] for row in same))
        title = f"{low * 100:g} to {high * 100:g} %"
        found.append(Bin(title, number, expected, observed, wilson(observed, number)))
    return found


def classes_of(report: Mapping[str, Any], names: Sequence[str]) -> list[Bin]:
    """Return by risk class, 0 to 4, what was predicted of the first options and what came."""
    found = []
    for place, name in enumerate(names):
        same = [origin["scores"][place] for origin in report["origins"]]
        number = sum(one["chosen"] for one in same)
        observed = sum(one["chosen_observed"] for one in same)
        expected = sum(one["chosen_expected"] for one in same)
        share = expected / number if number else None
        found.append(Bin(name, number, share, observed, wilson(observed, number)))
    return found


def days_of(scores: Sequence[Score], accounts: Collection[str]) -> list[Day]:
    """Return the first options of some accounts, the oldest day first.

    Scores of releases that did not tell accounts apart are left out.
    """
    found = []
    for score in sorted(scores, key=lambda one: one.as_of):
        mine = [one for one in score.accounts if one.account_id in accounts]
        options = sum(one.options for one in mine)
        if options:
            observed = sum(one.observed for one in mine)
            low, high = wilson(observed, options)
            expected = sum(one.expected for one in mine)
            interval = low * options, high * options
            found.append(Day(score.as_of.date(), options, expected, observed, interval))
    return found
