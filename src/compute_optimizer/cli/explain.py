"""`compute-optimizer explain`: the arrays that decided one recommendation."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from compute_optimizer.app import opened, tiles_of
from compute_optimizer.cli.as_of import AsOfOption, as_of_moment
from compute_optimizer.cli.comparison import show_comparison
from compute_optimizer.cli.evidence import print_choices, print_figures, print_idle_rules
from compute_optimizer.cli.figures import SAME, number, percent, usd
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    print_rows,
    settings_for,
)
from compute_optimizer.cli.prediction import print_prediction
from compute_optimizer.engine.explanation import (
    Answer,
    Departure,
    DimensionEvidence,
    Explanation,
    History,
    OtherPreference,
    TypeEvidence,
    WhatWouldChange,
)
from compute_optimizer.jobs.explain import compare
from compute_optimizer.jobs.explain import explain as explain_resource
from compute_optimizer.jobs.idle_limits import read_idle_limits
from compute_optimizer.model.counted import counted
from compute_optimizer.model.recommendation import Finding

METRICS = {
    "metric": "Metric",
    "statistic": "Statistic",
    "samples": "Samples",
    "missing": "Missing",
    "maximum": "Maximum",
}
DIMENSIONS = {
    "dimension": "Dimension",
    "unit": "Unit",
    "percentile": "Percentile",
    "forgiven_hours": "Hours above it",
    "demand": "Demand",
    "headroom": "Headroom",
    "limit": "Needed at least",
    "current_capacity": "Now",
    "maximum": "Maximum",
    "current_risk": "Risk now",
}
TYPES = {
    "instance_type": "Type",
    "ranks": "Rank",
    "hourly_usd": "USD an hour",
    "violation_risk": "Violated",
    "performance_risk": "Risk",
    "risks": "Risk by dimension",
    "capacity": "Capacity",
    "refused_because": "Refused because",
}
PREFERENCE_TITLES = {
    "cpu_percentile": "CPU percentile",
    "cpu_headroom": "CPU headroom",
    "memory_headroom": "Memory headroom",
    "risk_cap": "Risk cap",
}

ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="What decides where no analysis has: published, calibrated, auto. Default: setting.",
    ),
]
AsTypeOption = Annotated[
    str | None,
    typer.Option(
        "--type", help="Type, where a resource is of two: License for the license of an instance."
    ),
]
AgainstOption = Annotated[
    str | None,
    typer.Option("--against", help="Another day or moment: print what changed between the two."),
]
REFUSALS = {"reason": "Refused because", "types": "How many"}
DEPARTURES = {"fact": "Fact", "stored": "Stored", "now": "Now"}
TIPPING_POINTS = {
    "dimension": "Dimension",
    "unit": "Unit",
    "demand": "Demand",
    "demand_then": "From here on",
    "finding": "Finding then",
    "first_option": "First option then",
}
PREFERENCES = {
    "preference": "Preference",
    "value": "Value",
    "finding": "Finding then",
    "first_option": "First option then",
}


def explain(
    resource: Annotated[str, typer.Argument(help="ARN or id of a resource in the inventory.")],
    as_of: AsOfOption = None,
    against: AgainstOption = None,
    profile: ProfileOption = None,
    as_type: AsTypeOption = None,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Print what decided one recommendation, or what changed it between two moments."""
    settings = settings_for(data_dir, profile=profile)
    with opened(settings) as application:
        stores = (application.state, tiles_of(settings), application.clock)
        moment = as_of_moment(as_of, application.clock)
        other = as_of_moment(against, application.clock, "--against")
        limits = read_idle_limits(settings.idle_limits)
        if other is not None:
            comparison = compare(
                *stores,
                resource,
                as_of=moment,
                against=other,
                profile=settings.profile,
                idle_limits=limits,
            )
            show_comparison(comparison, output)
            return
        explanation = explain_resource(
            *stores,
            resource,
            as_of=moment,
            profile=settings.profile,
            idle_limits=limits,
            as_type=as_type,
        )
    if output is Format.JSON:
        print_json(msgspec.to_builtins(explanation))
    else:
        print_explanation(explanation)


def print_explanation(explanation: Explanation) -> None:
    """Print an explanation for people."""
    _print_verdict(explanation)
    _print_metrics(explanation)
    print_prediction(explanation)
    for caution in explanation.cautions:
        Console(soft_wrap=True, highlight=False, markup=False).print(f"Mind: {caution}")
    if explanation.dimensions:
        rows = [_dimension_row(one) for one in explanation.dimensions]
        print_rows(rows, DIMENSIONS, Format.TABLE, "What each dimension asks for")
    asked = [one.dimension for one in explanation.dimensions if one.limit is not None]
    if explanation.considered:
        rows = [_type_row(one, asked) for one in explanation.considered]
        print_rows(rows, TYPES, Format.TABLE, "Types that were closest")
    print_choices(explanation.choices)
    print_figures(explanation.figures)
    rows = [{"reason": one.reason, "types": one.types} for one in explanation.refusals]
    if rows:
        fitting = counted(
            explanation.fitting_types, "types" if explanation.considered else "choices"
        )
        fit = "fits" if explanation.fitting_types == 1 else "fit"
        title = f"{fitting} {fit}; the others"
        print_rows(rows, REFUSALS, Format.TABLE, title)
    print_idle_rules(explanation.idle_rules)
    _print_departures(explanation.departures)
    if explanation.what_would_change is not None:
        _print_what_would_change(explanation.what_would_change)


def _print_departures(found: Sequence[Departure] | None) -> None:
    if found is None:
        return
    if not found:
        Console(soft_wrap=True).print("The stored recommendation rests on the same figures.")
        return
    rows: list[dict[str, Any]] = [msgspec.to_builtins(one) for one in found]
    print_rows(rows, DEPARTURES, Format.TABLE, "Not what it was when it was stored")


def _print_what_would_change(found: WhatWouldChange) -> None:
    rows = [
        {
            "dimension": one.dimension,
            "unit": one.unit,
            "demand": number(one.demand),
            "demand_then": number(one.demand_then),
            **_then(one.answer, one.changes),
        }
        for one in found.tipping_points
    ]
    print_rows(rows, TIPPING_POINTS, Format.TABLE, "Demand that would change the answer")
    rows = [
        {
            "preference": PREFERENCE_TITLES[one.preference],
            "value": _preference(one),
            **_then(one.answer, one.changes),
        }
        for one in found.preferences
    ]
    print_rows(rows, PREFERENCES, Format.TABLE, "The answer with other preferences")


def _then(answer: Answer, changes: Sequence[str]) -> dict[str, Any]:
    """Return the answer's cells; what does not change is said to be the same."""
    told: dict[str, Any] = msgspec.to_builtins(answer)
    return {name: value if name in changes else SAME for name, value in told.items()}


def _preference(one: OtherPreference) -> str:
    is_share = one.preference.endswith(("headroom", "cap"))
    return percent(one.value, 0) if is_share else f"P{one.value:g}"


def _print_verdict(explanation: Explanation) -> None:
    console = Console(soft_wrap=True, highlight=False, markup=False)
    window = explanation.window
    console.print(explanation.resource_arn)
    console.print(_price(explanation))
    console.print(
        f"Window {window.first} to {window.last}, as of {explanation.as_of:%Y-%m-%d %H:%M}"
    )
    console.print(_history(explanation.history))
    codes = ", ".join(explanation.finding_reason_codes) or "no reason codes"
    console.print(f"Finding: {explanation.finding} ({codes})")
    if explanation.storage_finding is not None:
        console.print(f"Storage: {explanation.storage_finding}")
    if explanation.dimensions:
        console.print(f"Binding dimension: {explanation.binding_dimension or 'none'}")
    if explanation.idle is not None:
        console.print(f"Idle: {'yes' if explanation.idle else 'no'}")


def _history(history: History) -> str:
    counts = (
        f"History: {history.days_with_data} of {history.days} days have samples of {history.of}, "
        f"{percent(history.share)} of the slots "
        f"({history.samples:,}; {history.samples_needed:,} needed)"
    )
    if history.oldest is None:
        return counts
    return f"{counts}, from {history.oldest:%Y-%m-%d %H:%M} to {history.newest:%Y-%m-%d %H:%M}"


def _price(explanation: Explanation) -> str:
    name = explanation.current or explanation.instance_type
    hourly, monthly = explanation.current_hourly_usd, explanation.current_monthly_usd
    dates = f"types of {explanation.types_date}" if explanation.types_date else ""
    if hourly is not None or monthly is not None:
        # Both are there where two things are paid: a database's class and its storage.
        what = (" for the class", " for its storage") if None not in (hourly, monthly) else ("", "")
        prices = [
            f"{usd(price)} USD {unit}{of}"
            for price, unit, of in zip((hourly, monthly), ("an hour", "a month"), what, strict=True)
            if price is not None
        ]
        dates = f"prices of {explanation.price_date}" + (f", {dates}" if dates else "")
        return f"{name}, {' and '.join(prices)} ({dates})"
    # Without a recommendation nobody looked for the price.
    was_looked_for = explanation.finding in set(Finding)
    told = f"{name}, price unknown" if was_looked_for else name
    return f"{told} ({dates})" if dates else told


def _print_metrics(explanation: Explanation) -> None:
    rows = [
        {
            "metric": one.metric,
            "statistic": one.statistic,
            "samples": one.samples,
            "missing": percent(one.missing_share),
            "maximum": one.maximum,
        }
        for one in explanation.metrics
    ]
    print_rows(rows, METRICS, Format.TABLE, "Metrics")


def _dimension_row(one: DimensionEvidence) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(one)
    for field in ("demand", "limit", "current_capacity", "maximum"):
        row[field] = "" if row[field] is None else number(row[field])
    return row | {"headroom": percent(one.headroom, 0), "percentile": f"P{one.percentile:g}"}


def _type_row(one: TypeEvidence, asked: Sequence[str]) -> dict[str, Any]:
    """Return a row that shows the capacity of the dimensions that something is asked of."""
    capacity = ", ".join(f"{name} {number(one.capacity[name])}" for name in asked)
    ranks = ", ".join(f"{rank} ({pool})" for pool, rank in one.ranks.items())
    return {
        "instance_type": one.instance_type,
        "ranks": ranks,
        "hourly_usd": f"{one.hourly_usd:.4f}",
        "violation_risk": "" if one.violation_risk is None else percent(one.violation_risk),
        "performance_risk": one.performance_risk,
        "risks": ", ".join(
            f"{name} {risk:g}" for name, risk in one.risks.items() if risk is not None
        ),
        "capacity": capacity,
        "refused_because": "; ".join(one.refused_because),
    }
