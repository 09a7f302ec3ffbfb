"""The command line: one module per command group, registered here."""

import errno
import sys
from typing import Annotated

import typer

from compute_optimizer import __version__
from compute_optimizer.cli import output
from compute_optimizer.cli.closed_pipe import reader_has_left, reader_may_leave
from compute_optimizer.cli.on_demand import group_of
from compute_optimizer.config import load_settings, misspelt_variables
from compute_optimizer.errors import ComputeOptimizerError, InvalidInput

COMMANDS = {
    "analyze": "cli.analyze:analyze",
    "backtest": "cli.backtest:backtest",
    "backup": "cli.backup:backup",
    "calibrate": "cli.calibrate:calibrate",
    "compare": "cli.compare:compare",
    "conformance": "cli.conformance:conformance",
    "credentials": "api.sign_in.client.command:credentials",
    "demo": "cli.demo:demo",
    "explain": "cli.explain:explain",
    "export": "cli.export:export",
    "import": "cli.ingest:import_files",
    "purge": "cli.purge:purge",
    "quickstart": "cli.quickstart:quickstart",
    "recommend": "cli.recommend:recommend",
    "restore": "cli.backup:restore_backup",
    "scores": "cli.scores:scores",
    "serve": "cli.serve:serve",
    "simulate": "cli.simulate:simulate",
    "status": "cli.status:status",
    "worker": "cli.worker:worker",
    "accounts": "cli.accounts:commands",
    "catalog": "cli.catalog:commands",
    "collect": "cli.collect_prometheus:commands",
    "decisions": "cli.decisions:commands",
    "keys": "cli.keys:commands",
    "prices": "cli.prices:commands",
    "risk": "cli.risk:commands",
    "signin": "cli.signin:commands",
    "state": "cli.state:commands",
}
"""Where each command is, below the package: its function, or a group of commands."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a disk that takes no more, which are no defect of the program."""

app = typer.Typer(
    name="compute-optimizer",
    cls=group_of(COMMANDS),
    help="Rightsizing from your own metrics, over the AWS Compute Optimizer API.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"compute-optimizer {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Warn of variables that are misspelt; without a callback typer would see no subcommands."""
    for told in misspelt_variables():
        output.warn(told)


def main() -> None:
    """Run the command line; errors end with a message and an exit code, not a traceback."""
    with reader_may_leave():
        _run()


def _run() -> None:
    try:
        _write_all()
    except ComputeOptimizerError as error:
        output.complain(str(error))
        sys.exit(error.exit_code)
    except Exception as error:
        if isinstance(error, BrokenPipeError) and reader_has_left():
            raise
        if _shows_tracebacks():
            raise
        if told := _no_text(error):
            output.complain(told)
            raise SystemExit(InvalidInput.exit_code) from error
        output.complain(_no_room(error) or _defect(error))
        raise SystemExit(ComputeOptimizerError.exit_code) from error


def _write_all() -> None:
    """Run the command line, and write what it has left in buffers: here its failure is told."""
    try:
        app()
    except SystemExit as ended:
        if not ended.code and sys.stdout is not None:
            sys.stdout.flush()
        raise


def _no_text(error: Exception) -> str:
    """Say which argument is no text, where that made the error; empty for any other error."""
    if not isinstance(error, UnicodeEncodeError):
        return ""
    # Paths may be any bytes, so arguments are not refused before something wants their text.
    given = next((one for one in sys.argv[1:] if _has_bytes(one)), "")
    return given and f"the argument {given!a} is no UTF-8 text; expected it in UTF-8"


def _has_bytes(argument: str) -> bool:
    """Return whether an argument has bytes that are no text (PEP 383)."""
    return any("\udc80" <= one <= "\udcff" for one in argument)


def _no_room(error: Exception) -> str:
    """Say what cannot be written where a disk takes no more; empty for any other error."""
    if not isinstance(error, OSError) or error.errno not in NO_ROOM:
        return ""
    place = error.filename or "the output, or the data folder,"
    return f"{place} cannot be written: {error.strerror}; make room there, or write elsewhere"


def _defect(error: Exception) -> str:
    return (
        f"unexpected {type(error).__name__}: {error}\nThis is a defect of the program; run the "
        "command again with COMPUTE_OPTIMIZER_TRACEBACK=true to see where it came from."
    )


def _shows_tracebacks() -> bool:
    try:
        return load_settings().traceback
    except InvalidInput:  # Of another setting: the defect is what is to be told.
        return False
