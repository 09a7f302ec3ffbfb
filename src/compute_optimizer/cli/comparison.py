"""Two answers side by side, and the inputs that made the difference, for people or programs."""

from collections.abc import Sequence
from typing import Any

import msgspec
from rich.console import Console

from compute_optimizer.cli.figures import SAME, number, percent, usd
from compute_optimizer.cli.output import Format, print_json, print_rows
from compute_optimizer.engine.comparison import Comparison, Exchange, Side
from compute_optimizer.engine.explanation import Answer, DimensionEvidence

COLUMNS = {"of": "", "before": "Before", "after": "After"}
DIMENSIONS = {
    "dimension": "Dimension",
    "unit": "Unit",
    "percentile": "Percentile",
    "demand_before": "Demand before",
    "demand_after": "Demand after",
    "change": "Change",
    "samples_before": "Samples before",
    "samples_after": "Samples after",
}
EXCHANGES = {
    "input": "Input",
    "forward": "Before, with this one of after",
    "backward": "After, with this one of before",
}


def show_comparison(comparison: Comparison, form: Format) -> None:
    """Print a comparison as tables, or as JSON."""
    if form is Format.JSON:
        print_json(msgspec.to_builtins(comparison))
        return
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(comparison.resource_arn)
    console.print(_verdict(comparison))
    before, after = _figures(comparison.before), _figures(comparison.after)
    rows = [{"of": name, "before": before[name], "after": after[name]} for name in before]
    print_rows(rows, COLUMNS, Format.TABLE, "What was the answer")
    pairs = zip(comparison.before.dimensions, comparison.after.dimensions, strict=True)
    known = [_dimension_row(*pair) for pair in pairs if pair[0].samples or pair[1].samples]
    if known:
        print_rows(known, DIMENSIONS, Format.TABLE, "What was asked for")
    rows = [_exchange_row(one) for one in comparison.exchanges]
    print_rows(rows, EXCHANGES, Format.TABLE, "One input exchanged, all others as they were")
    console.print("The same for both: inventory, catalog, prices and preferences of today.")


def _verdict(comparison: Comparison) -> str:
    if not comparison.changes:
        return "Neither the finding nor the first option changed."
    changed = " and the ".join(name.replace("_", " ") for name in comparison.changes)
    if comparison.decisive:
        return f"The {changed} changed; alone enough for it: {'; '.join(comparison.decisive)}."
    return f"The {changed} changed; it took several inputs together."


def _figures(side: Side) -> dict[str, str]:
    """Return the rows of one side, in the order in which they are shown."""
    history = side.history
    told = {
        "As of": f"{side.as_of:%Y-%m-%d %H:%M}",
        "Window": f"{side.window.first} to {side.window.last}",
        "Finding": side.answer.finding,
        "Reason codes": ", ".join(side.finding_reason_codes),
        "First option": side.answer.first_option or "none",
        "Its USD an hour": usd(side.first_option_hourly_usd),
        "Its USD a month": usd(side.first_option_monthly_usd),
        "Instance type" if side.types_date else "What it is": side.current or side.instance_type,
        "USD an hour": usd(side.current_hourly_usd),
        "USD a month": usd(side.current_monthly_usd),
        "Prices of": str(side.price_date or "unknown"),
        "Binding dimension": side.binding_dimension or "none",
        "Idle": "unknown" if side.idle is None else ("yes" if side.idle else "no"),
        "Days with data": f"{history.days_with_data} of {history.days}",
        f"Samples of {history.of}": f"{history.samples:,} ({percent(history.share)})",
    }
    hourly, monthly = bool(side.types_date), bool(side.current) or not side.types_date
    units = {"hour": hourly, "month": monthly}
    return {
        name: text
        for name, text in told.items()
        if all(shown or unit not in name for unit, shown in units.items())
    }


def _dimension_row(before: DimensionEvidence, after: DimensionEvidence) -> dict[str, Any]:
    change = ""
    if before.demand and after.demand is not None:
        change = f"{(after.demand / before.demand - 1) * 100:+,.1f} %"
    return {
        "dimension": after.dimension,
        "unit": after.unit,
        "percentile": f"P{after.percentile:g}",
        "demand_before": number(before.demand),
        "demand_after": number(after.demand),
        "change": change,
        "samples_before": before.samples,
        "samples_after": after.samples,
    }


def _exchange_row(one: Exchange) -> dict[str, str]:
    return {
        "input": one.input,
        "forward": _effect(one.forward, one.changes),
        "backward": _effect(one.backward, one.undoes),
    }


def _effect(answer: Answer, changes: Sequence[str]) -> str:
    told = [str(getattr(answer, name) or "no option") for name in changes]
    return ", ".join(told) if told else SAME
