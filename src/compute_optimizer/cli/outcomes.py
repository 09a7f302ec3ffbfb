"""`compute-optimizer decisions outcomes`: what came of the changes that were advised and made."""

from typing import Annotated, Any

import typer

from compute_optimizer.app import opened, tiles_of
from compute_optimizer.backtest.intervals import wilson
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    print_rows,
    settings_for,
)
from compute_optimizer.jobs.outcomes import outcomes as outcomes_of
from compute_optimizer.model.outcome import Outcome, Totals, totals_of

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


def outcomes(
    account: Annotated[
        list[str] | None, typer.Option("--account", help="Only this account; may be repeated.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Changes shown; 0 shows all.")] = SHOWN,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Show what applied recommendations have saved and hurt so far, beside what was predicted."""
    settings = settings_for(data_dir)
    with opened(settings) as application:
        tiles = tiles_of(settings)
        found = outcomes_of(application.state, tiles, application.clock, account)
    totals = totals_of(found)
    if output is Format.JSON:
        told = [outcome_as_json(one) for one in found]
        print_json({"outcomes": told, "totals": totals_as_json(totals)})
    elif not found:
        print("No recommendation was applied yet, as far as the inventory shows.")
    else:
        shown = found[:limit] if limit else found
        print_rows([_row(one) for one in shown], HEADINGS, output)
        _print_totals(totals)


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
        "predictedSavings": _usd(one.predicted_savings_usd),
        "realizedSavings": _usd(one.realized_savings_usd),
        "violationRisk": one.violation_risk,
        "violated": one.violated,
        "judgedDays": round(one.judged_days, 2),
        "complete": one.complete,
        "notJudgedBecause": one.unjudged_because or None,
    }


def totals_as_json(totals: Totals) -> dict[str, Any]:
    """Return the sums for programs."""
    low, high = wilson(totals.violations, totals.judged)
    return {
        "changes": totals.changes,
        "predictedSavings": round(totals.predicted_savings_usd, 2),
        "realizedSavings": round(totals.realized_savings_usd, 2),
        "withoutPrice": totals.without_price,
        "judged": totals.judged,
        "expectedViolations": totals.expected_violations,
        "violations": totals.violations,
        "violationsInterval": [low * totals.judged, high * totals.judged],
    }


def _print_totals(totals: Totals) -> None:
    print(
        f"Realized: {totals.realized_savings_usd:,.2f} USD so far, of "
        f"{totals.predicted_savings_usd:,.2f} that were predicted for the same time."
    )
    if totals.without_price:
        print(f"Of {totals.without_price:,} the price is unknown.")
    if totals.judged:
        low, high = wilson(totals.violations, totals.judged)
        print(
            f"Violated within 14 days: {totals.violations} of {totals.judged} "
            f"(95 % interval {low * totals.judged:.0f} to {high * totals.judged:.0f}); "
            f"{totals.expected_violations:.1f} were expected."
        )


def _row(one: Outcome) -> dict[str, Any]:
    applied, advice = one.applied, one.applied.advice
    since = applied.applied_at
    risk = one.violation_risk
    return {
        "recommendationId": applied.recommendation_id,
        "name": advice.name,
        "current": advice.current_text,
        "recommended": advice.advised_text,
        "appliedAt": f"{since:%Y-%m-%d %H:%M}" if since else None,
        "days": f"{(one.until - since).total_seconds() / 86_400:.1f}" if since else None,
        "predictedSavings": one.predicted_savings_usd,
        "realizedSavings": one.realized_savings_usd,
        "violationRisk": None if risk is None else f"{risk:.1%}",
        "violated": _violated(one),
    }


def _violated(one: Outcome) -> str:
    if one.violated is None:
        return f"not judged: {one.unjudged_because}"
    word = "yes" if one.violated else "no"
    return word if one.complete else f"{word}, after {one.judged_days:.0f} of 14 days"


def _usd(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
