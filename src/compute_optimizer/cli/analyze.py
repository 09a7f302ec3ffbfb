"""`compute-optimizer analyze`: turn the stored metrics into recommendations."""

from collections.abc import Mapping
from datetime import date, timedelta
from time import perf_counter
from typing import Annotated, Any

import typer

from compute_optimizer.app import opened, tiles_of
from compute_optimizer.cli.as_of import AsOfOption, as_of_moment
from compute_optimizer.cli.executing import AddressOption, ExecutorOption, Where, executing
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    settings_for,
    warn,
)
from compute_optimizer.cli.progress import counted_bars
from compute_optimizer.jobs.analysis_tally import AnalysisTally
from compute_optimizer.jobs.analyze import AnalysisRun
from compute_optimizer.jobs.analyze import analyze as analyze_fleet
from compute_optimizer.jobs.idle_limits import read_idle_limits
from compute_optimizer.jobs.prices import stale_since
from compute_optimizer.model.counted import counted
from compute_optimizer.resources import plural_of

AccountsOption = Annotated[
    list[str] | None,
    typer.Option("--account", help="Account to analyze; repeat it for several. Default: all."),
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", min=0, help="Processes that analyze; 0 means one per core."),
]

ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile", help="What decides: published, calibrated or auto. Default: the setting."
    ),
]

IdleLimitsOption = Annotated[
    str | None,
    typer.Option(help="YAML file of other limits of idleness. Default: the setting."),
]


def analyze(
    as_of: AsOfOption = None,
    account: AccountsOption = None,
    workers: WorkersOption = None,
    profile: ProfileOption = None,
    idle_limits: IdleLimitsOption = None,
    executor: ExecutorOption = Where.LOCAL,
    address: AddressOption = "",
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Analyze the metrics of every opted-in account and publish the recommendations at once."""
    settings = settings_for(data_dir, workers=workers, profile=profile, idle_limits=idle_limits)
    limits = read_idle_limits(settings.idle_limits)
    began = perf_counter()
    with (
        opened(settings) as application,
        executing(application, executor, address) as execute,
        counted_bars() as bar,
    ):
        shards = bar.add_task("Analyzing shards", total=None)
        analysis = analyze_fleet(
            application.state,
            tiles_of(settings),
            application.clock,
            as_of=as_of_moment(as_of, application.clock),
            accounts=account,
            profile=settings.profile,
            idle_limits=limits,
            progress=lambda done, total: bar.update(shards, completed=done, total=total),
            executor=execute,
        )
    summary = _summary(analysis, perf_counter() - began)
    _warn_of_old_prices(analysis, timedelta(days=settings.price_max_age_days))
    if output is Format.JSON:
        print_json(summary)
    else:
        _print_summary(summary)


def _summary(analysis: AnalysisRun, seconds: float) -> dict[str, Any]:
    tally = analysis.tally
    return {
        "runId": analysis.run_id,
        "asOf": analysis.as_of.isoformat(),
        "lookBackFirstDay": analysis.window.first.isoformat(),
        "lookBackLastDay": analysis.window.last.isoformat(),
        "accounts": list(analysis.accounts),
        "resources": tally.resources,
        "findings": dict(sorted(tally.findings.items())),
        "byResourceType": _by_type(tally),
        "errors": dict(sorted(tally.errors.items())),
        "oldestPriceDate": _day(tally.oldest_price),
        "estimatedMonthlySavings": round(tally.monthly_savings, 2),
        "idle": dict(sorted(tally.idle.items())),
        "idleEstimatedMonthlySavings": round(tally.idle_savings, 2),
        "seconds": round(seconds, 3),
        "resourcesPerSecond": round(tally.resources / seconds, 1),
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _warn_of_old_prices(analysis: AnalysisRun, max_age: timedelta) -> None:
    stale = stale_since(analysis.tally.oldest_price, analysis.as_of.date(), max_age)
    if stale is not None:
        warn(
            f"the oldest prices are of {stale}, over {max_age.days} days before; load newer ones "
            "with `compute-optimizer prices load`, or your own with `prices import`"
        )


def _by_type(tally: AnalysisTally) -> dict[str, dict[str, int]]:
    """Return how many resources of each type have each finding or error."""
    found: dict[str, dict[str, int]] = {}
    for (kind, outcome), count in sorted(tally.by_type.items()):
        found.setdefault(kind, {})[outcome] = count
    return found


def counted_types(by_type: Mapping[str, Mapping[str, int]]) -> str:
    """Return such as `60 volumes, 3 groups and 240 instances`."""
    counts = [counted(sum(found.values()), plural_of(kind)) for kind, found in by_type.items()]
    most, last = ", ".join(counts[:-1]), counts[-1] if counts else "no resources"
    return f"{most} and {last}" if most else last


def _print_summary(summary: dict[str, Any]) -> None:
    print(
        f"Analyzed {counted_types(summary['byResourceType'])} of "
        f"{counted(len(summary['accounts']), 'accounts')}, "
        f"{summary['lookBackFirstDay']} to {summary['lookBackLastDay']}, in "
        f"{summary['seconds']:.1f} s ({summary['resourcesPerSecond']:,.0f} a second)."
    )
    for kind, outcomes in summary["byResourceType"].items():
        if len(summary["byResourceType"]) > 1:
            print(kind)
        for outcome, count in outcomes.items():
            print(f"  {outcome:<28} {count:>8,}")
    print(f"Estimated monthly savings: {summary['estimatedMonthlySavings']:,.2f} USD")
    if idle := summary["idle"]:
        told = ", ".join(f"{count:,} {name}" for name, count in idle.items())
        print(f"Idle: {told}; {summary['idleEstimatedMonthlySavings']:,.2f} USD a month")
