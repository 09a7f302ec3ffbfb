"""`compute-optimizer state`: move the state between SQLite and PostgreSQL."""

from contextlib import closing
from typing import Annotated

import typer

from compute_optimizer.app import opened
from compute_optimizer.cli.auditing import record_command
from compute_optimizer.cli.backup import telling
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_rows,
    settings_for,
)
from compute_optimizer.jobs.copy_state import copy_state
from compute_optimizer.store import State

commands = typer.Typer(help="The state database.", no_args_is_help=True)


@commands.callback()
def _group() -> None:
    """Keep commands as subcommands, also while there is only one."""


@commands.command()
def copy(
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="sqlite:///PATH or postgresql://...")
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the data that is there.")
    ] = False,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Copy the whole state of one moment to another database, of either kind.

    Stop whatever writes first: what is written after that moment is not copied. Then set state_url.
    """
    settings = settings_for(data_dir)
    with opened(settings) as application, closing(State(to)) as target, telling() as told:
        counts = copy_state(application.state, target, told, overwrite=overwrite)
        shown = target.engine.url.render_as_string()
        record_command(application, "state copy", [], to=shown, overwrite=overwrite)
    rows = [{"table": name, "rows": count} for name, count in counts.items()]
    print_rows(rows, {"table": "Table", "rows": "Rows"}, output, f"Copied to {shown}")
