"""`compute-optimizer quickstart`: what could be saved in an AWS account, from one command."""

import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console

from compute_optimizer.app import Application, aws_source, opened, tiles_of
from compute_optimizer.cli.collect import (
    AccountsOption,
    ConcurrencyOption,
    ExternalIdOption,
    NamedAccess,
    ProfileOption,
    RegionsOption,
    RoleOption,
    TypesOption,
    Wish,
    access_of,
    carry_out,
    known_types,
)
from compute_optimizer.cli.collecting import print_report
from compute_optimizer.cli.output import settings_for
from compute_optimizer.cli.recommend import print_recommendations
from compute_optimizer.errors import SourceUnavailable
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.collect_run import CONCURRENCY, DEFAULT_DAYS, CollectReport
from compute_optimizer.jobs.idle_limits import read_idle_limits
from compute_optimizer.jobs.recommend import by_savings, left_without
from compute_optimizer.model.spans import CENTURY_DAYS
from compute_optimizer.sources.aws import Access, check_collected


def quickstart(
    profile: ProfileOption = None,
    role: RoleOption = "",
    external_id: ExternalIdOption = "",
    accounts: AccountsOption = "",
    regions: RegionsOption = "",
    types: TypesOption = "",
    days: Annotated[
        int, typer.Option(min=1, max=CENTURY_DAYS, help="Days until now.")
    ] = DEFAULT_DAYS,
    concurrency: ConcurrencyOption = CONCURRENCY,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", help="Folder to keep the data in. Default: none is kept."),
    ] = None,
) -> None:
    """Collect from AWS, analyze, and print what could be saved: no server, no enrollment.

    The exit code is 6 where an account, a Region or a type could not be read.
    """
    check_collected(known_types(types) or ())  # Refused before anything else is done.
    wish = Wish(types, days, None, concurrency, enroll=True)
    with _ended_by_sigterm(), TemporaryDirectory(prefix="compute-optimizer-") as temporary:
        # Whatever else the user has set up stays as it is: only this folder is written to.
        own = {"state_url": "", "key_file": "", "audit_file": ""}
        settings = settings_for(data_dir or Path(temporary), **own)
        named = NamedAccess(profile, role, external_id, accounts, regions)
        with opened(settings) as application:
            report = _report(application, access_of(settings, named, concurrency), wish)
    if data_dir is not None:
        print(f"The data is in {data_dir}: --data-dir {data_dir} lets other commands read it.")
    if report.failures:
        raise typer.Exit(SourceUnavailable.exit_code)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Have SIGTERM end the block as Ctrl-C does, so that what it has made is removed."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _report(application: Application, access: Access, wish: Wish) -> CollectReport:
    """Collect, analyze and print."""
    with closing(aws_source(application, access)) as source:
        report = carry_out(application, source, wish)
    print_report(report)
    if not report.resources:
        return report
    tiles = tiles_of(application.settings)
    with Console(stderr=True).status("Analyzing ..."):
        analyze(
            application.state,
            tiles,
            application.clock,
            workers=application.settings.workers,
            profile=application.settings.profile,
            idle_limits=read_idle_limits(application.settings.idle_limits),
        )
    with application.state.reading() as connection:
        print_recommendations(by_savings(connection), without=left_without(connection))
    sys.stdout.flush()
    return report
