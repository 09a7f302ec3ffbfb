"""`compute-optimizer backtest`: replay the past, and say how often the advice would have hurt."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from compute_optimizer.backtest.fleet import TraceFleet
from compute_optimizer.backtest.run import BUDGETS, SEED
from compute_optimizer.backtest.studies import LOOKBACKS
from compute_optimizer.cli.backtest_keeping import Keeping, refuse_account, show_history
from compute_optimizer.cli.backtest_plots import require_matplotlib, write_plots
from compute_optimizer.cli.backtest_tables import print_report
from compute_optimizer.cli.executing import (
    AddressOption,
    ExecutorOption,
    Where,
    WorkersOption,
    Workplace,
    refuse_executor,
)
from compute_optimizer.cli.option_values import day_of, share_of
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    settings_for,
)
from compute_optimizer.cli.progress import step_bar
from compute_optimizer.cli.replay_tables import print_replay
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import StageProgress
from compute_optimizer.jobs.backtest import (
    BacktestRequest,
    backtest_stored,
    trace_fleet,
)
from compute_optimizer.jobs.backtest import backtest as run_backtest
from compute_optimizer.jobs.replay import (
    demo_past,
    replay,
    replayed_type,
    stored_past,
    with_changes,
)
from compute_optimizer.model.account import check_account_id
from compute_optimizer.model.metrics import Statistic
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.resources.resource_type import ResourceType

USUAL_BUDGETS = ",".join(f"{budget:g}" for budget in BUDGETS)


DemoOption = Annotated[
    bool, typer.Option("--demo", help="Replay the generated fleet of the demo (with --type).")
]
TypeOption = Annotated[
    str | None,
    typer.Option("--type", help="Replay the advice for this type of resource, such as EbsVolume."),
]
SpeedOption = Annotated[
    bool, typer.Option("--processor-speed", help="Let faster processors count as larger.")
]
RobustnessOption = Annotated[
    bool, typer.Option("--robustness", help="Also with worse data, and on each next day.")
]
LookbacksOption = Annotated[
    bool, typer.Option("--lookbacks", help="Also with 3, 7, 14, 28 and 60 days of past.")
]
AblationOption = Annotated[
    bool, typer.Option("--ablation", help="Also with the risk fitted on other features.")
]
DimensionsOption = Annotated[
    str | None,
    typer.Option(help="Some of cpu,memory,disk,network. Default: all that there are."),
]
StatisticOption = Annotated[
    Statistic | None, typer.Option(help="Which one, where a trace has several.")
]
FitOption = Annotated[
    Path | None, typer.Option(help="Choose knobs on this other trace file (transfer).")
]
BudgetsOption = Annotated[str, typer.Option(help="Shares of the resources that may be violated.")]
OriginOption = Annotated[
    list[str] | None,
    typer.Option(help="First day of a test window; repeat it. Default: the trace's own."),
]
HistoryOption = Annotated[
    bool, typer.Option("--history", help="Show what is kept of backtests of your fleet.")
]
AccountOption = Annotated[
    str | None, typer.Option(help="Only what this account sees. Default: all that are opted in.")
]
StoreOption = Annotated[
    bool, typer.Option(help="Keep the usual backtest of your fleet, for the console and --history.")
]
PlotsOption = Annotated[
    Path | None, typer.Option(help="Folder for plots (SVG and PNG; extra `plots`).")
]


def backtest(
    trace: Annotated[
        Path | None, typer.Option(help="Trace file to replay (Parquet: Bitbrains, Azure 2017).")
    ] = None,
    fleet: Annotated[
        bool, typer.Option("--fleet", help="Replay the imported metrics of your own fleet.")
    ] = False,
    demo: DemoOption = False,
    history: HistoryOption = False,
    resource_type: TypeOption = None,
    account: AccountOption = None,
    dimensions: DimensionsOption = None,
    fit: FitOption = None,
    budgets: BudgetsOption = USUAL_BUDGETS,
    origin: OriginOption = None,
    statistic: StatisticOption = None,
    processor_speed: SpeedOption = False,
    robustness: RobustnessOption = False,
    lookbacks: LookbacksOption = False,
    ablation: AblationOption = False,
    seed: Annotated[int, typer.Option(min=0, help="Of folds and bootstrap samples.")] = SEED,
    store: StoreOption = True,
    plots: PlotsOption = None,
    workers: WorkersOption = None,
    executor: ExecutorOption = Where.LOCAL,
    address: AddressOption = "",
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Replay the past through the product's rule and its peers', and score their advice."""
    whose = None if account is None else check_account_id(account)
    place = Workplace(settings_for(data_dir), executor, address, workers)
    keeping = Keeping(place, whose, store, output)
    kind = _other_type(resource_type)
    if history:
        _refuse_for_history(trace, fleet, demo)
        show_history(keeping, resource_type)
        return
    _check_source(trace, fleet, demo, statistic)
    if not fleet:
        refuse_executor(executor, address, "a trace or the demo", workers)
        refuse_account(account)
    days = tuple(day_of("--origin", word) for word in origin or ())
    if kind is not None:
        asked = (trace, dimensions, fit, processor_speed, robustness, lookbacks, ablation, plots)
        _refuse_for(kind, any(asked) or budgets != USUAL_BUDGETS)
        _replay(kind, demo, days, seed, keeping)
        return
    if demo:
        raise InvalidInput("--demo needs --type with another type than Ec2Instance")
    request = BacktestRequest(
        dimensions=tuple(_words(dimensions)),
        budgets=tuple(share_of("--budgets", word) for word in _words(budgets)),
        seed=seed,
        origins=days,
        processor_speed=processor_speed,
        robustness=robustness,
        lookbacks=LOOKBACKS if lookbacks else (),
        ablation=ablation,
    )
    _compare(Source(trace, statistic, fit), request, keeping, plots)


@dataclass(frozen=True, slots=True)
class Source:
    """Whose past is replayed."""

    trace: Path | None
    """None for the fleet of the metric store."""
    statistic: Statistic | None
    fit: Path | None


def _compare(
    source: Source, request: BacktestRequest, keeping: Keeping, plots: Path | None
) -> None:
    """Compare the rules on the past of instances, and keep what was usual of the own fleet."""
    if plots is not None:
        require_matplotlib()
    with step_bar() as progress:
        progress("Reading", 0, 1)
        fit_on = trace_fleet(source.fit, source.statistic) if source.fit else None
        report = _scored(source, request, keeping, fit_on, progress)
    if plots is not None:
        write_plots(report, plots)
    if source.trace is None:
        keeping.keep(EC2_INSTANCE, report, is_usual=request == BacktestRequest() and not fit_on)
    if keeping.output is Format.JSON:
        print_json(report)
    else:
        print_report(report)


def _scored(
    source: Source,
    request: BacktestRequest,
    keeping: Keeping,
    fit_on: TraceFleet | None,
    progress: StageProgress,
) -> dict[str, Any]:
    """Return the scores of a trace, or of the metric store where there is none."""
    if source.trace is not None:
        return run_backtest(trace_fleet(source.trace, source.statistic), request, fit_on, progress)
    with keeping.place.opened() as (application, tiles, execute):
        state, whose = application.state, keeping.whose(application)
        return backtest_stored(state, tiles, request, fit_on, progress, execute, whose)


def _other_type(name: str | None) -> ResourceType | None:
    """Return the type to replay; None for instances, which have peers to be compared with."""
    return None if name in (None, EC2_INSTANCE) else replayed_type(str(name))


def _refuse_for(kind: ResourceType, asked: bool) -> None:
    if asked:
        raise InvalidInput(
            f"--type {kind.name} takes --fleet or --demo, --origin, --seed and --output; the "
            "other options are about instances"
        )


def _refuse_for_history(trace: Path | None, fleet: bool, demo: bool) -> None:
    if trace is not None or fleet or demo:
        raise InvalidInput(
            "--history shows what is kept of backtests of the fleet and replays nothing; give it "
            "with --type, --account and --output only"
        )


def _replay(
    kind: ResourceType, demo: bool, origins: tuple[date, ...], seed: int, keeping: Keeping
) -> None:
    with step_bar() as progress:
        progress("Reading", 0, 1)
        if demo:
            report = replay(demo_past(kind), origins, seed, progress)
        else:
            with keeping.place.opened() as (application, tiles, execute):
                state, whose = application.state, keeping.whose(application)
                past = stored_past(state, tiles, kind, whose)
                report = replay(past, origins, seed, progress, execute)
                report = with_changes(report, state, tiles, application.clock, kind, whose)
    if not demo:
        keeping.keep(kind.name, report, is_usual=not origins and seed == SEED)
    if keeping.output is Format.JSON:
        print_json(report)
    else:
        print_replay(report)


def _check_source(trace: Path | None, fleet: bool, demo: bool, statistic: Statistic | None) -> None:
    if (trace is not None) + fleet + demo != 1:
        raise InvalidInput(
            "what shall be replayed? Give either --trace FILE or --fleet, or --demo with --type"
        )
    if fleet and statistic is not None:
        raise InvalidInput(
            "--statistic chooses among those of a trace file; a fleet is replayed on its maxima "
            "where it has some, as it is analyzed"
        )


def _words(given: str | None) -> list[str]:
    return [word.strip() for word in (given or "").split(",") if word.strip()]
