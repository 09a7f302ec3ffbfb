"""The Export*Recommendations operations: queue a job that writes the files, and tell their keys."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from compute_optimizer.errors import Conflict, InvalidInput, NotFound
from compute_optimizer.interfaces import Sink
from compute_optimizer.model.export import (
    IDLE,
    Destination,
    ExportJob,
    ExportRequest,
    JobStatus,
    WantedFilter,
    object_key,
)
from compute_optimizer.model.resource import (
    AUTO_SCALING_GROUP,
    EBS_VOLUME,
    EC2_INSTANCE,
    ECS_SERVICE,
    LAMBDA_FUNCTION,
    LICENSE,
    RDS_DB_INSTANCE,
)
from compute_optimizer.operations.access import (
    account_in_reach,
    opted_in_caller,
    valid_account_id,
)
from compute_optimizer.operations.architectures import architectures_of
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.filters import (
    DATABASE_FILTERS,
    EBS_FILTERS,
    EC2_FILTERS,
    ECS_FILTERS,
    GROUP_FILTERS,
    IDLE_FILTERS,
    LAMBDA_FILTERS,
    LICENSE_FILTERS,
    FilterRule,
    selection,
)
from compute_optimizer.shapes import (
    AccessDeniedException,
    InvalidParameterValueException,
    LimitExceededException,
    ServiceException,
    ServiceUnavailableException,
)
from compute_optimizer.store.enrollments import Standing
from compute_optimizer.store.export_jobs import add_job, unfinished_job
from compute_optimizer.store.recommendations import Selection
from compute_optimizer.views.exports import EXPORT_TABLES

IN_PROGRESS = "An export job for this resource type is already in progress."
"""Of the account and the Region (spec 11.3)."""

MAX_KEY_BYTES = 1024
"""Longest key of an object (Amazon S3 User Guide)."""

MAX_ACCOUNTS = 1_000
"""Accounts that a request may list: as many as ARNs elsewhere (spec 8.3; a proposal)."""


@dataclass(frozen=True, slots=True)
class ExportKind:
    """What one export operation has of its own."""

    resource_type: str
    filters: Mapping[str, FilterRule]
    """Beside tag:KEY and tag-key, as of the operation that lists the type."""


EXPORT_KINDS = {
    "ExportAutoScalingGroupRecommendations": ExportKind(AUTO_SCALING_GROUP, GROUP_FILTERS),
    "ExportEBSVolumeRecommendations": ExportKind(EBS_VOLUME, EBS_FILTERS),
    "ExportEC2InstanceRecommendations": ExportKind(EC2_INSTANCE, EC2_FILTERS),
    "ExportECSServiceRecommendations": ExportKind(ECS_SERVICE, ECS_FILTERS),
    "ExportIdleRecommendations": ExportKind(IDLE, IDLE_FILTERS),
    "ExportLambdaFunctionRecommendations": ExportKind(LAMBDA_FUNCTION, LAMBDA_FILTERS),
    "ExportLicenseRecommendations": ExportKind(LICENSE, LICENSE_FILTERS),
    "ExportRDSDatabaseRecommendations": ExportKind(RDS_DB_INSTANCE, DATABASE_FILTERS),
}
"""By operation."""

_FILTERS_OF = {kind.resource_type: kind.filters for kind in EXPORT_KINDS.values()}


def exporting(operation: str) -> Callable[[Context, dict[str, Any]], dict[str, Any]]:
    """Return the operation that queues exports of its resource type."""
    kind = EXPORT_KINDS[operation]

    def export(context: Context, request: dict[str, Any]) -> dict[str, Any]:
        return _queue(context, request, kind)

    return export


def queue_export(operation: str, context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Queue an export as its operation does; raise InvalidInput for what that refuses."""
    try:
        return exporting(operation)(context, request)
    except ServiceException as error:
        raise InvalidInput(f"the export is refused: {error.message}") from error


def selection_of(resource_type: str, filters: Sequence[WantedFilter]) -> Selection:
    """Return what the store shall read for the filters of an export.

    Raises InvalidParameterValueException that names the filter which is not valid.
    """
    spelled = [{"name": one.name, "values": list(one.values)} for one in filters]
    return selection(spelled, _FILTERS_OF[resource_type])  # type: ignore[arg-type] # not only enum names: tag:KEY is one, too


def _queue(context: Context, request: dict[str, Any], kind: ExportKind) -> dict[str, Any]:
    """Queue a job and return its id and keys.

    Raises OptInRequiredException, AccessDeniedException, LimitExceededException while such a job
    is not done, and InvalidParameterValueException for what cannot be exported.
    """
    caller = opted_in_caller(context)
    accounts = _accounts(context, caller, request)
    filters = tuple(
        WantedFilter(one.get("name", ""), tuple(one.get("values", ())))
        for one in request.get("filters") or ()
    )
    selection_of(kind.resource_type, filters)
    now, job_id = context.clock.now(), str(uuid4())
    destination = _destination(context, request["s3DestinationConfig"], job_id)
    wanted = ExportRequest(
        account_id=context.account_id,
        region=context.region,
        resource_type=kind.resource_type,
        destination=destination,
        account_ids=accounts,
        include_members=bool(request.get("includeMemberAccounts")),
        filters=filters,
        fields=_fields(request, kind),
        architectures=architectures_of(request),
        enum_style=context.enum_style,
        newer_idle_types=context.newer_idle_types,
    )
    # Before the bucket is looked at: SDKs repeat a refused export, which has to be cheap.
    with context.state.reading() as connection:
        if unfinished_job(connection, wanted) is not None:
            raise LimitExceededException(IN_PROGRESS)
    _check_place(_sink(context), wanted)
    try:
        with context.state.writing() as connection:
            add_job(connection, ExportJob(job_id, wanted, JobStatus.QUEUED, now, now))
    except Conflict:
        raise LimitExceededException(IN_PROGRESS) from None
    return {"jobId": job_id, "s3Destination": shown_destination(destination)}


def shown_destination(destination: Destination) -> dict[str, str]:
    """Return bucket and keys as a member of an answer."""
    return {
        "bucket": destination.bucket,
        "key": destination.key,
        "metadataKey": destination.metadata_key,
    }


def _accounts(context: Context, caller: Standing, request: dict[str, Any]) -> tuple[str, ...]:
    asked = list(dict.fromkeys(request.get("accountIds") or ()))
    if request.get("includeMemberAccounts"):
        if asked:
            raise InvalidParameterValueException(
                "accountIds and includeMemberAccounts can't be specified together."
            )
        _check_members(context, caller)
    if len(asked) > MAX_ACCOUNTS:
        raise InvalidParameterValueException(
            f"accountIds lists {len(asked)} accounts; at most {MAX_ACCOUNTS} are allowed."
        )
    for account_id in asked:
        account_in_reach(context, caller, valid_account_id(account_id), "export")
    return tuple(asked) or (context.account_id,)


def _check_members(context: Context, caller: Standing) -> None:
    """Refuse member accounts to whoever administers none."""
    if caller.organization is None:
        raise InvalidParameterValueException(
            f"includeMemberAccounts can't be specified: account {context.account_id} belongs to "
            "no organization."
        )
    if not caller.sees_members:
        raise AccessDeniedException(
            f"Account {context.account_id} is not authorized to export its organization's member "
            "accounts: only the management account or the delegated administrator is, while "
            "trusted access is on."
        )


def _fields(request: dict[str, Any], kind: ExportKind) -> tuple[str, ...]:
    asked = tuple(dict.fromkeys(request.get("fieldsToExport") or ()))
    known = {column.field for column in EXPORT_TABLES[kind.resource_type].columns}
    for field in asked:
        if field not in known:
            raise InvalidParameterValueException(f"The field {field!r} can't be exported.")
    return asked


def _destination(context: Context, config: Mapping[str, str], job_id: str) -> Destination:
    bucket, prefix = config.get("bucket") or "", config.get("keyPrefix") or ""
    if not bucket:
        raise InvalidParameterValueException(
            "s3DestinationConfig has no bucket; expected the name of an existing bucket."
        )
    key = object_key(
        prefix.rstrip("/"), context.account_id, context.region, context.clock.now(), job_id
    )
    destination = Destination(bucket, key)
    if len(destination.metadata_key.encode()) > MAX_KEY_BYTES:
        raise InvalidParameterValueException(
            f"The keyPrefix is too long; the whole key may have {MAX_KEY_BYTES} bytes."
        )
    return destination


def _sink(context: Context) -> Sink:
    if context.sink is None:
        raise ServiceUnavailableException("This server has no place that it could export to.")
    return context.sink


def _check_place(sink: Sink, wanted: ExportRequest) -> None:
    try:
        sink.check_place(wanted.destination.bucket, wanted.destination.key, wanted.region)
    except (NotFound, InvalidInput) as error:
        text = str(error)
        raise InvalidParameterValueException(f"{text[:1].upper()}{text[1:]}.") from error
