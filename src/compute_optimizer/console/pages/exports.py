"""Exports: jobs that write recommendations to files, and what the worker's jobs did."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from compute_optimizer.console import kinds
from compute_optimizer.console.forms import FRESH, Entered, refused
from compute_optimizer.console.gate import Room, Visitor
from compute_optimizer.console.messages import Request, Response, redirect
from compute_optimizer.console.reach import reach_of_enrolled
from compute_optimizer.console.rendering import page
from compute_optimizer.console.sessions import Session
from compute_optimizer.errors import InvalidInput, NotFound
from compute_optimizer.model.export import HISTORY, IDLE, Destination, ExportJob, JobStatus
from compute_optimizer.operations.exports import EXPORT_KINDS, ExportKind
from compute_optimizer.sinks.rows import CSV_TYPE, JSON_TYPE, PARQUET_TYPE
from compute_optimizer.store.export_jobs import DONE, jobs_of

LISTING = "DescribeRecommendationExportJobs"

HERE = "/console/exports"

SHOWN = 100
"""Jobs in the table, the newest first."""


@dataclass(frozen=True, slots=True)
class JobFile:
    """One of the files of a job."""

    title: str
    content_type: str
    key: Callable[[Destination], str]


PARTS: Mapping[str, JobFile] = {
    "csv": JobFile("CSV", CSV_TYPE, lambda place: place.key),
    "metadata": JobFile("Metadata", JSON_TYPE, lambda place: place.metadata_key),
    "parquet": JobFile("Parquet", PARQUET_TYPE, lambda place: place.parquet_key),
}
"""By their names in addresses: a request says which of a job's files, never where it lies."""

TITLES = {**kinds.TITLES, IDLE: kinds.IDLE_KIND.title}
"""Of what is exported, by the names that jobs have for it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A job as the table has it."""

    job: ExportJob
    title: str
    address: str
    """Of the CSV file, where the files lie in Amazon S3."""
    files: Mapping[str, str]
    """Titles of those that can be downloaded here, by their names in addresses."""

    @property
    def is_done(self) -> bool:
        """Return whether nothing will change any more."""
        return self.job.status in DONE


AT = {
    "is no export": "operation",
    "in the Region": "region",
    "keyPrefix": "prefix",
    "prefix": "prefix",
    "bucket": "bucket",
    "One export": "operation",
}
"""Words of a refusal -> the field that it is about."""


def show(room: Room, request: Request, session: Session) -> Response:
    """Show the account's export jobs, a form that starts one, and the worker's jobs."""
    return _page(room, request, session)


def start(room: Room, request: Request, session: Session) -> Response:
    """Queue an export, as its operation does."""
    try:
        _start(room, request, session)
    except Exception as error:
        return _page(room, request, session, refused(request, error, AT))
    return redirect(HERE)


def _page(room: Room, request: Request, session: Session, entered: Entered = FRESH) -> Response:
    visitor = session.visitor
    reach = reach_of_enrolled(room, visitor.account_id)
    may_list = room.calls.may(visitor, LISTING)
    offered = {
        operation: TITLES[kind.resource_type]
        for operation, kind in sorted(EXPORT_KINDS.items(), key=_in_menu)
        if room.calls.may(visitor, operation)
    }
    values = {
        "may_list": may_list,
        "listing": LISTING,
        "jobs": [_shown(room, visitor, job) for job in _jobs(room, request, visitor)]
        if may_list
        else [],
        "days": HISTORY.days,
        "most": SHOWN,
        "offered": offered,
        "regions": reach.regions,
        "sees_members": reach.standing.sees_members,
        "in_folder": room.exported is not None,
        "worker_jobs": room.worker_jobs(),
        # What runs did names accounts, which may be of other organizations.
        "tells_details": not room.gate.verifies,
        "entered": entered,
    }
    return page(room, request, session, "exports.html", values, entered.status)


def _start(room: Room, request: Request, session: Session) -> None:
    operation, region = request.field("operation"), request.field("region")
    if operation not in EXPORT_KINDS:
        raise InvalidInput(
            f"{operation!r} is no export; expected one of {', '.join(sorted(EXPORT_KINDS))}"
        )
    regions = reach_of_enrolled(room, session.visitor.account_id).regions
    if region not in regions:
        raise InvalidInput(
            f"there are no recommendations in the Region {region!r}; expected one of "
            f"{', '.join(regions) or 'none: analyze first'}"
        )
    room.calls.perform(session.visitor, region, request.source, operation, _wanted(request))


def download(room: Room, request: Request, session: Session, job_id: str, part: str) -> Response:
    """Return one file of a job that the visitor's own account requested."""
    visitor = session.visitor
    chosen = PARTS.get(part)
    found = _jobs(room, request, visitor, job_id)
    if chosen is None or not found or found[0].status is not JobStatus.COMPLETE:
        raise NotFound(
            f"there is no such file; the files of complete jobs of the last {HISTORY.days} days "
            "are linked on the page Exports and jobs"
        )
    if room.exported is None:
        raise NotFound("the files lie in Amazon S3; the page Exports and jobs says where")
    place = found[0].request.destination
    key = chosen.key(place)
    name = f'attachment; filename="{key.rpartition("/")[2]}"'
    return Response(
        200,
        content_type=chosen.content_type,
        headers={"content-disposition": name},
        file=room.exported(place.bucket, key),
    )


def _in_menu(one: tuple[str, ExportKind]) -> int:
    """Return where a type stands in the menu."""
    return list(TITLES).index(one[1].resource_type)


def _wanted(request: Request) -> dict[str, Any]:
    place = {"bucket": request.field("bucket").strip()}
    if prefix := request.field("prefix").strip():
        place["keyPrefix"] = prefix
    wanted: dict[str, Any] = {"s3DestinationConfig": place}
    if request.field("members"):
        wanted["includeMemberAccounts"] = True
    return wanted


def _jobs(
    room: Room, request: Request, visitor: Visitor, job_id: str | None = None
) -> list[ExportJob]:
    """Return the jobs of the visitor's account in all Regions, as the operation does in each."""
    room.calls.permit(visitor, "", request.source, LISTING)
    reach_of_enrolled(room, visitor.account_id)
    since = room.clock.now() - HISTORY
    with room.state.reading() as connection:
        return jobs_of(connection, visitor.account_id, since, limit=SHOWN, job_id=job_id)


def _shown(room: Room, visitor: Visitor, job: ExportJob) -> Shown:
    place, title = job.request.destination, TITLES[job.request.resource_type]
    if room.exported is None:
        return Shown(job, title, f"s3://{place.bucket}/{place.key}", {})
    complete = job.status is JobStatus.COMPLETE
    files = {
        name: part.title
        for name, part in PARTS.items()
        if complete and _is_there(room.exported, place.bucket, part.key(place))
    }
    return Shown(job, title, "", files)


def _is_there(exported: Callable[[str, str], object], bucket: str, key: str) -> bool:
    try:
        exported(bucket, key)
    except (NotFound, InvalidInput):
        return False
    return True
