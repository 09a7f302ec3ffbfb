"""`compute-optimizer status`: what the worker did and will do, and how fresh the data is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from compute_optimizer.app import opened, tiles_of
from compute_optimizer.app.working import schedules_of
from compute_optimizer.cli.figures import minute
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    print_rows,
    settings_for,
)
from compute_optimizer.jobs.job_kinds import JOB_KINDS
from compute_optimizer.jobs.status import LOOK_BACK_DAYS, JobStatus, Status, status_of
from compute_optimizer.model.counted import counted
from compute_optimizer.model.spans import shown_span
from compute_optimizer.store.freshness import Freshness
from compute_optimizer.store.outbox import Backlog

JOBS = {
    "job": "Job",
    "schedule": "Schedule",
    "last": "Last run (UTC)",
    "outcome": "Outcome",
    "seconds": "Seconds",
    "did": "What it did, or why not",
    "next": "Next run (UTC)",
    "held": "Held by",
}

DATA = {
    "account": "Account",
    "region": "Region",
    "type": "Type",
    "resources": "Resources",
    "newest": "Newest sample (UTC)",
    "age": "Age",
    "days": f"Days of {LOOK_BACK_DAYS}",
    "as_of": "Analyzed as of (UTC)",
    "recommended": "With advice",
    "errors": "Without",
}

WEBHOOKS = {
    "webhook": "Webhook",
    "waiting": "Waiting",
    "oldest": "Oldest",
    "delivered": "Delivered",
    "given_up": "Given up",
    "error": "Last error",
}


def status(output: FormatOption = Format.TABLE, data_dir: DataDirOption = None) -> None:
    """Show every job's last and next run, how fresh and complete the data is, and its size."""
    settings = settings_for(data_dir)
    schedules = schedules_of(settings)
    with opened(settings) as application:
        found = status_of(
            application.state,
            tiles_of(settings),
            application.clock,
            [kind.name for kind in JOB_KINDS],
            schedules,
        )
    if output is Format.JSON:
        print_json(_as_json(found))
        return
    rows = [_job_row(one, found.now) for one in found.jobs]
    print_rows(rows, JOBS, output, "Jobs of the worker")
    _tell_worker(found.jobs)
    if found.data:
        rows = [_data_row(one, found.now) for one in found.data]
        print_rows(rows, DATA, output, "Data")
    else:
        print("There is no data yet: bring some in with `compute-optimizer import`.")
    if found.webhooks:
        rows = [_webhook_row(one, found.now) for one in found.webhooks]
        print_rows(rows, WEBHOOKS, output, "Webhooks, the last 30 days")
    sizes = found.sizes
    print(
        f"State: {_mib(sizes.state_bytes)} MiB. Metrics: {counted(sizes.tile_files, 'day tiles')}, "
        f"{_mib(sizes.tile_bytes)} MiB."
    )


def _tell_worker(jobs: Sequence[JobStatus]) -> None:
    """Say that no worker is running, where that shows."""
    begun = [one.last.started_at for one in jobs if one.last]
    if begun and not any(one.is_overdue for one in jobs):
        return
    since = f"is running: no job was begun since {minute(max(begun))}" if begun else "has run yet"
    print(
        f"No worker {since}. Start `compute-optimizer worker`, or run what is due once by "
        "`compute-optimizer worker --once`."
    )


def _next(one: JobStatus, now: datetime) -> str | None:
    if one.next_run is None:
        return None
    if one.is_overdue:
        return f"due since {minute(one.next_run)}"
    return minute(one.next_run) if one.next_run > now else "now"


def _job_row(one: JobStatus, now: datetime) -> dict[str, Any]:
    last, took = one.last, one.duration
    return {
        "job": one.name,
        "schedule": one.schedule,
        "last": minute(last.started_at if last else None),
        "outcome": last.outcome if last else None,
        "seconds": None if took is None else f"{took.total_seconds():.1f}",
        "did": one.did,
        "next": _next(one, now),
        "held": one.held_by,
    }


def _data_row(one: Freshness, now: datetime) -> dict[str, Any]:
    return {
        "account": one.scope.account_id,
        "region": one.scope.region,
        "type": one.scope.resource_type,
        "resources": one.resources,
        "newest": minute(one.newest_sample),
        "age": shown_span(now - one.newest_sample) if one.newest_sample else None,
        "days": one.days,
        "as_of": minute(one.as_of),
        "recommended": one.recommendations if one.as_of else None,
        "errors": one.errors if one.as_of else None,
    }


def _webhook_row(one: Backlog, now: datetime) -> dict[str, Any]:
    return {
        "webhook": one.webhook,
        "waiting": one.waiting,
        "oldest": shown_span(now - one.oldest_waiting) if one.oldest_waiting else None,
        "delivered": one.delivered,
        "given_up": one.given_up,
        "error": one.last_error,
    }


def _mib(size: int) -> str:
    return f"{size / 2**20:,.1f}"


def _as_json(found: Status) -> dict[str, Any]:
    sizes = found.sizes
    return {
        "now": found.now.isoformat(),
        "jobs": [_job_as_json(one) for one in found.jobs],
        "data": [_data_as_json(one) for one in found.data],
        "webhooks": [_webhook_as_json(one) for one in found.webhooks],
        "sizes": {
            "stateBytes": sizes.state_bytes,
            "tileFiles": sizes.tile_files,
            "tileBytes": sizes.tile_bytes,
        },
    }


def _job_as_json(one: JobStatus) -> dict[str, Any]:
    last, took = one.last, one.duration
    return {
        "job": one.name,
        "schedule": one.schedule,
        "nextRun": one.next_run and one.next_run.isoformat(),
        "overdue": one.is_overdue,
        "heldBy": one.held_by,
        "lastRun": last
        and {
            "startedAt": last.started_at.isoformat(),
            "finishedAt": last.finished_at and last.finished_at.isoformat(),
            "seconds": None if took is None else took.total_seconds(),
            "outcome": last.outcome,
            "attempt": last.attempt,
            "holder": last.holder,
            "detail": last.detail,
        },
    }


def _data_as_json(one: Freshness) -> dict[str, Any]:
    return {
        "accountId": one.scope.account_id,
        "region": one.scope.region,
        "resourceType": one.scope.resource_type,
        "resources": one.resources,
        "newestSample": one.newest_sample and one.newest_sample.isoformat(),
        "daysWithSamples": one.days,
        "asOf": one.as_of and one.as_of.isoformat(),
        "recommendations": one.recommendations,
        "errors": one.errors,
    }


def _webhook_as_json(one: Backlog) -> dict[str, Any]:
    return {
        "name": one.webhook,
        "waiting": one.waiting,
        "delivered": one.delivered,
        "givenUp": one.given_up,
        "oldestWaiting": one.oldest_waiting and one.oldest_waiting.isoformat(),
        "lastError": one.last_error,
    }
