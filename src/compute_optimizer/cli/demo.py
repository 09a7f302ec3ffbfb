"""`compute-optimizer demo`: the main job, end to end, on a generated fleet."""

import sys
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from socket import socket
from typing import Annotated

import typer

from compute_optimizer.api.listening import bind, url_of
from compute_optimizer.app import Application, opened, tiles_of
from compute_optimizer.cli.demo_testing import begin_testing
from compute_optimizer.cli.output import settings_for
from compute_optimizer.cli.recommend import print_recommendations
from compute_optimizer.cli.serve import serve_on, tell_where
from compute_optimizer.config import Settings
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.demo import (
    DemoFiles,
    analyzed_until,
    claim_folder,
    mark_analyzed,
    write_demo_files,
)
from compute_optimizer.jobs.demo_testing import ask_for_test
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.jobs.idle_limits import read_idle_limits
from compute_optimizer.jobs.ingest import ImportRequest, ingest
from compute_optimizer.jobs.organization_file import apply_file
from compute_optimizer.jobs.recommend import by_savings
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.scenario.fleet import FLEET_SIZE
from compute_optimizer.scenario.organization import ACCOUNTS, MANAGEMENT_ACCOUNT_ID
from compute_optimizer.store.enrollments import opted_in_accounts

DEFAULT_FOLDER = Path(".demo")

COMMANDS = """\
In a browser: {endpoint}/console/ (account 111111111111)

Two commands to try, in another terminal:

  # AWS CLI (if it is installed): what to do with the machines of account 222222222222
  AWS_ACCESS_KEY_ID=111111111111 AWS_SECRET_ACCESS_KEY=demo AWS_DEFAULT_REGION=us-east-1 \\
    aws --endpoint-url {endpoint} compute-optimizer get-ec2-instance-recommendations \\
    --account-ids 222222222222 --max-results 3

  # boto3: the enrollment of the organization
  AWS_ACCESS_KEY_ID=111111111111 AWS_SECRET_ACCESS_KEY=demo AWS_DEFAULT_REGION=us-east-1 \\
    {python} -c 'import boto3; print(boto3.client("compute-optimizer", \\
    endpoint_url="{endpoint}").get_enrollment_status())'

Stop with Ctrl-C.
"""


def demo(
    port: Annotated[int | None, typer.Option(help="Port to bind; 0 takes a free one.")] = None,
    data_dir: Annotated[
        Path, typer.Option("--data-dir", help="Folder of the demo's own data.")
    ] = DEFAULT_FOLDER,
    serve: Annotated[bool, typer.Option(help="Serve the API at the end, until stopped.")] = True,
) -> None:
    """Run the main job on a generated fleet, show what it found, and serve it until stopped."""
    # Whatever else the user has set up is not the demo's: its state stays in its own folder.
    own = {"state_url": "", "key_file": "", "audit_file": "", "auth": "off", "host": "127.0.0.1"}
    settings = settings_for(data_dir, port=port, **own)
    with ExitStack() as stack:
        # Bound first: a port that is taken is told before the work, not after it.
        listener = stack.enter_context(bind(settings.host, settings.port)) if serve else None
        claim_folder(data_dir)
        with opened(settings) as application:
            prepare(application)
            show(application)
            if serve:
                _ask(application)
        if listener is not None:
            print(COMMANDS.format(endpoint=url_of(listener), python=_python()), flush=True)
            serve_on(settings, listener, partial(_announce, settings, listener))


def _ask(application: Application) -> None:
    """Ask for a test of the fleet, which is made beside the server."""
    last_day = analyzed_until(application.settings.data_dir)
    assert last_day is not None, "the demo was just prepared"
    if ask_for_test(application.state, application.clock, last_day):
        _say("Its advice is tested on the fleet's own past in the background: see Quality.")


def _announce(settings: Settings, listener: socket) -> None:
    tell_where(settings, listener)
    begin_testing(settings)


def prepare(application: Application, size: int = FLEET_SIZE) -> None:
    """Do the main job with a fleet of that size, unless it is done and its data ends yesterday."""
    folder, clock = application.settings.data_dir, application.clock
    yesterday = clock.now().date() - timedelta(days=1)
    if analyzed_until(folder) == yesterday and _everybody_enrolled(application):
        _say(f"The demo's data in {folder} ends yesterday; nothing has to be done again.")
        return
    _say("Generating an organization and a fleet (none of it is real) ...")
    files = write_demo_files(folder, yesterday, size)
    _say("Creating and enrolling the organization ...")
    apply_file(application.state, clock, files.organization)
    change_enrollment(application.state, clock, MANAGEMENT_ACCOUNT_ID, "Active", True)
    advance_enrollments(application.state, clock)
    _say("Importing inventory and metrics ...")
    take_in(application, files)
    _say("Analyzing ...")
    analyze(
        application.state,
        tiles_of(application.settings),
        clock,
        as_of=files.as_of,
        profile=application.settings.profile,
        idle_limits=read_idle_limits(application.settings.idle_limits),
    )
    mark_analyzed(folder, files)


def take_in(application: Application, files: DemoFiles) -> None:
    """Import the demo's files and say how much they held."""
    report = ingest(
        application.state,
        tiles_of(application.settings),
        application.clock,
        ImportRequest(inventory=files.inventory, metrics=files.metrics),
    )
    told = ", ".join(f"{count:,} {plural}" for plural, count in files.counts.items())
    _say(f"  {told}, {report.samples.total():,} samples until {files.last_day}")


def show(application: Application) -> None:
    """Print the largest savings and the total."""
    with application.state.reading() as connection:
        print_recommendations(by_savings(connection))
    print()


def _say(text: str) -> None:
    """Print at once, also where the output goes through a pipe."""
    print(text, flush=True)


def _everybody_enrolled(application: Application) -> bool:
    with application.state.reading() as connection:
        return opted_in_accounts(connection) >= {account.account_id for account in ACCOUNTS}


def _python() -> str:
    """Return how to call this interpreter from here, short where that is possible."""
    # Not resolved: the interpreter of an environment is a link out of it.
    python = Path(sys.executable)
    here = Path.cwd()
    return str(python.relative_to(here)) if python.is_relative_to(here) else str(python)
