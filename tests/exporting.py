"""Exports for tests: published recommendations, a folder to export to, and the files read back."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compute_optimizer.interfaces import Sink
from compute_optimizer.jobs.export import Exporter, Outcome, run_exports
from compute_optimizer.model.recommendation import (
    IdleRecommendation,
    Recommendation,
    RecommendationError,
)
from compute_optimizer.operations.exports import selection_of
from compute_optimizer.sinks import FolderSink
from compute_optimizer.views.export_columns import Shown, recommended_rows
from compute_optimizer.views.exports import EXPORT_TABLES
from tests.enrolling import MANAGEMENT, Desk
from tests.records import REGION
from tests.waiting import wait_until
from tests.written_runs import publish

BUCKET = "exports"


@dataclass
class ExportDesk:
    """The operations, the exporter and the folder that it writes to."""

    desk: Desk
    folder: Path
    parquet: bool = False

    @property
    def exporter(self) -> Exporter:
        sink = self.desk.sink
        assert sink is not None
        return Exporter(self.desk.state, self.desk.clock, sink, selection_of, self.parquet)

    def publish(
        self,
        found: Sequence[Recommendation],
        errors: Sequence[RecommendationError] = (),
        account: str = MANAGEMENT,
        resource_type: str = "EbsVolume",
        idle: Sequence[IdleRecommendation] = (),
    ) -> None:
        """Make recommendations the current ones of an account."""
        publish(self.desk, found, errors, resource_type=resource_type, account=account, idle=idle)

    def ask(
        self, account: str = MANAGEMENT, kind: str = "EBSVolume", **request: Any
    ) -> dict[str, Any]:
        """Request an export."""
        request.setdefault("s3DestinationConfig", {"bucket": BUCKET})
        return self.desk.call(f"Export{kind}Recommendations", account, **request)

    def run(self) -> list[Outcome]:
        """Write what is queued."""
        return run_exports(self.exporter)

    def exported(self, account: str = MANAGEMENT, **request: Any) -> list[dict[str, str]]:
        """Request an export, write it and return its rows."""
        answer = self.ask(account, **request)
        outcomes = self.run()
        assert [one.failure_reason for one in outcomes] == [None]
        return self.rows(answer)

    def text(self, answer: dict[str, Any], member: str = "key") -> str:
        """Return a file of an export."""
        place: dict[str, str] = answer["s3Destination"]
        return (self.folder / place["bucket"] / place[member]).read_text()

    def rows(self, answer: dict[str, Any]) -> list[dict[str, str]]:
        """Return the rows of the CSV file of an export."""
        return list(csv.DictReader(io.StringIO(self.text(answer), newline="")))

    def metadata(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return the description of an export's columns."""
        found: dict[str, Any] = json.loads(self.text(answer, "metadataKey"))
        return found

    def job(self, answer: dict[str, Any], account: str = MANAGEMENT) -> dict[str, Any]:
        """Return an export's job as it is described."""
        wanted = [answer["jobId"]]
        listed = self.desk.call("DescribeRecommendationExportJobs", account, jobIds=wanted)
        (found,) = listed["recommendationExportJobs"]
        return dict(found)


def exported_row(resource_type: str, one: Any, **shown: Any) -> dict[str, Any]:
    """Return the cells of a recommendation's row that are not empty, by column."""
    table = EXPORT_TABLES[resource_type]
    region = shown.pop("region", REGION)
    (row,) = recommended_rows(table.columns, [table.subject(one, Shown(region, **shown))])
    cells = zip((column.name for column in table.columns), row, strict=True)
    return {name: cell for name, cell in cells if cell not in (None, "")}


def export_desk(desk: Desk, folder: Path, sink: Sink | None = None) -> ExportDesk:
    """Return a desk that exports to a folder, or to another sink."""
    desk.sink = sink or FolderSink(folder)
    return ExportDesk(desk, folder)


def finished(client: Any, job_id: str) -> dict[str, Any]:
    """Wait for a job and return it."""

    def ended() -> dict[str, Any] | None:
        listed = client.describe_recommendation_export_jobs(jobIds=[job_id])
        (job,) = listed["recommendationExportJobs"]
        return dict(job) if job["status"] in ("Complete", "Failed") else None

    return wait_until(ended, lambda: "the export was not written")
