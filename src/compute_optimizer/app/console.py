"""The wiring of the console: its pages call in process what clients call over the wire."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from compute_optimizer.api import in_process
from compute_optimizer.api.authentication import (
    NO_REGION,
    Caller,
    VerifiedCallers,
    trusted_account,
)
from compute_optimizer.api.dispatch import FrontDoor, context_of, new_request_id, record_known
from compute_optimizer.api.limits import source_of
from compute_optimizer.app.openid import openid_of, prefix_of
from compute_optimizer.config import Settings
from compute_optimizer.console.gate import Calls, Credentials, Gate, Room, Visitor
from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.idle_limits import read_idle_limits
from compute_optimizer.operations.preferences import Planned, planned
from compute_optimizer.sinks import FolderSink

if TYPE_CHECKING:
    from compute_optimizer.app import Application
    from compute_optimizer.jobs.status import JobStatus


def console_of(application: Application, door: FrontDoor) -> Room:
    """Return what serving the console needs: the API's own checks and calls, and its data."""
    settings = application.settings

    def perform(
        visitor: Visitor, region: str, source: str, name: str, parameters: dict[str, Any]
    ) -> dict[str, Any]:
        return in_process.perform(door, _caller(visitor, region), source, name, parameters)

    def permit(visitor: Visitor, region: str, source: str, name: str) -> None:
        in_process.permit(door, _caller(visitor, region), source, name)

    def guard(
        visitor: Visitor, source: str, name: str, recorded: str, parameters: dict[str, Any]
    ) -> AbstractContextManager[None]:
        caller = _caller(visitor)
        return in_process.guarded(door, caller, source, name, recorded, parameters)

    def plan(
        visitor: Visitor, region: str, source: str, name: str, parameters: dict[str, Any]
    ) -> Planned:
        caller = _caller(visitor, region)
        with in_process.guarded(door, caller, source, name, f"what-if {name}", parameters):
            return planned(context_of(door, caller, new_request_id()), name, parameters)

    return Room(
        state=application.state,
        clock=application.clock,
        tiles=door.tiles,
        gate=_gate(door, settings),
        calls=Calls(
            perform,
            permit,
            lambda visitor, name: in_process.may(_caller(visitor), name),
            guard,
            plan,
        ),
        profile=settings.profile,
        worker_jobs=lambda: _worker_jobs(application),
        exported=door.sink.finished if isinstance(door.sink, FolderSink) else None,
        idle_limits=read_idle_limits(settings.idle_limits),
        owner_tags=settings.owner_tag_names,
        newer_idle_types=settings.newer_idle_types,
        prefix=prefix_of(settings.console_url),
    )


def _worker_jobs(application: Application) -> Sequence[JobStatus]:
    """Return where the worker's jobs stand; its modules are imported when somebody asks."""
    from compute_optimizer.app.working import schedules_of
    from compute_optimizer.jobs.job_kinds import JOB_KINDS
    from compute_optimizer.jobs.status import jobs_status

    names, schedules = [kind.name for kind in JOB_KINDS], schedules_of(application.settings)
    return jobs_status(application.state, application.clock.now(), names, schedules)


def _gate(door: FrontDoor, settings: Settings) -> Gate:
    """Return how people come into the console: with the keys of the API, by OpenID Connect, or
    with auth off by naming an account."""
    callers = door.authenticate if isinstance(door.authenticate, VerifiedCallers) else None

    def verify(given: Credentials, now: datetime) -> Visitor:
        if callers is None:
            raise InvalidInput("with auth off there are no credentials to verify")
        asked = (given.access_key_id, given.secret, given.token)
        return _visitor(callers.holder_of(*asked, now))

    def standing(name: str, now: datetime) -> Visitor | None:
        found = trusted_account(name) if callers is None else callers.standing_holder(name, now)
        return None if found is None else _visitor(found)

    def record(
        visitor: Visitor | None,
        source: str,
        name: str,
        outcome: str,
        known: dict[str, str] | None = None,
    ) -> None:
        caller = _caller(visitor) if visitor else None
        record_known(door, caller, source, new_request_id(), name, outcome, known)

    sealer = callers.sealer if callers else None

    def take(source: str, now: datetime) -> float:
        return door.arrival_limits.take(source_of(source), now.timestamp())

    return Gate(
        verify=verify,
        standing=standing,
        wait=lambda source, now: door.failure_limits.take(source_of(source), now.timestamp()),
        record=record,
        sealer=sealer,
        openid=openid_of(settings, sealer, take),
    )


def _caller(visitor: Visitor, region: str = NO_REGION) -> Caller:
    return Caller(
        visitor.account_id, region, visitor.principal_arn, visitor.access_key_id, visitor.policy
    )


def _visitor(caller: Caller) -> Visitor:
    return Visitor(caller.account_id, caller.principal_arn, caller.access_key_id, caller.policy)
