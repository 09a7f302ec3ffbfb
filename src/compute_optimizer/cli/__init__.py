"""The command line: one module per command group, registered here."""

import sys

import typer

from compute_optimizer.api.sign_in.client.command import credentials
from compute_optimizer.cli import (
    accounts,
    catalog,
    collect,
    collect_prometheus,
    decisions,
    keys,
    output,
    prices,
    risk,
    signin,
    state,
)
from compute_optimizer.cli.analyze import analyze
from compute_optimizer.cli.backtest import backtest
from compute_optimizer.cli.backup import backup, restore_backup
from compute_optimizer.cli.calibrate import calibrate
from compute_optimizer.cli.compare import compare
from compute_optimizer.cli.conformance import conformance
from compute_optimizer.cli.demo import demo
from compute_optimizer.cli.explain import explain
from compute_optimizer.cli.export import export
from compute_optimizer.cli.ingest import import_files
from compute_optimizer.cli.purge import purge
from compute_optimizer.cli.quickstart import quickstart
from compute_optimizer.cli.recommend import recommend
from compute_optimizer.cli.scores import scores
from compute_optimizer.cli.serve import serve
from compute_optimizer.cli.simulate import simulate
from compute_optimizer.cli.status import status
from compute_optimizer.cli.worker import worker
from compute_optimizer.config import load_settings
from compute_optimizer.errors import ComputeOptimizerError

app = typer.Typer(
    name="compute-optimizer",
    help="Rightsizing from your own metrics, over the AWS Compute Optimizer API.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root() -> None:
    """Keep commands as subcommands, also while there is only one."""


app.command()(analyze)
app.command()(backtest)
app.command()(backup)
app.command()(calibrate)
app.command()(compare)
app.command()(conformance)
app.command()(credentials)
app.command()(demo)
app.command()(explain)
app.command()(export)
app.command("import")(import_files)
app.command()(purge)
app.command()(quickstart)
app.command()(recommend)
app.command("restore")(restore_backup)
app.command()(scores)
app.command()(serve)
app.command()(simulate)
app.command()(status)
app.command()(worker)
app.add_typer(accounts.commands, name="accounts")
app.add_typer(catalog.commands, name="catalog")
collect.commands.command()(collect_prometheus.prometheus)
app.add_typer(collect.commands, name="collect")
app.add_typer(decisions.commands, name="decisions")
app.add_typer(keys.commands, name="keys")
app.add_typer(prices.commands, name="prices")
app.add_typer(risk.commands, name="risk")
app.add_typer(signin.commands, name="signin")
app.add_typer(state.commands, name="state")


def main() -> None:
    """Run the command line; errors end with a message and an exit code, not a traceback."""
    try:
        app()
    except ComputeOptimizerError as error:
        output.complain(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:
        if load_settings().traceback:
            raise
        output.complain(
            f"unexpected {type(error).__name__}: {error}\nThis is a defect of the program; run the "
            "command again with COMPUTE_OPTIMIZER_TRACEBACK=true to see where it came from."
        )
        sys.exit(ComputeOptimizerError.exit_code)
