"""Export jobs: what was asked for, how far it is, and under which names the files come to lie."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

HISTORY = timedelta(days=7)
"""How long jobs are listed (documentation of DescribeRecommendationExportJobs)."""

IDLE = "Idle"
"""In place of a resource type: what is idle, of every type (enum ResourceType)."""

CSV_SUFFIX = ".csv"
METADATA_SUFFIX = "-metadata.json"
PARQUET_SUFFIX = ".parquet"


class JobStatus(StrEnum):
    """The service's states of a job (enum JobStatus)."""

    QUEUED = "Queued"
    IN_PROGRESS = "InProgress"
    COMPLETE = "Complete"
    FAILED = "Failed"


class ColumnKind(StrEnum):
    """What the values of a column are, as the metadata file declares them."""

    STRING = "string"
    DOUBLE = "double"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATETIME = "datetime"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the files of a job lie."""

    bucket: str
    key: str
    """Of the CSV file; the others differ by what stands instead of its suffix."""

    @property
    def metadata_key(self) -> str:
        """The key of the file that describes the columns."""
        return self.key.removesuffix(CSV_SUFFIX) + METADATA_SUFFIX

    @property
    def parquet_key(self) -> str:
        """The key of the same rows as Parquet."""
        return self.key.removesuffix(CSV_SUFFIX) + PARQUET_SUFFIX


@dataclass(frozen=True, slots=True)
class WantedFilter:
    """One filter as the request spelled it."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What one job exports, for whom and where to."""

    account_id: str
    """Whoever asked."""
    region: str
    resource_type: str
    destination: Destination
    account_ids: tuple[str, ...]
    """Whose recommendations; those of the organization's members are found when it runs."""
    include_members: bool = False
    filters: tuple[WantedFilter, ...] = ()
    fields: tuple[str, ...] = ()
    """The service's names; empty for all."""
    architectures: tuple[str, ...] = ("CURRENT",)
    """Of instances and groups: the options of these are ranked together."""
    enum_style: str = "wire"
    """Spelling of the enums of instances and groups, as in answers."""
    newer_idle_types: bool = True
    """Whether what is idle may be of `NEWER_IDLE_TYPES`, as in answers."""


@dataclass(frozen=True, slots=True)
class ExportJob:
    """A job as its history tells it."""

    job_id: str
    request: ExportRequest
    status: JobStatus
    created_at: datetime
    updated_at: datetime
    failure_reason: str | None = None


def object_key(prefix: str, account_id: str, region: str, created: datetime, job_id: str) -> str:
    """Return the key of the CSV file (spec 9.3)."""
    moment = created.strftime("%Y-%m-%dT%H%M%SZ")
    folder = f"{prefix}/" if prefix else ""
    name = f"{region}-{moment}-{job_id}{CSV_SUFFIX}"
    return f"{folder}compute-optimizer/{account_id}/{name}"
