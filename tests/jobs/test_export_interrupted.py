"""Export jobs whose process died or stood still: another one writes them, no half file stays."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from compute_optimizer.jobs.export import Exporter, run_exports
from compute_optimizer.operations.exports import selection_of
from compute_optimizer.sinks import FolderSink
from compute_optimizer.store import State
from compute_optimizer.store.export_jobs import INTERRUPTED, STALE_AFTER, claim_next
from tests.enrolling import MANAGEMENT, HandClock, opt_in
from tests.exporting import ExportDesk, export_desk
from tests.volumes import volume_recommendation


@pytest.fixture
def exports(sqlite_state: Any, tmp_path: Path) -> ExportDesk:
    """An account that is Active, exporting to a folder."""
    desk = opt_in(sqlite_state, MANAGEMENT)
    return export_desk(desk, tmp_path)


def volume(number: int) -> Any:
    return volume_recommendation(number, account_id=MANAGEMENT)


def die(exports: ExportDesk) -> None:
    """Claim the next job, and write nothing."""
    with exports.desk.state.writing() as connection:
        assert claim_next(connection, exports.desk.clock.now()) is not None


def test_a_job_whose_process_died_is_written_by_the_next(exports: ExportDesk) -> None:
    exports.publish([volume(1)])
    answer = exports.ask()
    die(exports)

    exports.desk.clock.moment += STALE_AFTER
    assert exports.run() == []
    assert exports.job(answer)["status"] == "InProgress"

    exports.desk.clock.moment += timedelta(seconds=1)
    (outcome,) = exports.run()

    assert (outcome.rows, outcome.failure_reason) == (1, None)
    assert exports.job(answer)["status"] == "Complete"


def test_a_job_whose_process_died_three_times_fails_and_makes_room(exports: ExportDesk) -> None:
    answer = exports.ask()
    for _ in range(3):
        die(exports)
        exports.desk.clock.moment += STALE_AFTER + timedelta(seconds=1)

    assert exports.run() == []
    job = exports.job(answer)
    assert (job["status"], job["failureReason"]) == ("Failed", INTERRUPTED)
    exports.ask()


class SlowSink(FolderSink):
    """A place in which a job stands still until it is given up."""

    def __init__(self, exports: ExportDesk) -> None:
        super().__init__(exports.folder)
        self.exports = exports

    def check_access(self, bucket: str, key: str, region: str, account_id: str) -> None:
        super().check_access(bucket, key, region, account_id)
        clock = self.exports.desk.clock
        clock.moment += STALE_AFTER + timedelta(seconds=1)
        self.exports.desk.sink = FolderSink(self.root)
        (taken_over,) = self.exports.run()
        assert taken_over.failure_reason is None


def test_who_comes_back_after_being_given_up_changes_nothing(exports: ExportDesk) -> None:
    exports.publish([volume(1)])
    answer = exports.ask()
    exports.desk.sink = SlowSink(exports)

    (outcome,) = exports.run()

    assert "given up" in (outcome.failure_reason or "")
    assert exports.job(answer)["status"] == "Complete"
    found = {path.suffix for path in exports.folder.rglob("*") if path.is_file()}
    assert found == {".csv", ".json"}


class KilledSink(FolderSink):
    """A folder in which the process is killed once its file has been begun."""

    @contextmanager
    def writing(self, bucket: str, key: str, region: str, content_type: str) -> Iterator[BinaryIO]:
        with super().writing(bucket, key, region, content_type) as file:
            file.write(b"half a")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
            yield file


def export_and_be_killed(url: str, folder: Path) -> None:
    exporter = Exporter(State(url), HandClock(), KilledSink(folder), selection_of)
    run_exports(exporter)


def test_what_a_killed_process_left_is_written_anew(exports: ExportDesk) -> None:
    exports.publish([volume(1)])
    answer = exports.ask()
    arguments = (exports.desk.state.url, exports.folder)
    process = get_context("spawn").Process(target=export_and_be_killed, args=arguments)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL

    assert exports.job(answer)["status"] == "InProgress"
    files = [path.name for path in exports.folder.rglob("*") if path.is_file()]
    assert [".csv." in name and name.endswith(".part") for name in files] == [True]
    exports.desk.clock.moment += STALE_AFTER + timedelta(seconds=1)
    (outcome,) = exports.run()

    assert (outcome.rows, exports.job(answer)["status"]) == (1, "Complete")
    found = {path.suffix: path for path in exports.folder.rglob("*") if path.is_file()}
    assert sorted(found) == [".csv", ".json"]
    assert found[".csv"].read_text().count("\n") == 2
