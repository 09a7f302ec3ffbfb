"""The wiring of the worker: its jobs, when each is due, and how long metrics are kept."""

import os
import socket
from datetime import timedelta
from uuid import uuid4

from compute_optimizer.app import Application, tiles_of
from compute_optimizer.app.exporting import exporter_of
from compute_optimizer.config import Settings
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import StageProgress, no_progress
from compute_optimizer.jobs.idle_limits import read_idle_limits
from compute_optimizer.jobs.job_kinds import JOB_KINDS
from compute_optimizer.jobs.retention import Retention, parse_retention
from compute_optimizer.jobs.schedules import Schedule, parse_schedule
from compute_optimizer.jobs.source_kinds import read_sources
from compute_optimizer.jobs.webhooks import read_webhooks
from compute_optimizer.jobs.worker import Worker

JOBS_PATIENCE_SECONDS = 10.0
"""How long the worker's jobs wait for each other to change tiles: most do so for a moment, while an
import or a collection may take hours. A worker that is asked to end waits as long, and Kubernetes
kills after 30 s."""


def worker_of(application: Application, told: StageProgress = no_progress) -> Worker:
    """Return what the worker's jobs need, by the settings; raises InvalidInput for a wrong one."""
    settings = application.settings
    return Worker(
        state=application.state,
        clock=application.clock,
        tiles=tiles_of(settings, patience=JOBS_PATIENCE_SECONDS),
        exporter=exporter_of(application),
        schedules=schedules_of(settings),
        holder=f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}",
        grace=settings.opt_out_grace,
        profile=settings.profile,
        idle_limits=read_idle_limits(settings.idle_limits),
        processes=settings.workers,
        retention=retention_of(settings),
        sources=read_sources(settings.sources_file),
        lease=timedelta(seconds=settings.lease_seconds),
        told=told,
        webhooks=read_webhooks(settings.webhooks_file),
        owner_tags=settings.owner_tag_names,
    )


def retention_of(settings: Settings) -> Retention:
    """Return how long metrics are kept; raises InvalidInput that names the settings."""
    try:
        return parse_retention(
            settings.retention_days,
            settings.retention_accounts,
            below_look_back=settings.retention_below_look_back,
        )
    except InvalidInput as error:
        raise InvalidInput(f"settings retention_days, retention_accounts: {error}") from None


def schedules_of(settings: Settings) -> dict[str, Schedule | None]:
    """Return when each job of the worker is due; raises InvalidInput that names the setting."""
    found = {}
    for kind in JOB_KINDS:
        name = f"schedule_{kind.name}"
        try:
            found[kind.name] = parse_schedule(getattr(settings, name))
        except InvalidInput as error:
            raise InvalidInput(f"setting {name}: {error}") from None
    return found
