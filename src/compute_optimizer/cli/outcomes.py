"""`compute-optimizer decisions outcomes`: what came of the changes that were advised and made."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from compute_optimizer.app import opened, tiles_of
from compute_optimizer.backtest.agreement import agreement
from compute_optimizer.backtest.intervals import wilson
from compute_optimizer.cli.figures import percent
from compute_optimizer.cli.narrowing import check_narrowing
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_first,
    print_json,
    print_rows,
    settings_for,
)
from compute_optimizer.jobs.outcomes import outcomes as outcomes_of
from compute_optimizer.model.outcome import (
    Outcome,
    Totals,
    Verdicts,
    totals_of,
    verdicts_by_type,
)
from compute_optimizer.views.plain_values import rounded

SHOWN = 50
"""Changes in the table unless more are asked for."""

HEADINGS = {
    "recommendationId": "Id",
    "name": "Name or id",
    "current": "Was",
    "recommended": "Became",
    "appliedAt": "Applied (UTC)",
    "days": "Days",
    "predictedSavings": "Predicted USD",
    "realizedSavings": "Realized USD",
    "violationRisk": "Risk",
    "violated": "Violated",
}

TYPE_HEADINGS = {
    "type": "Resource type",
    "changes": "Changes",
    "judged": "Judged",
    "violations": "Violated",
    "between": "95 %",
    "expected": "Expected",
    "agreement": "Came",
}


def outcomes(
    account: Annotated[
        list[str] | None, typer.Option("--account", help="Only this account; may be repeated.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Changes in the table; 0 shows all.")] = SHOWN,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Show what applied recommendations have saved and hurt so far, beside what was predicted."""
    settings = settings_for(data_dir)
    with opened(settings) as application:
        with application.state.reading() as connection:
            check_narrowing(connection, account)
        tiles = tiles_of(settings)
        found = outcomes_of(application.state, tiles, application.clock, account)
    totals = totals_of(found)
    if output is Format.JSON:
        told = [outcome_as_json(one) for one in found]
        totals_told = totals_as_json(totals) | {"byType": types_as_json(found)}
        print_json({"outcomes": told, "totals": totals_told})
    elif not found:
        print("No recommendation was applied yet, as far as the inventory shows.")
    else:
        print_first(found, limit, _row, HEADINGS)
        _print_totals(totals, found)


def outcome_as_json(one: Outcome) -> dict[str, Any]:
    """Return an outcome for programs."""
    applied, advice = one.applied, one.applied.advice
    return {
        "recommendationId": applied.recommendation_id,
        "resourceArn": advice.resource_arn,
        "resourceType": advice.resource_type,
        "accountId": advice.account_id,
        "name": advice.name,
        "current": advice.current_text,
        "recommended": advice.advised_text,
        "appliedAt": applied.applied_at and applied.applied_at.isoformat(),
        "countedUntil": one.until.isoformat(),
        "changedAgain": applied.ended_at is not None,
        "hours": round(one.hours, 2),
        "hoursAre": one.hours_are,
        "predictedSavings": rounded(one.predicted_savings_usd),
        "realizedSavings": rounded(one.realized_savings_usd),
        "violationRisk": one.violation_risk,
        "performanceRisk": one.performance_risk,
        "violated": one.violated,
        "judgedDays": round(one.judged_days, 2),
        "complete": one.complete,
        "verdict": one.verdict.value,
        "smallerIn": list(one.smaller_in),
        "violatedIn": list(one.violated_in),
        "unseenIn": list(one.unseen_in),
        "notJudgedBecause": one.unjudged_because or None,
    }


def totals_as_json(totals: Totals) -> dict[str, Any]:
    """Return the sums for programs."""
    return {
        "changes": totals.changes,
        "predictedSavings": round(totals.predicted_savings_usd, 2),
        "realizedSavings": round(totals.realized_savings_usd, 2),
        "withoutPrice": totals.without_price,
        **verdicts_as_json(totals.verdicts),
    }


def verdicts_as_json(one: Verdicts) -> dict[str, Any]:
    """Return how many were violated, for programs."""
    low, high = wilson(one.violations, one.judged)
    return {
        "judged": one.judged,
        "violations": one.violations,
        "violationsInterval": [low * one.judged, high * one.judged],
        "predicted": one.predicted,
        "expectedViolations": one.expected_violations,
        "violationsOfPredicted": one.violations_of_predicted,
    }


def types_as_json(found: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return the same by resource type, for programs."""
    return [
        {"resourceType": name, "idle": idle, "changes": one.changes, **verdicts_as_json(one)}
        for (name, idle), one in verdicts_by_type(found).items()
    ]


def _print_totals(totals: Totals, found: Sequence[Outcome]) -> None:
    print(
        f"Realized: {totals.realized_savings_usd:,.2f} USD so far, of "
        f"{totals.predicted_savings_usd:,.2f} that were predicted for the same time."
    )
    if totals.without_price:
        print(f"Of {totals.without_price:,} the price is unknown.")
    if totals.verdicts.judged:
        rows = [
            {"type": f"{name}, idle" if idle else name, **_counted(one)}
            for (name, idle), one in verdicts_by_type(found).items()
        ]
        rows.append({"type": "all", **_counted(totals.verdicts)})
        print_rows(rows, TYPE_HEADINGS, Format.TABLE, "Violated within 14 days")


def _counted(one: Verdicts) -> dict[str, Any]:
    low, high = wilson(one.violations, one.judged)
    between = f"{percent(low, 0)} to {percent(high, 0)}" if one.judged else None
    expected = f"{one.expected_violations:.1f} of {one.predicted}" if one.predicted else None
    said = agreement(one.expected_violations, one.violations_of_predicted, one.predicted)
    return {
        "changes": one.changes,
        "judged": one.judged,
        "violations": one.violations,
        "between": between,
        "expected": expected,
        "agreement": said.value if one.predicted else None,
    }


def _row(one: Outcome) -> dict[str, Any]:
    applied, advice = one.applied, one.applied.advice
    since = applied.applied_at
    return {
        "recommendationId": applied.recommendation_id,
        "name": advice.name,
        "current": advice.current_text,
        "recommended": advice.advised_text,
        "appliedAt": f"{since:%Y-%m-%d %H:%M}" if since else None,
        "days": f"{(one.until - since).total_seconds() / 86_400:.1f}" if since else None,
        "predictedSavings": one.predicted_savings_usd,
        "realizedSavings": one.realized_savings_usd,
        "violationRisk": _predicted(one),
        "violated": _violated(one),
    }


def _predicted(one: Outcome) -> str | None:
    """Return the predicted probability, else the performance risk by its name."""
    if one.violation_risk is not None:
        return percent(one.violation_risk)
    risk = one.performance_risk
    return None if risk is None else f"performance {risk:.1f}"


def _violated(one: Outcome) -> str:
    if one.violated is None:
        return f"not judged: {one.unjudged_because}"
    word = "yes" if one.violated else "no"
    if one.violated_in:
        word = f"{word}, in {', '.join(one.violated_in)}"
    return word if one.complete else f"{word}, after {one.judged_days:.0f} of 14 days"
