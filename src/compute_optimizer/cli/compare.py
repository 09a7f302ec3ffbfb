"""`compute-optimizer compare`: what the AWS service exported beside what is recommended here."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from compute_optimizer.app import opened
from compute_optimizer.cli.figures import number
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    print_rows,
    settings_for,
)
from compute_optimizer.jobs.compare import (
    DIFFERENT,
    ONLY_HERE,
    ONLY_THERE,
    SAME,
    ComparedResource,
    ExportComparison,
    compare_export,
)
from compute_optimizer.model.arn import short_name
from compute_optimizer.model.export import IDLE
from compute_optimizer.resources import plural_of

SHOWN = 20
"""Resources in the table unless more are asked for: a screen full."""

HEADINGS = {
    "resource": "Resource",
    "current": "Current",
    "outcome": "Outcome",
    "differences": "There -> here",
    "causes": "Why",
}


def compare(
    file: Annotated[Path, typer.Argument(help="CSV file that the AWS service exported.")],
    limit: Annotated[int, typer.Option(min=0, help="Resources in the table; 0 shows all.")] = SHOWN,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Compare an export of the AWS service with the current recommendations, by ARN."""
    with opened(settings_for(data_dir)) as application:
        found = compare_export(application.state, file)
    if output is Format.JSON:
        print_json(
            {"summary": _summary(found), "resources": [_as_json(r) for r in found.resources]}
        )
        return
    told = [one for one in found.resources if one.outcome != SAME]
    shown = told[:limit] if limit else told
    if shown:
        title = f"The first {len(shown):,} of {len(told):,} differences"
        print_rows([_row(one) for one in shown], HEADINGS, Format.TABLE, title)
    _print_summary(found)


def _summary(found: ExportComparison) -> dict[str, Any]:
    return {
        "resourceType": found.resource_type,
        "same": found.count(SAME),
        "different": found.count(DIFFERENT),
        "onlyThere": found.count(ONLY_THERE),
        "onlyHere": found.count(ONLY_HERE),
        "differencesByAspect": dict(found.by_aspect),
        "notCompared": list(found.not_compared),
        "skippedRows": found.skipped_rows,
        "estimatedMonthlySavingsThere": round(sum(r.savings_there for r in found.resources), 2),
        "estimatedMonthlySavingsHere": round(sum(r.savings_here for r in found.resources), 2),
    }


def _print_summary(found: ExportComparison) -> None:
    summary = _summary(found)
    both = summary["same"] + summary["different"]
    print(
        f"{both:,} {_plural(found.resource_type)} on both sides, {summary['same']:,} of them the "
        f"same; {summary['onlyThere']:,} only there, {summary['onlyHere']:,} only here."
    )
    differing = [f"{count:,} in {aspect}" for aspect, count in found.by_aspect.items() if count]
    if differing:
        print(f"They differ: {', '.join(differing)}.")
    print(
        f"Estimated savings: {summary['estimatedMonthlySavingsThere']:,.2f} a month there, "
        f"{summary['estimatedMonthlySavingsHere']:,.2f} here."
    )
    if found.not_compared:
        print(f"Not compared, because the file lacks the columns: {', '.join(found.not_compared)}.")
    if found.skipped_rows:
        print(f"{found.skipped_rows:,} rows of the file have no ARN or not every cell.")


def _plural(resource_type: str) -> str:
    return "idle resources" if resource_type == IDLE else plural_of(resource_type)


def _row(one: ComparedResource) -> dict[str, Any]:
    differences = (
        f"{each.aspect}: {_told(each.theirs)} -> {_told(each.ours)}" for each in one.disagreements
    )
    return {
        "resource": short_name(one.arn),
        "current": one.resource,
        "outcome": one.outcome,
        "differences": "; ".join(differences),
        "causes": "; ".join(one.causes),
    }


def _told(value: str | None) -> str:
    try:
        return number(float(value or ""))
    except ValueError:
        return value or "none"


def _as_json(one: ComparedResource) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(one)
    return {
        "resourceArn": found["arn"],
        "current": found["resource"],
        "outcome": found["outcome"],
        "differences": found["disagreements"],
        "causes": found["causes"],
        "estimatedMonthlySavingsThere": found["savings_there"],
        "estimatedMonthlySavingsHere": found["savings_here"],
    }
