"""Export jobs on both kinds of databases: one at a time, claimed once, never lost."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from compute_optimizer.errors import Conflict
from compute_optimizer.model.export import (
    Destination,
    ExportJob,
    ExportRequest,
    JobStatus,
    WantedFilter,
)
from compute_optimizer.store import State
from compute_optimizer.store.export_jobs import (
    STALE_AFTER,
    Claim,
    add_job,
    beat,
    claim_next,
    fail_stale,
    finish,
    jobs_of,
    jobs_page,
    remove_old,
    waiting_jobs,
)
from compute_optimizer.store.schema import export_jobs
from tests.revisions import back_to

NOW = datetime(2026, 3, 15, 6, 30, tzinfo=UTC)
ACCOUNT = "111111111111"


def job(number: int = 0, kind: str = "EbsVolume", account: str = ACCOUNT) -> ExportJob:
    moment = NOW + timedelta(minutes=number)
    request = ExportRequest(
        account_id=account,
        region="us-east-1",
        resource_type=kind,
        destination=Destination("exports", "a/file.csv"),
        account_ids=(account,),
        filters=(WantedFilter("tag:team", ("web",)),),
        fields=("Tags",),
    )
    return ExportJob(str(uuid4()), request, JobStatus.QUEUED, moment, moment)


def add(state: State, *jobs: ExportJob) -> None:
    for one in jobs:
        with state.writing() as connection:
            add_job(connection, one)


def claim(state: State, now: datetime = NOW) -> Claim | None:
    with state.writing() as connection:
        return claim_next(connection, now)


def listed(state: State) -> list[ExportJob]:
    with state.reading() as connection:
        return jobs_page(connection, ACCOUNT, "us-east-1", NOW - timedelta(days=7), limit=100)


def test_a_job_comes_back_as_it_was_added(state: State) -> None:
    one = job()
    add(state, one)

    assert listed(state) == [one]


def test_the_database_itself_allows_one_unfinished_job_of_a_type(state: State) -> None:
    add(state, job(), job(kind="Ec2Instance"), job(account="222222222222"))

    with pytest.raises(Conflict, match="already in progress"):
        add(state, job())
    assert len(listed(state)) == 2


def test_of_requests_at_the_same_moment_one_wins(state: State) -> None:
    def attempt(_: int) -> bool:
        try:
            add(state, job())
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1


def test_of_processes_at_the_same_moment_each_job_has_one(state: State) -> None:
    wanted = [job(account=f"{number:012d}") for number in range(4)]
    add(state, *wanted)

    with ThreadPoolExecutor(8) as pool:
        claims = [one for one in pool.map(lambda _: claim(state), range(8)) if one]

    # A process that lost every race comes again at the next step.
    while one := claim(state):
        claims.append(one)
    assert sorted(one.job.job_id for one in claims) == sorted(one.job_id for one in wanted)


def test_the_job_that_waits_longest_is_claimed_first(state: State) -> None:
    late, early = job(2), job(1, kind="Ec2Instance")
    add(state, late, early)

    found = [claim(state), claim(state), claim(state)]

    assert [one and one.job.job_id for one in found] == [early.job_id, late.job_id, None]
    assert {one.status for one in listed(state)} == {JobStatus.IN_PROGRESS}


def test_a_job_that_is_done_makes_room_for_the_next(state: State) -> None:
    add(state, job())
    held = claim(state)
    assert held is not None

    with state.writing() as connection:
        assert waiting_jobs(connection) == 1
        finish(connection, held, NOW + timedelta(seconds=9))
        assert waiting_jobs(connection) == 0

    (done,) = listed(state)
    assert (done.status, done.updated_at) == (JobStatus.COMPLETE, NOW + timedelta(seconds=9))
    add(state, job(1))


SECOND = timedelta(seconds=1)


def test_a_heartbeat_keeps_a_job_and_its_absence_gives_it_to_the_next(state: State) -> None:
    add(state, job())
    held = claim(state)
    assert held is not None and not held.taken_over
    edge = NOW + STALE_AFTER

    with state.writing() as connection:
        # Exactly so long is not longer.
        assert claim_next(connection, edge) is None
        beat(connection, held, edge)
        assert claim_next(connection, edge + STALE_AFTER) is None
        taken = claim_next(connection, edge + STALE_AFTER + SECOND)
    assert taken is not None and taken.taken_over
    assert taken.job.job_id == held.job.job_id

    with state.writing() as connection, pytest.raises(Conflict, match="to another process"):
        finish(connection, held, edge)
    with state.writing() as connection:
        finish(connection, taken, edge)
    assert listed(state)[0].status is JobStatus.COMPLETE


def test_a_job_that_was_begun_three_times_fails(state: State) -> None:
    add(state, job())
    moments = [NOW + number * (STALE_AFTER + SECOND) for number in range(4)]

    for number, moment in enumerate(moments[:3]):
        with state.writing() as connection:
            assert fail_stale(connection, moment) == []
            taken = claim_next(connection, moment)
        assert taken is not None and taken.taken_over is (number > 0)
    with state.writing() as connection:
        assert claim_next(connection, moments[3]) is None
        (failed,) = fail_stale(connection, moments[3])

    assert taken is not None
    assert failed.job_id == taken.job.job_id
    assert listed(state)[0].status is JobStatus.FAILED


def test_of_processes_at_the_same_moment_one_takes_over(state: State) -> None:
    add(state, job())
    assert claim(state) is not None
    later = NOW + STALE_AFTER + SECOND

    def take(_: int) -> bool:
        with state.writing() as connection:
            return claim_next(connection, later) is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(8))) == 1


def test_jobs_of_an_earlier_revision_were_begun_as_often_as_their_status_says(
    state: State,
) -> None:
    add(state, job())
    held = claim(state)
    assert held is not None
    add(state, job(kind="Ec2Instance"))
    with state.writing() as connection:
        back_to(connection, "0009")

    state.migrate()

    with state.reading() as connection:
        rows = connection.execute(select(export_jobs.c.job_id, export_jobs.c.attempts)).all()
    assert {job_id == held.job.job_id: attempts for job_id, attempts in rows} == {
        True: 1,
        False: 0,
    }


def test_the_jobs_of_an_account_are_those_of_every_region(state: State) -> None:
    here, there = job(1), job(3)
    there = replace(there, request=replace(there.request, region="eu-west-1"))
    add(state, here, there, job(2, account="222222222222"))

    with state.reading() as connection:
        found = jobs_of(connection, ACCOUNT, NOW - timedelta(days=1), limit=9)
        one = jobs_of(connection, ACCOUNT, NOW - timedelta(days=1), limit=9, job_id=there.job_id)
        other = jobs_of(connection, "333333333333", NOW, limit=9, job_id=there.job_id)
    assert [one.job_id for one in found] == [there.job_id, here.job_id]
    assert [one.job_id for one in one] == [there.job_id]
    assert other == []


def test_old_jobs_are_removed_once_they_are_done(state: State) -> None:
    add(state, job(), job(kind="Ec2Instance"))
    held = claim(state)
    assert held is not None
    week = timedelta(days=7)
    with state.writing() as connection:
        finish(connection, held, NOW)
        assert remove_old(connection, NOW + week) == 0
        assert remove_old(connection, NOW + week + timedelta(seconds=1)) == 1

        left = connection.execute(select(export_jobs.c.status)).scalars().all()
    assert left == ["Queued"]


def test_a_state_of_the_second_revision_gets_the_table(state: State) -> None:
    with state.writing() as connection:
        back_to(connection, "0002")

    state.migrate()

    one = job()
    add(state, one)
    assert listed(state) == [one]


@pytest.mark.parametrize("status", [JobStatus.COMPLETE, JobStatus.FAILED])
def test_a_job_that_was_done_before_stands_in_nobodys_way(state: State, status: JobStatus) -> None:
    reason = "No such bucket." if status is JobStatus.FAILED else None
    done = replace(job(), status=status, failure_reason=reason)
    add(state, done, job(1))

    with state.reading() as connection:
        assert waiting_jobs(connection) == 1
    assert listed(state)[1] == done
