"""`compute-optimizer export`: write the files of queued exports, and of one more if asked for."""

import sys
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import uuid4

import typer

from compute_optimizer.app import Application, opened, tiles_of
from compute_optimizer.app.exporting import exporter_of
from compute_optimizer.cli.auditing import record_command
from compute_optimizer.cli.narrowing import check_narrowing
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_rows,
    settings_for,
)
from compute_optimizer.errors import ComputeOptimizerError, InvalidInput
from compute_optimizer.jobs.export import Exporter, Outcome, run_exports
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.exports import EXPORT_KINDS, queue_export

HEADINGS = {
    "jobId": "Job",
    "resourceType": "Type",
    "accountId": "Account",
    "region": "Region",
    "status": "Status",
    "rows": "Rows",
    "bucket": "Bucket",
    "key": "Key",
    "failureReason": "Reason",
}

OPERATION_OF = {kind.resource_type: operation for operation, kind in EXPORT_KINDS.items()}


def export(
    resource_type: Annotated[
        str | None, typer.Option("--type", help=f"One of {', '.join(OPERATION_OF)}.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="The account that exports.")] = None,
    region: Annotated[str | None, typer.Option(help="The Region.")] = None,
    bucket: Annotated[str | None, typer.Option(help="Bucket, or folder inside export_dir.")] = None,
    prefix: Annotated[str, typer.Option(help="What all keys begin with.")] = "",
    members: Annotated[
        bool, typer.Option("--members", help="Include the organization's member accounts.")
    ] = False,
    parquet: Annotated[
        bool | None, typer.Option("--parquet", help="Write a Parquet file beside each CSV file.")
    ] = None,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Write the files of all queued exports; with --type, queue one more first.

    `serve` writes them by itself. The exit code is 1 where one of them failed.
    """
    with opened(settings_for(data_dir, export_parquet=parquet)) as application:
        exporter = exporter_of(application)
        asked = {"account": account, "region": region, "bucket": bucket}
        if resource_type is not None:
            _queue(application, exporter, resource_type, asked, prefix, members)
        else:
            _check_asks_for_none({**asked, "prefix": prefix, "members": members})
        outcomes = run_exports(exporter)
    if outcomes or output is Format.JSON:
        print_rows([_row(one) for one in outcomes], HEADINGS, output)
    else:
        print("No export is waiting.")
    if any(one.failure_reason for one in outcomes):
        sys.exit(ComputeOptimizerError.exit_code)


def _check_asks_for_none(given: Mapping[str, Any]) -> None:
    """Raise InvalidInput where something is said of an export that nobody asks for."""
    for name, value in given.items():
        if value:
            raise InvalidInput(
                f"--{name} is about an export to queue, and there is none without --type; leave "
                "it out to write those that are queued already"
            )


def _queue(
    application: Application,
    exporter: Exporter,
    resource_type: str,
    asked: dict[str, str | None],
    prefix: str,
    members: bool,
) -> None:
    """Queue an export as the API does."""
    for name, value in asked.items():
        if not value:
            raise InvalidInput(
                f"--type needs --account, --region and --bucket; --{name} is missing"
            )
    if resource_type not in OPERATION_OF:
        raise InvalidInput(
            f"--type {resource_type!r} cannot be exported; expected one of "
            f"{', '.join(OPERATION_OF)}"
        )
    with application.state.reading() as connection:
        check_narrowing(connection, [str(asked["account"])], [str(asked["region"])])
    request: dict[str, Any] = {
        "s3DestinationConfig": {"bucket": asked["bucket"], "keyPrefix": prefix},
        "includeMemberAccounts": members,
    }
    operation = OPERATION_OF[resource_type]
    queue_export(operation, _context(application, exporter, asked), request)
    record_command(application, "export", [str(asked["account"])], operation=operation, **request)


def _context(application: Application, exporter: Exporter, asked: dict[str, str | None]) -> Context:
    account = str(asked["account"])
    return Context(
        account_id=account,
        region=str(asked["region"]),
        request_id=str(uuid4()),
        principal_arn=f"arn:aws:iam::{account}:root",
        state=application.state,
        clock=application.clock,
        tiles=tiles_of(application.settings),
        enum_style=application.settings.enum_style,
        newer_idle_types=application.settings.newer_idle_types,
        sink=exporter.sink,
    )


def _row(outcome: Outcome) -> dict[str, Any]:
    request = outcome.job.request
    return {
        "jobId": outcome.job.job_id,
        "resourceType": request.resource_type,
        "accountId": request.account_id,
        "region": request.region,
        "status": "Failed" if outcome.failure_reason else "Complete",
        "rows": outcome.rows,
        "bucket": request.destination.bucket,
        "key": request.destination.key,
        "metadataKey": request.destination.metadata_key,
        "failureReason": outcome.failure_reason,
    }
