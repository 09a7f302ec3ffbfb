"""A backtest as tables for people; everything else is in the JSON."""

from collections.abc import Iterable, Mapping
from typing import Any

from compute_optimizer.cli.figures import percent
from compute_optimizer.cli.output import Format, print_rows

Report = Mapping[str, Any]

ORACLE = "oracle"


def print_report(report: Report) -> None:
    """Print who was tested, the deployed scores over all origins, and the calibration."""
    print(_introduction(report["fleet"]))
    _warn_of_mixed_statistics(report["fleet"])
    for origin in report["origins"]:
        print(_origin_line(origin))
    _print_deployed(report)
    _print_calibration(report)
    _print_caps(report)
    _print_scores(report)
    _print_differences(report)
    if "robustness" in report:
        _print_robustness(report["robustness"])
    if "ablation" in report:
        _print_ablation(report["ablation"])
    if "lookbacks" in report:
        _print_lookbacks(report["lookbacks"])


def between(interval: list[float] | None) -> str:
    """Return an interval of shares as people read it."""
    if interval is None:
        return ""
    low, high = interval
    return f"{100 * low:.1f} to {100 * high:.1f} %"


def _introduction(fleet: Report) -> str:
    return (
        f"{fleet['name']}: {fleet['resources']:,} resources, {fleet['days']} days from "
        f"{fleet['first_day']}, five-minute {fleet['statistic'].lower()}s of "
        f"{', '.join(fleet['dimensions'])}; {fleet['train_days']} days to learn from, "
        f"{fleet['test_days']} to test on. Knobs from the past of {fleet['knobs_from']}."
    )


def _warn_of_mixed_statistics(fleet: Report) -> None:
    if fleet["knobs_from_statistic"] != fleet["statistic"]:
        print(
            f"warning: the knobs come from five-minute {fleet['knobs_from_statistic'].lower()}s "
            f"and are used on {fleet['statistic'].lower()}s; give --statistic where both have it"
        )


def _origin_line(origin: Report) -> str:
    return (
        f"  Origin {origin['origin']}: {origin['scored']} scored of {origin['resources']} judged, "
        f"{origin['clipped']} clipped before, {origin['clipped_in_test_only']} only later, "
        f"{origin['without_test_samples']} without test samples; "
        f"{len(origin['past_windows'])} past windows"
    )


def _print_deployed(report: Report) -> None:
    policies = report["overall"]["policies"]
    budgets = list(policies[ORACLE]["deployed"])
    rows = [
        {"policy": name} | {budget: _pair(found["deployed"][budget]) for budget in budgets}
        for name, found in policies.items()
    ]
    headings = {"policy": "Policy"} | {
        budget: f"asked {percent(float(budget), 0)}" for budget in budgets
    }
    title = "Deployed, all origins: violations / savings"
    print_rows(rows, headings, Format.TABLE, title)
    budget = nearest_to_5_percent(budgets)
    rows = [
        {
            "policy": name,
            "violations": percent(found["deployed"][budget]["violations"]),
            "between": between(found["deployed"][budget]["violations_interval"]),
            "savings": percent(found["deployed"][budget]["savings"]),
            "savings_between": between(found["deployed"][budget]["savings_interval"]),
            "regret": percent(found["deployed"][budget]["regret"]),
        }
        for name, found in policies.items()
    ]
    headings = {
        "policy": "Policy",
        "violations": "Violations",
        "between": "95 %",
        "savings": "Savings",
        "savings_between": "95 % ",
        "regret": "Regret",
    }
    print_rows(rows, headings, Format.TABLE, f"Asked for {percent(float(budget))}")


def _pair(score: Report) -> str:
    return f"{percent(score['violations'])} / {percent(score['savings'])}"


def nearest_to_5_percent(budgets: Iterable[str]) -> str:
    """Return the budget that tables show in full."""
    return min(budgets, key=lambda budget: abs(float(budget) - 0.05))


def _print_calibration(report: Report) -> None:
    rows = [
        {
            "origin": origin["origin"],
            "dimension": name,
            "observed": str(found["observed"]),
            "expected": f"{found['expected']:.1f}",
            "next_observed": str(found["next_observed"]),
            "next_expected": f"{found['next_expected']:.1f}",
        }
        for origin in report["origins"]
        for name, found in origin["calibration"].items()
    ]
    headings = {
        "origin": "Origin",
        "dimension": "Dimension",
        "observed": "Violated",
        "expected": "Expected",
        "next_observed": "Next cheaper",
        "next_expected": "Expected ",
    }
    print_rows(rows, headings, Format.TABLE, "The default's options against its own forecast")


def _print_caps(report: Report) -> None:
    rows = [
        {
            "origin": origin["origin"],
            "cap": percent(float(cap)),
            "violations": percent(found["observed"] / max(found["resources"], 1)),
            "expected": percent(found["expected"] / max(found["resources"], 1)),
            "savings": percent(found["savings"]),
        }
        for origin in report["origins"]
        for cap, found in origin["caps"].items()
    ]
    headings = {
        "origin": "Origin",
        "cap": "Cap",
        "violations": "Violations",
        "expected": "Expected",
        "savings": "Savings",
    }
    print_rows(rows, headings, Format.TABLE, "The cheapest option within a cap on every risk")


def _print_scores(report: Report) -> None:
    rows = [
        {
            "origin": origin["origin"],
            "score": str(found["score"]),
            "options": f"{found['options']:,}",
            "expected": "" if found["expected"] is None else percent(found["expected"]),
            "observed": "" if found["observed"] is None else percent(found["observed"]),
            "chosen": f"{found['chosen_observed']} of {found['chosen']}",
            "chosen_expected": f"{found['chosen_expected']:.1f}",
        }
        for origin in report["origins"]
        for found in origin["scores"]
    ]
    headings = {
        "origin": "Origin",
        "score": "Score",
        "options": "Options",
        "expected": "Expected",
        "observed": "Violated",
        "chosen": "Chosen, violated",
        "chosen_expected": "Expected ",
    }
    print_rows(rows, headings, Format.TABLE, "Performance risk as the API tells it")


def _print_ablation(study: list[Report]) -> None:
    rows = [
        {
            "features": found["features"],
            "origin": one["origin"],
            "violations": percent(one["violations"]),
            "savings": percent(one["savings"]),
            "log_score": "" if one["log_score"] is None else f"{one['log_score']:.3f}",
        }
        for found in study
        for one in found["origins"]
    ]
    headings = {
        "features": "Features",
        "origin": "Origin",
        "violations": "Violations",
        "savings": "Savings",
        "log_score": "Log score (less is better)",
    }
    print_rows(rows, headings, Format.TABLE, "The risk from other features")


def _print_differences(report: Report) -> None:
    nearest = nearest_to_5_percent(report["overall"]["paired"])
    rows = [
        {
            "policy": name,
            "violations": percent(found["violations"]),
            "between": between(found["violations_interval"]),
            "savings": percent(found["savings"]),
            "savings_between": between(found["savings_interval"]),
        }
        for name, found in report["overall"]["paired"][nearest]["default"].items()
    ]
    headings = {
        "policy": "Policy",
        "violations": "Violations",
        "between": "95 %",
        "savings": "Savings",
        "savings_between": "95 % ",
    }
    title = f"The default less each policy, paired, asked for {percent(float(nearest))}"
    print_rows(rows, headings, Format.TABLE, title)


def _print_robustness(study: list[Report]) -> None:
    rows = [
        {
            "origin": origin["origin"],
            "policy": name,
            "data": data,
            "changed": percent(found["changed"]),
            "violations": percent(found["violations"]),
            "savings": percent(found["savings"]),
        }
        for origin in study
        for name, policy in origin["policies"].items()
        for data, found in policy["worse_data"].items()
    ]
    headings = {
        "origin": "Origin",
        "policy": "Policy",
        "data": "Data",
        "changed": "Advice changed",
        "violations": "Violations",
        "savings": "Savings",
    }
    print_rows(rows, headings, Format.TABLE, "Worse data")
    for origin in study:
        for name, policy in origin["policies"].items():
            found = policy["day_to_day"]
            print(
                f"From day to day after {origin['origin']}, {name}: first option changes "
                f"{percent(found['flips'])}, and back again {percent(found['returns'])}"
            )


def _print_lookbacks(study: Mapping[str, list[Report]]) -> None:
    rows = [
        {
            "days": days,
            "origin": origin["origin"],
            "policy": name,
            "violations": percent(found["violations"]),
            "savings": percent(found["savings"]),
            "budget": percent(float(budget)),
        }
        for days, origins in study.items()
        for origin in origins
        for name, policy in origin["policies"].items()
        for budget, found in policy["deployed"].items()
    ]
    headings = {
        "days": "Lookback",
        "origin": "Origin",
        "policy": "Policy",
        "budget": "Asked",
        "violations": "Violations",
        "savings": "Savings",
    }
    print_rows(rows, headings, Format.TABLE, "Days of past")
