"""CSV files that the AWS service exported: rows by the name of their columns, as texts."""

import csv
import gzip
import io
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.export import IDLE
from compute_optimizer.model.lambda_function import qualified
from compute_optimizer.model.resource import (
    AUTO_SCALING_GROUP,
    EBS_VOLUME,
    EC2_INSTANCE,
    ECS_SERVICE,
    LAMBDA_FUNCTION,
    LICENSE,
    RDS_DB_INSTANCE,
)


@dataclass(frozen=True, slots=True)
class Hallmark:
    """How an export of one type is told from others; names of columns are in lower case."""

    resource_type: str
    arn: str
    """The column that names the resources."""
    others: frozenset[str] = frozenset()
    """Columns of which an export of this type has one at least; empty where the ARN tells."""
    version: str = ""
    """The column that an ARN without a version goes with."""


HALLMARKS = (
    Hallmark(EC2_INSTANCE, "instancearn"),
    Hallmark(EBS_VOLUME, "volumearn"),
    Hallmark(AUTO_SCALING_GROUP, "autoscalinggrouparn"),
    Hallmark(LAMBDA_FUNCTION, "functionarn", version="functionversion"),
    Hallmark(ECS_SERVICE, "servicearn"),
    Hallmark(
        RDS_DB_INSTANCE,
        "resourcearn",
        frozenset({"engine", "currentdbinstanceclass", "instancefinding", "storagefinding"}),
    ),
    Hallmark(
        LICENSE,
        "resourcearn",
        frozenset(
            f"currentlicenseconfiguration_license{of}" for of in ("name", "edition", "model")
        ),
    ),
    Hallmark(IDLE, "resourcearn", frozenset({"findingdescription", "resourceid", "resourcetype"})),
)
"""Of every type whose exports can be compared."""

GZIP_SUFFIX = ".gz"


@dataclass(frozen=True, slots=True)
class AwsExport:
    """What one file holds; names of columns are in lower case, since tools differ in theirs."""

    resource_type: str
    columns: frozenset[str]
    rows: Mapping[str, Mapping[str, str]]
    """By ARN; of repeated ones the last."""
    skipped: int
    """Rows without an ARN, or with other cells than the header has columns."""


def read_aws_export(path: Path, wanted: Collection[str]) -> AwsExport:
    """Read an export, keeping the cells of the wanted columns (lower case) that are not empty.

    Raises InvalidInput for a file that cannot be read or is no such export.
    """
    with _opened(path) as file:
        lines = csv.reader(file, strict=True)
        header = [name.strip().lower() for name in next(lines, [])]
        found = _type_of(path, header)
        arn_column = header.index(found.arn)
        version = header.index(found.version) if found.version in header else None
        kept = [(place, name) for place, name in enumerate(header) if name in wanted]
        rows: dict[str, Mapping[str, str]] = {}
        skipped = 0
        for cells in lines:
            arn = cells[arn_column].strip() if len(cells) == len(header) else ""
            if not arn.startswith("arn:"):
                skipped += 1
                continue
            if version is not None and cells[version]:
                arn = qualified(arn, cells[version])
            rows[arn] = {name: cells[place] for place, name in kept if cells[place]}
    return AwsExport(found.resource_type, frozenset(header), rows, skipped)


def _type_of(path: Path, header: list[str]) -> Hallmark:
    names = set(header)
    for one in HALLMARKS:
        if one.arn in names and (not one.others or one.others & names):
            return one
    known = ", ".join(
        f"{one.arn} (and one of {', '.join(sorted(one.others))})" if one.others else one.arn
        for one in HALLMARKS
    )
    raise InvalidInput(
        f"{path} is no export that can be compared: its first line has none of the columns by "
        f"which one is known: {known}. Pass the CSV file of an export that has them"
    )


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        with path.open("rb") as raw:
            packed = path.suffix == GZIP_SUFFIX
            plain = gzip.GzipFile(fileobj=raw) if packed else raw
            # A byte order mark is what spreadsheets put in front.
            with io.TextIOWrapper(plain, encoding="utf-8-sig", newline="") as file:
                yield file
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(f"{path} cannot be read: {error}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 text: {error}") from error
    except csv.Error as error:
        raise InvalidInput(f"{path} is no CSV file: {error}") from error
