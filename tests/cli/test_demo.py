"""The demo does the main job once a day, and what it prints works."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest

from compute_optimizer.app import Application, opened
from compute_optimizer.cli.demo import prepare, show
from compute_optimizer.cli.output import settings_for
from compute_optimizer.jobs.demo import claim_folder
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.scenario.organization import ACCOUNTS, MEMBER_ACCOUNT_IDS
from compute_optimizer.store.analysis_runs import current_run, current_scopes, run_as_of
from tests.commands import Type
from tests.records import FixedClock
from tests.waiting import SECONDS

DEMO = (sys.executable, "-m", "compute_optimizer", "demo")
SIZE = 12
NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)


@contextmanager
def demo_at(moment: datetime, folder: Path) -> Iterator[Application]:
    settings = settings_for(folder, auth="off")
    claim_folder(folder)
    with opened(settings, FixedClock(moment)) as application:
        yield application


@dataclass(frozen=True)
class Prepared:
    """A demo that was prepared at noon."""

    folder: Path
    """To be copied."""
    said: str


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("prepared") / "demo"
    with demo_at(NOON, folder) as application, redirect_stdout(StringIO()) as said:
        prepare(application, SIZE)
    return Prepared(folder, said.getvalue())


@pytest.fixture
def folder(prepared: Prepared, tmp_path: Path) -> Path:
    """Its folder, for one test."""
    copy: Path = shutil.copytree(prepared.folder, tmp_path / "demo")
    return copy


def analyzed_at(application: Application) -> set[datetime]:
    """Return the moments up to which the current runs looked at samples."""
    with application.state.reading() as connection:
        scopes = current_scopes(connection, [account.account_id for account in ACCOUNTS])
        runs = {current_run(connection, scope) for scope in scopes}
        return {run_as_of(connection, run) for run in runs if run is not None}


def test_first_run_does_the_main_job_and_the_second_one_finds_it_done(
    prepared: Prepared, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with demo_at(NOON, folder) as application:
        prepare(application, SIZE)
        second = capsys.readouterr().out
        show(application)
        shown = capsys.readouterr().out
        moments = analyzed_at(application)

    assert f"{SIZE} instances" in prepared.said
    assert "nothing has to be done again" in second
    assert re.search(r"Total estimated savings: [\d,]+\.\d\d USD a month", shown)
    assert moments == {datetime(2026, 3, 16, tzinfo=UTC)}


def test_next_day_the_data_is_generated_anew(folder: Path) -> None:
    with demo_at(NOON + timedelta(days=1), folder) as application:
        prepare(application, SIZE)
        moments = analyzed_at(application)

    assert moments == {datetime(2026, 3, 17, tzinfo=UTC)}


def test_account_that_opted_out_is_enrolled_again(folder: Path) -> None:
    shop = MEMBER_ACCOUNT_IDS[0]
    with demo_at(NOON, folder) as application:
        change_enrollment(application.state, application.clock, shop, "Inactive")
        prepare(application, SIZE)
        with application.state.reading() as connection:
            accounts = {scope.account_id for scope in current_scopes(connection, [shop])}

    assert accounts == {shop}


def test_served_demo_answers_the_command_that_it_prints(
    demo_of_today: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(demo_of_today, tmp_path / "demo")
    words = (*DEMO, "--port", "0", "--data-dir", str(folder))
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as demo:
        try:
            assert demo.stdout is not None
            printed = "".join(iter(demo.stdout.readline, "Stop with Ctrl-C.\n"))
            # From the variables to the end of the command: it is printed over several lines.
            command = re.search(r"# boto3.*?\n(.*?\(\)\)')", printed, re.DOTALL)
            assert command is not None, printed
            ran = subprocess.run(
                ["sh", "-c", command[1]], capture_output=True, text=True, timeout=SECONDS
            )
        finally:
            demo.terminate()

    assert ran.returncode == 0, ran.stderr
    assert "'memberAccountsEnrolled': True" in ran.stdout
    assert "'numberOfMemberAccountsOptedIn': 2" in ran.stdout


def test_folder_with_somebody_elses_data_is_left_alone(typed: Type, tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("mine")

    ended = typed("demo", "--no-serve")

    # Conflict: exit code 4.
    assert ended.code == 4
    assert "not the demo's" in ended.err
    assert (tmp_path / "state.db").read_text() == "mine"
