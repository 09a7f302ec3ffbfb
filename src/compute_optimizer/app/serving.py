"""The wiring of a server: what answering requests needs, and what it repeats beside them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Event

from compute_optimizer.api.audit import AuditLog
from compute_optimizer.api.authentication import (
    Authenticate,
    VerifiedCallers,
    trust_access_key_id,
)
from compute_optimizer.api.background import Step, repeating
from compute_optimizer.api.dispatch import FrontDoor
from compute_optimizer.api.limits import Levels, OwnLevels, TokenBuckets, per_minute
from compute_optimizer.api.messages import AsgiApp
from compute_optimizer.api.probes import Probes
from compute_optimizer.api.processes import ALONE, Member
from compute_optimizer.api.shared_limits import SharedLevels
from compute_optimizer.api.sign_in.endpoints import known_endpoints
from compute_optimizer.api.sign_in.exchange import SignIn
from compute_optimizer.api.sign_in.names import server_names
from compute_optimizer.api.telemetry import Telemetry
from compute_optimizer.app import Application, tiles_of
from compute_optimizer.app.exporting import exporter_of
from compute_optimizer.config import Settings
from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.jobs.expiry import forget_expired
from compute_optimizer.jobs.export import Exporter, run_exports
from compute_optimizer.jobs.purge import purge_when_due
from compute_optimizer.model.hosts import is_loopback
from compute_optimizer.store.access_keys import check_key_file
from compute_optimizer.store.sealing import open_key_file
from compute_optimizer.store.tiles import TileStore

ENROLLMENT_SECONDS = 0.25
"""How often Pending accounts are looked at: an opt-in is normally decided in under a second."""

PURGE_SECONDS = 2.0
"""How often opted-out accounts are looked at: without a grace period they are purged at once."""

EXPORT_SECONDS = 0.5
"""How often queued exports are looked for."""

EXPIRY_SECONDS = 60.0
"""How often what is over is looked for: used signatures, expired sessions, what-ifs."""

LAST_USE_SECONDS = 60.0
"""How often the last use of keys is stored."""

ROTATION_SECONDS = 5.0
"""How often the audit log looks whether somebody moved its file away."""

Repeat = Callable[[Sequence[Step]], AbstractContextManager[None]]
"""Sees to it that steps are run until the block ends."""


@contextmanager
def front_door(
    application: Application, repeat: Repeat = repeating, member: Member = ALONE
) -> Iterator[FrontDoor]:
    """Open what answering requests needs and have the background steps run until the end.

    Of processes that serve together, one runs the steps that are for all of them. Raises
    InvalidInput where the settings would trust callers from outside this machine, or the key file
    does not open the stored secrets.
    """
    settings = application.settings
    check_exposure(settings)
    audit_log = AuditLog(settings.audit_file)
    with ExitStack() as stack:
        stack.callback(audit_log.close)
        levels = partial(levels_of, member, stack)
        authenticate, steps = _authentication(application, stack)
        tiles, exporter = tiles_of(settings), exporter_of(application)
        steps.append(Step("audit log rotation", audit_log.reopen_if_moved, ROTATION_SECONDS))
        if member.keeps_house:
            steps += _housekeeping(application, tiles, exporter)
        stack.enter_context(repeat(steps))
        closing = Event()
        door = FrontDoor(
            state=application.state,
            clock=application.clock,
            tiles=tiles,
            authenticate=authenticate,
            audit_log=audit_log,
            account_limits=TokenBuckets(
                settings.throttle_requests_per_second, settings.throttle_burst, levels("calls")
            ),
            failure_limits=per_minute(settings.failed_signatures_per_minute, levels("failures")),
            arrival_limits=per_minute(settings.sign_ins_per_minute, levels("arrivals")),
            max_body_bytes=settings.max_body_bytes,
            enum_style=settings.enum_style,
            page_size=settings.page_size,
            newer_idle_types=settings.newer_idle_types,
            probes=probes_of(application, closing),
            closing=closing,
            sink=exporter.sink,
            sign_in=sign_in_of(application, levels("sign-ins")),
            opened=stack.enter_context(ExitStack()),
        )
        yield replace(door, rooms=_rooms(application, door))


def levels_of(member: Member, stack: ExitStack, name: str) -> Levels:
    """Return where the levels of a limit are kept: shared by the processes that serve together."""
    if member.shared is None:
        return OwnLevels()
    levels = SharedLevels(member.shared / name)
    stack.callback(levels.close)
    return levels


def _housekeeping(application: Application, tiles: TileStore, exporter: Exporter) -> list[Step]:
    """Return what is done once for all who serve from the same state."""
    state, clock = application.state, application.clock
    grace = application.settings.opt_out_grace
    return [
        Step("enrollment", partial(advance_enrollments, state, clock), ENROLLMENT_SECONDS),
        Step("purge", partial(purge_when_due, state, tiles, clock, grace), PURGE_SECONDS),
        Step("expiry", partial(forget_expired, state, clock), EXPIRY_SECONDS),
        Step("exports", partial(run_exports, exporter), EXPORT_SECONDS),
    ]


def _rooms(application: Application, door: FrontDoor) -> dict[str, AsgiApp]:
    """Return what is served beside the API, by the beginnings of paths."""
    if not application.settings.console:
        return {}
    from compute_optimizer.app.console import console_of
    from compute_optimizer.console.addresses import ROOT
    from compute_optimizer.console.room import console_app

    room = console_of(application, door)
    return dict.fromkeys((ROOT, f"{room.prefix}{ROOT}"), console_app(room, door.opened))


def probes_of(application: Application, stopping: Event) -> Probes:
    """Return what answering probes needs; the process is not ready once `stopping` is set."""
    telemetry = Telemetry(application.state, application.clock)
    return Probes(application.state, telemetry, stopping.is_set, application.settings.metrics)


def sign_in_of(application: Application, levels: Levels) -> SignIn | None:
    """Return what signing in needs, by the settings; None where it is not set up.

    With auth off nobody needs credentials, and none would be looked at. Raises InvalidInput for a
    name of this server, or an endpoint of STS, that is none.
    """
    settings = application.settings
    names = server_names(settings.sign_in_names)
    if settings.auth == "off" or not names:
        return None
    return SignIn(
        application.state,
        open_key_file(settings.key_file, settings.data_dir),
        names,
        known_endpoints(settings.sign_in_sts_endpoints),
        timedelta(seconds=settings.clock_skew_seconds),
        per_minute(settings.sign_ins_per_minute, levels),
    )


def check_exposure(settings: Settings) -> None:
    """Raise InvalidInput where `auth off` would trust callers from outside this machine."""
    if settings.auth == "on" or settings.i_know_this_port_is_private or is_loopback(settings.host):
        return
    raise InvalidInput(
        f"auth off trusts every caller, so it binds loopback only, not {settings.host}. Use "
        "auth on, --host 127.0.0.1, or, where nobody else can reach the port (inside a container), "
        "--i-know-this-port-is-private"
    )


def _authentication(application: Application, stack: ExitStack) -> tuple[Authenticate, list[Step]]:
    """Return how callers are recognised, and the steps that go with it."""
    settings, state = application.settings, application.state
    if settings.auth == "off":
        return trust_access_key_id, []
    sealer = open_key_file(settings.key_file, settings.data_dir)
    with state.reading() as connection:
        check_key_file(connection, sealer)
    callers = VerifiedCallers(state, sealer, timedelta(seconds=settings.clock_skew_seconds))
    stack.callback(callers.write_last_use)
    return callers, [Step("last use of keys", callers.write_last_use, LAST_USE_SECONDS)]
