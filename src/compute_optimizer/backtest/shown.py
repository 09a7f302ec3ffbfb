"""The part of a report that pages show: what is kept of a backtest once another has followed it.

A report of instances compares some twenty rules in each test window, with knobs by fold, fronts and
pairs. Pages show every rule over all windows, and this advice in each.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from compute_optimizer.backtest.advice import DEFAULT
from compute_optimizer.backtest.headline import ASKED, Report, whole_of_dimensions
from compute_optimizer.model.backtested import Backtested

OF_FLEET = ("first_day", "days")
OF_ORIGIN = ("origin", "resources", "scored")
OF_RULE = ("violations", "violations_interval", "savings", "savings_interval")
OF_SCORE = ("chosen", "chosen_observed", "chosen_expected")


def shown_of(one: Backtested) -> Backtested:
    """Return a backtest with what pages show of its report; those without rules are shown whole."""
    if "policies" not in one.report.get("overall", {}):
        return one
    report = {
        "fleet": _part(one.report["fleet"], OF_FLEET),
        "overall": {"policies": _rules(one.report["overall"]["policies"])},
        "origins": [_origin(each) for each in one.report["origins"]],
    }
    return replace(one, report=report)


def _rules(policies: Report) -> dict[str, Any]:
    """Return every rule at the budget of the comparison, and this advice at all of them."""
    return {
        name: {
            "deployed": {
                budget: _part(told, OF_RULE)
                for budget, told in found["deployed"].items()
                if budget == ASKED or name == DEFAULT
            }
        }
        for name, found in policies.items()
    }


def _origin(found: Report) -> dict[str, Any]:
    told = found["policies"][DEFAULT]["deployed"][ASKED]
    return {
        **_part(found, OF_ORIGIN),
        "policies": {DEFAULT: {"deployed": {ASKED: _part(told, OF_RULE)}}},
        # The only one that is left is what `whole_of_dimensions` then returns.
        "calibration": {"shown": {"reliability": _reliability(found)}},
        "scores": [_part(each, OF_SCORE) for each in found["scores"]],
    }


def _reliability(origin: Report) -> Any:
    return whole_of_dimensions(origin["calibration"])["reliability"]


def _part(told: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: told[name] for name in names if name in told}
