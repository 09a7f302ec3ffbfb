"""`compute-optimizer purge`: remove what opted-out accounts left behind."""

from typing import Annotated

import typer

from compute_optimizer.app import opened, tiles_of
from compute_optimizer.cli.auditing import record_command
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_rows,
    settings_for,
)
from compute_optimizer.jobs.purge import purge_opted_out


def purge(
    grace_days: Annotated[
        float | None,
        typer.Option(help="Days since the opt-out, instead of the setting opt_out_grace_days."),
    ] = None,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Remove metrics and recommendations of accounts whose grace period after opting out is over.

    `serve` does the same by itself.
    """
    settings = settings_for(data_dir, opt_out_grace_days=grace_days)
    with opened(settings) as application:
        tiles = tiles_of(settings)
        purged = purge_opted_out(
            application.state, tiles, application.clock, settings.opt_out_grace
        )
        if purged:
            record_command(application, "purge", purged)
    if purged or output is Format.JSON:
        print_rows([{"accountId": one} for one in purged], {"accountId": "Purged"}, output)
    else:
        print("Nothing is due.")
