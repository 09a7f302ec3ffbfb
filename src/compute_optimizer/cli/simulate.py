"""`compute-optimizer simulate`: what other preferences would cost, save and hurt."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer

from compute_optimizer.backtest.grid import BOTH, CALIBRATED_GRID, WIRE_GRID, Grid, Lists
from compute_optimizer.cli.as_of import AsOfOption, as_of_moment
from compute_optimizer.cli.executing import (
    AddressOption,
    ExecutorOption,
    Where,
    Workplace,
    refuse_executor,
)
from compute_optimizer.cli.figures import percent
from compute_optimizer.cli.option_values import day_of
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    print_rows,
    settings_for,
)
from compute_optimizer.cli.progress import step_bar
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import StageProgress
from compute_optimizer.jobs.risk import risk_policy
from compute_optimizer.jobs.simulate import simulate as simulate_fleet
from compute_optimizer.jobs.simulated_fleets import imported_fleet, traced_fleet
from compute_optimizer.model.counted import counted
from compute_optimizer.model.metrics import Statistic
from compute_optimizer.model.preferences import AWS_ARM64, CURRENT


class Architecture(StrEnum):
    """Which options are looked at."""

    CURRENT = CURRENT
    AWS_ARM64 = AWS_ARM64
    BOTH = BOTH


COLUMNS = {
    "percentile": "CPU percentile",
    "cpu_headroom": "CPU headroom",
    "memory_headroom": "Memory headroom",
    "lookback_days": "Days",
    "risk": "Risk cap",
    "architecture": "Architecture",
    "types": "Types",
    "cost_after": "USD a month",
    "savings": "Savings",
    "savings_share": "Share",
    "changed": "Changed",
    "violations": "Violations",
    "marks": "",
}
"""Of the table, in its order."""

RiskCapOption = Annotated[
    list[float] | None,
    typer.Option(help="Highest predicted risk of an option, such as 0.05; instead of the rule."),
]
IncidentOption = Annotated[
    list[float] | None, typer.Option(help="What a violation is held to cost; with --risk-cap.")
]
IncludeOption = Annotated[
    list[str] | None,
    typer.Option(help="Only these types, a list such as m6i,c6i.*,r?i.large; * is all."),
]
ExcludeOption = Annotated[
    list[str] | None, typer.Option(help="Never these types, a list such as t3,*.metal.")
]


def simulate(
    trace: Annotated[
        Path | None, typer.Option(help="Trace file instead of the imported fleet (Parquet).")
    ] = None,
    percentile: Annotated[
        list[float] | None, typer.Option(help="CPU percentile, such as 90, 95 or 99.5.")
    ] = None,
    cpu_headroom: Annotated[
        list[float] | None, typer.Option(help="Share of the CPU left free, such as 0.2.")
    ] = None,
    memory_headroom: Annotated[
        list[float] | None, typer.Option(help="Share of the memory left free, such as 0.2.")
    ] = None,
    lookback: Annotated[list[int] | None, typer.Option(help="Days to look back.")] = None,
    risk_cap: RiskCapOption = None,
    incident_usd: IncidentOption = None,
    architecture: Annotated[
        list[Architecture] | None, typer.Option(help="Whose options are ranked.")
    ] = None,
    include: IncludeOption = None,
    exclude: ExcludeOption = None,
    origin: Annotated[
        str | None,
        typer.Option(help="First day of the test window. Default: the last third of the days."),
    ] = None,
    statistic: Annotated[
        Statistic | None, typer.Option(help="Which one, where a trace has several.")
    ] = None,
    as_of: AsOfOption = None,
    executor: ExecutorOption = Where.LOCAL,
    address: AddressOption = "",
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Try out preferences on the past: cost, savings, changed advice and violations of each.

    Every option of an axis may be repeated; each combination is tried. Without any, all values
    of percentile and headrooms that the service knows, and caps on the predicted risk.
    """
    axes = {
        "percentiles": percentile,
        "cpu_headrooms": cpu_headroom,
        "memory_headrooms": memory_headroom,
        "lookbacks": lookback,
        "architectures": [one.value for one in architecture or ()],
        "includes": _lists(include),
        "excludes": _lists(exclude),
        "risk_caps": risk_cap,
        "incidents_usd": incident_usd,
    }
    grids = _grids(axes)
    first_tested = None if origin is None else day_of("--origin", origin)
    if trace is not None and as_of is not None:
        raise InvalidInput("a trace is simulated as of its end; give --as-of without --trace")
    if trace is not None:
        refuse_executor(executor, address, "a trace")
    began = perf_counter()
    with step_bar("Reading") as progress:
        if trace is not None:
            report = simulate_fleet(traced_fleet(trace, statistic), grids, first_tested, progress)
        else:
            place = Workplace(settings_for(data_dir), executor, address)
            report = _of_store(place, as_of, grids, first_tested, progress)
    if output is Format.JSON:
        print_json(report)
    else:
        _print_report(report, perf_counter() - began)


def _of_store(
    place: Workplace,
    as_of: str | None,
    grids: Sequence[Grid],
    first_tested: date | None,
    progress: StageProgress,
) -> dict[str, Any]:
    """Return the report of the imported fleet, with its own risk model where it has one."""
    with place.opened() as (application, tiles, execute):
        moment = as_of_moment(as_of, application.clock)
        fleet = imported_fleet(application.state, tiles, application.clock, moment)
        with application.state.reading() as connection:
            model = risk_policy(connection, application.settings.profile).model
        # One process tells its progress by grid points, an executor by shards.
        far = None if place.where is Where.LOCAL else execute
        return simulate_fleet(fleet, grids, first_tested, progress, model, executor=far)


def _grids(axes: dict[str, Any]) -> tuple[Grid, ...]:
    """Return the grid of the axes that were given; the others keep to the default preferences.

    Without any, all values of the service and a few caps on predicted risk.
    """
    if axes["incidents_usd"] and not axes["risk_caps"]:
        raise InvalidInput("--incident-usd means nothing to the rule; give a --risk-cap with it")
    given = {name: tuple(values) for name, values in axes.items() if values}
    return (Grid(**given),) if given else (WIRE_GRID, CALIBRATED_GRID)


def _lists(given: Sequence[str] | None) -> Lists:
    return tuple(
        tuple(word.strip().lower() for word in one.split(",") if word.strip() not in ("", "*"))
        for one in given or ()
    )


def _print_report(report: dict[str, Any], seconds: float) -> None:
    points = report["points"]
    print(
        f"{counted(report['resources'], 'instances')} of {report['fleet']}, {report['judged']:,} "
        f"with a recommendation, as of {report['as_of'][:16].replace('T', ' ')} UTC; today they "
        f"cost {points[0]['cost_now']:,.2f} USD a month."
    )
    if report["tested"]:
        print(
            f"Violations: advice of {report['origin']}, tested on the "
            f"{counted(report['test_days'], 'days')} "
            f"from then on; share of {counted(report['tested'], 'instances')}."
        )
    print_rows([_shown(point) for point in points], COLUMNS, Format.TABLE)
    print("Changed: finding or first option differ from those of the default preferences.")
    if any(point["pareto"] for point in points):
        print("pareto: no other line costs less without more violations, or the reverse.")
    for note in report["notes"]:
        print(note)
    print(f"{counted(len(points), 'combinations')} in {seconds:.1f} s.")


def _shown(point: dict[str, Any]) -> dict[str, Any]:
    marks = [name for name in ("pareto", "default") if point[name]]
    violations = point["violations"]
    return {
        **point,
        "percentile": f"P{point['percentile']:g}",
        "cpu_headroom": percent(point["cpu_headroom"], 0),
        "memory_headroom": percent(point["memory_headroom"], 0),
        "risk": "" if point["risk_cap"] is None else percent(point["risk_cap"], 0),
        "types": _types(point["include"], point["exclude"]),
        "savings_share": percent(point["savings_share"]),
        "violations": "" if violations is None else percent(violations, 2),
        "marks": ", ".join(marks),
    }


def _types(include: Sequence[str], exclude: Sequence[str]) -> str:
    words = [",".join(include) or "all"]
    return " ".join([*words, f"without {','.join(exclude)}"] if exclude else words)
