"""`compute-optimizer calibrate`: fit the predicted risk on the own fleet."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from compute_optimizer.app import opened, tiles_of
from compute_optimizer.cli.auditing import record_command
from compute_optimizer.cli.executing import (
    AddressOption,
    ExecutorOption,
    Where,
    WorkersOption,
    executing,
    refuse_executor,
    tasks_at_once,
)
from compute_optimizer.cli.figures import percent
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    print_rows,
    settings_for,
)
from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs import calibrate as jobs
from compute_optimizer.jobs.backtest import trace_fleet
from compute_optimizer.model.risk import RiskModel
from compute_optimizer.store.risk import FLEET

TESTED = {
    "origin": "Origin",
    "resources": "Machines",
    "observed": "Violated",
    "expected": "Expected",
    "log_skill": "Log skill",
}


def calibrate(
    trace: Annotated[
        Path | None, typer.Option(help="Fit on this trace file instead, and keep nothing.")
    ] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Return to the model that ships.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Fit and tell, but keep nothing.")
    ] = False,
    workers: WorkersOption = None,
    executor: ExecutorOption = Where.LOCAL,
    address: AddressOption = "",
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Fit the predicted risk on the past of all opted-in accounts; the next analysis uses it."""
    if forget and (trace or dry_run):
        raise InvalidInput("--forget goes alone: it fits nothing")
    if trace is not None or forget:
        refuse_executor(executor, address, "a trace or what is forgotten", workers)
    if trace is not None:
        _tell(jobs.fit(trace_fleet(trace)), output, kept=False)
        return
    settings = settings_for(data_dir)
    with opened(settings) as application:
        if forget:
            had = jobs.forget(application.state)
            record_command(application, "calibrate", [FLEET], forget=True)
            print(
                _FORGOTTEN if had else "There was no model of your own: the one that ships stays."
            )
            return
        at_once = tasks_at_once(executor, workers)
        with executing(application, executor, address, at_once) as execute:
            model = jobs.calibrate(
                application.state,
                tiles_of(settings),
                application.clock,
                keep=not dry_run,
                executor=execute,
            )
        if not dry_run:
            record_command(application, "calibrate", [FLEET])
    _tell(model, output, kept=not dry_run)


_FORGOTTEN = "Forgotten. The model that ships takes effect with the next analysis."


def _tell(model: RiskModel, output: Format, *, kept: bool) -> None:
    if output is Format.JSON:
        print_json(msgspec.to_builtins(model))
        return
    card = model.card
    print(
        f"Fitted on {card['fleet']}: {card['machines']:,} machines, {card['days']} days from "
        f"{card['first_day']}, five-minute {card['statistic'].lower()}s of "
        f"{', '.join(card['dimensions'])}; {len(card['windows'])} windows, {card['lessons']:,} "
        "lessons."
    )
    for share, usd in model.incident_usd.items():
        violated = percent(float(share), 0)
        print(f"  {violated} of the machines were violated at {usd:g} USD a violation.")
    rows = [_tested_row(one) for one in card["tested"]]
    if rows:
        title = "Models of earlier days, on machines that they did not know (asked for 5 %)"
        print_rows(rows, TESTED, Format.TABLE, title)
    else:
        print("There are too few days to test it on days that it did not know.")
    print("It takes effect with the next analysis." if kept else "Nothing is kept.")


def _tested_row(one: dict[str, Any]) -> dict[str, Any]:
    skill = one["log_skill"]
    return one | {
        "expected": f"{one['expected']:.1f}",
        "log_skill": "" if skill is None else f"{skill:.2f}",
    }
