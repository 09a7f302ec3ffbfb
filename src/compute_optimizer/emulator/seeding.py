"""Put what a test states into an emulator: in one transaction, and by the product's own rules."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec
from sqlalchemy import Connection

from compute_optimizer.api.protocols.encodings import JSON
from compute_optimizer.api.protocols.input_walk import NotAsModelled
from compute_optimizer.emulator import state
from compute_optimizer.emulator.day_tiles import Metered, publish_metered
from compute_optimizer.emulator.inventory import resources_of
from compute_optimizer.emulator.loads import period_before
from compute_optimizer.emulator.metering import days_of, series_of
from compute_optimizer.emulator.rosters import accounts_of, write_accounts, write_strangers
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Clock
from compute_optimizer.jobs.ingest import ImportRequest, ingest
from compute_optimizer.model.export import (
    Destination,
    ExportRequest,
    JobStatus,
    object_key,
)
from compute_optimizer.model.export import ExportJob as Job
from compute_optimizer.model.resource import Resource
from compute_optimizer.operations import OPERATIONS
from compute_optimizer.operations.context import Context
from compute_optimizer.shapes import ServiceException
from compute_optimizer.store import State, inventory
from compute_optimizer.store.accounts import list_organizations
from compute_optimizer.store.enrollments import opted_in_accounts
from compute_optimizer.store.export_jobs import add_job
from compute_optimizer.store.tiles import TileStore
from compute_optimizer.views.exports import EXPORT_TABLES

T = TypeVar("T")

PUT = "PutRecommendationPreferences"

UNSAID = "The export job failed."
"""Why a Failed job failed, where the test does not say."""

ANALYZED = (*get_args(state.Fleet), state.Files, state.Preferences)
"""What an analysis goes by; accounts alone change no recommendation."""


@dataclass(frozen=True, slots=True)
class World:
    """What is filled: the stores of an emulator, by its clock."""

    state: State
    tiles: TileStore
    clock: Clock
    account_id: str
    """Of whatever names none."""


def seed(world: World, records: Sequence[state.Record], owners: Collection[str] = ()) -> list[str]:
    """Write the records and return the ARNs of the resources, in their order.

    Accounts of which nobody has said anything are opted in, as are further `owners`. Fixed
    recommendations are not kept here. Raises InvalidInput for what no record may say, and for
    preferences that the service refuses; Conflict where a job is not done yet that a stated one
    would have to wait for.
    """
    checked = [_checked(one) for one in records]
    owning = {*owners, *_account_ids(world, checked)}
    now = world.clock.now()
    metered = [_metered(world, one, now) for one in checked if isinstance(one, state.Fleet)]
    resources = [one for part in metered for one in part.resources]
    _check_once(resources)
    write = partial(
        _write, world=world, records=checked, resources=resources, owning=owning, now=now
    )
    if metered:
        publish_metered(world.state, world.tiles, metered, write)
    else:
        with world.state.writing() as connection:
            write(connection)
    for files in _of(state.Files, checked):
        _import(world, files)
    for preferences in _of(state.Preferences, checked):
        _put_preferences(world, preferences)
    return [one.arn for one in resources]


def leaves_work(records: Iterable[state.Record]) -> bool:
    """Return whether anything waits for what the service does beside requests."""
    accounts = [one for one in records if isinstance(one, state.Account)]
    for organization in _of(state.Organization, records):
        accounts += accounts_of(organization)
    jobs = _of(state.ExportJob, records)
    return any(one.status == "Pending" for one in accounts) or any(
        one.status == "Queued" for one in jobs
    )


def wants_analysis(world: World, records: Iterable[state.Record]) -> bool:
    """Return whether recommendations follow from the records: anything measured, and an opt-in."""
    if not any(isinstance(one, ANALYZED) for one in records):
        return False
    with world.state.reading() as connection:
        return bool(opted_in_accounts(connection)) and bool(inventory.shards(connection))


def _checked(record: T) -> T:
    """Return the record; raise InvalidInput for a member of another type than it wants."""
    kind = type(record)
    if not isinstance(record, state.Record):
        raise InvalidInput(
            f"{record!r} is nothing that an emulator starts with; expected records of "
            "compute_optimizer.emulator.state, or YAML"
        )
    try:
        # Structures are not checked when they are made: so it is written and read once.
        return msgspec.convert(msgspec.to_builtins(record, builtin_types=(datetime,)), kind)
    except (msgspec.ValidationError, TypeError) as error:
        raise InvalidInput(f"{kind.__name__}: {error}") from error


def _of(kind: type[T], records: Iterable[Any]) -> list[T]:
    return [one for one in records if isinstance(one, kind)]


def _metered(world: World, record: state.Fleet, now: datetime) -> Metered:
    resources = resources_of(record, world.account_id, now)
    period = period_before(now, days_of(record))
    try:
        return Metered(resources, period, series_of(record, period))
    except InvalidInput as error:
        raise InvalidInput(f"{type(record).__name__} {record.name!r}: {error}") from error


def _check_once(resources: Sequence[Resource]) -> None:
    seen: set[str] = set()
    for one in resources:
        if one.arn in seen:
            raise InvalidInput(f"{one.arn} is stated twice; give them other names")
        seen.add(one.arn)


def _write(
    connection: Connection,
    world: World,
    records: Sequence[state.Record],
    resources: Sequence[Resource],
    owning: Collection[str],
    now: datetime,
) -> None:
    accounts = [one for one in records if isinstance(one, state.Account | state.Organization)]
    write_accounts(connection, accounts, now)
    write_strangers(connection, owning, now)
    inventory.upsert_resources(connection, resources)
    for number, job in enumerate(_of(state.ExportJob, records)):
        add_job(connection, _job(world, job, number, now))


def _account_ids(world: World, records: Iterable[state.Record]) -> Iterator[str]:
    """Yield the accounts that own something or do something."""
    for one in records:
        if isinstance(one, state.Fleet | state.ExportJob):
            yield one.account_id or world.account_id
        elif isinstance(one, state.Files):
            yield world.account_id  # Whose they are is not known before they are read.
        elif isinstance(one, state.Preferences):
            organization = one.scope is not None and one.scope.name == "Organization"
            # The management account speaks for an organization, and is stated with it.
            if one.account_id or not organization:
                yield one.account_id or world.account_id


def _import(world: World, files: state.Files) -> None:
    paths = tuple(Path(one) for one in files.metrics)
    request = ImportRequest(
        inventory=Path(files.inventory) if files.inventory else None, metrics=paths, strict=True
    )
    ingest(world.state, world.tiles, world.clock, request)


def _put_preferences(world: World, stated: state.Preferences) -> None:
    """Put preferences by the operation itself, so that the service decides what is valid."""
    scope = None if stated.scope is None else msgspec.to_builtins(stated.scope)
    given = {"resourceType": stated.resource_type, "scope": scope, **stated.stated}
    try:
        request = JSON.walks[PUT].read({key: one for key, one in given.items() if one is not None})
        OPERATIONS[PUT](_context(world, stated), request)
    except NotAsModelled as refused:
        error = refused.as_service_exception()
        raise InvalidInput(f"Preferences for {stated.resource_type}: {error}") from error
    except ServiceException as error:
        raise InvalidInput(f"Preferences for {stated.resource_type}: {error}") from error


def _context(world: World, stated: state.Preferences) -> Context:
    caller = stated.account_id or world.account_id
    if stated.account_id is None and stated.scope and stated.scope.name == "Organization":
        with world.state.reading() as connection:
            found = list_organizations(connection)
        caller = found[0].management_account_id if found else caller
    return Context(
        account_id=caller,
        region=stated.region,
        request_id="",
        principal_arn=f"arn:aws:iam::{caller}:root",
        state=world.state,
        clock=world.clock,
        tiles=world.tiles,
    )


def _job(world: World, stated: state.ExportJob, number: int, now: datetime) -> Job:
    if stated.resource_type not in EXPORT_TABLES:
        expected = ", ".join(sorted(EXPORT_TABLES))
        raise InvalidInput(
            f"ExportJob: resource_type is {stated.resource_type!r}; expected one of {expected}"
        )
    status = JobStatus(stated.status)
    if stated.failure_reason is not None and status is not JobStatus.FAILED:
        raise InvalidInput(f"ExportJob: a job that is {stated.status} has no failure_reason")
    account_id = stated.account_id or world.account_id
    created = now - timedelta(days=stated.days_ago)
    job_id = stated.job_id or _job_id(f"{account_id} {stated} {number}")
    key = object_key(stated.prefix, account_id, stated.region, created, job_id)
    request = ExportRequest(
        account_id=account_id,
        region=stated.region,
        resource_type=stated.resource_type,
        destination=Destination(stated.bucket, key),
        account_ids=(account_id,),
    )
    reason = stated.failure_reason or (UNSAID if status is JobStatus.FAILED else None)
    return Job(job_id, request, status, created, created, reason)


def _job_id(words: str) -> str:
    digits = sha256(words.encode()).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))
