"""What the worker's jobs do with what they find; leases and schedules are in test_worker."""

from dataclasses import replace
from pathlib import Path

import pytest

from compute_optimizer.jobs.job_kinds import JOB_KINDS
from compute_optimizer.jobs.worker import Worker, look
from compute_optimizer.model.job_run import Outcome
from compute_optimizer.store import State
from tests.enrolling import MANAGEMENT, opt_in
from tests.exporting import BUCKET, ExportDesk, export_desk
from tests.volumes import volume_recommendation
from tests.workers import worker_on

KINDS = {kind.name: kind for kind in JOB_KINDS}
SCHEDULES = {kind.name: "1s" for kind in JOB_KINDS}


@pytest.fixture
def exports(sqlite_state: State, tmp_path: Path) -> ExportDesk:
    """A folder to export to, and a management account that is opted in."""
    desk = opt_in(sqlite_state, MANAGEMENT)
    (tmp_path / "buckets" / BUCKET).mkdir(parents=True)
    found = export_desk(desk, tmp_path / "buckets")
    found.publish([volume_recommendation(1, account_id=MANAGEMENT)])
    return found


@pytest.fixture
def worker(exports: ExportDesk, tmp_path: Path) -> Worker:
    one = worker_on(exports.desk.state, exports.desk.clock, tmp_path, **SCHEDULES)
    return replace(one, exporter=exports.exporter)


def test_queued_exports_are_written(exports: ExportDesk, worker: Worker) -> None:
    exports.ask()

    found = look(worker, KINDS["exports"])

    assert (found.outcome, found.detail) == (Outcome.SUCCEEDED, {"exports": 1, "rows": 1})


def test_a_worker_that_is_stopping_leaves_exports_to_others(
    exports: ExportDesk, worker: Worker
) -> None:
    exports.ask()
    worker.stop.set()
    assert look(worker, KINDS["exports"]).detail == {"exports": 0, "rows": 0}

    assert [one.rows for one in exports.run()] == [1]


def test_an_export_that_fails_fails_the_job_with_its_reason(
    exports: ExportDesk, worker: Worker
) -> None:
    exports.ask()
    (exports.folder / BUCKET).rmdir()
    (exports.folder / BUCKET).write_text("where the bucket should be")

    found = look(worker, KINDS["exports"])

    assert found.outcome is Outcome.FAILED
    assert found.error is not None
    assert found.error.startswith("1 of 1 exports failed; the first, ")


def test_pending_accounts_are_settled(exports: ExportDesk, worker: Worker) -> None:
    exports.desk.opt_in("555555555555")
    assert exports.desk.status("555555555555")["status"] == "Pending"

    assert look(worker, KINDS["enrollment"]).detail == {"changed": True}
    assert exports.desk.status("555555555555")["status"] == "Active"


def test_accounts_that_opted_out_are_purged_after_their_grace(
    exports: ExportDesk, worker: Worker
) -> None:
    exports.desk.opt_out(MANAGEMENT)
    assert look(worker, KINDS["purge"]).detail == {"accounts": []}
    exports.desk.clock.tick(days=7)

    assert look(worker, KINDS["purge"]).detail == {"accounts": [MANAGEMENT]}
