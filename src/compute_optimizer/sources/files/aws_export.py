"""CSV files that the AWS service exported: rows by the name of their columns, as texts."""

import csv
import gzip
import io
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.resource import EBS_VOLUME, EC2_INSTANCE

ARN_COLUMNS = {"instancearn": EC2_INSTANCE, "volumearn": EBS_VOLUME}
"""By the column that only exports of a type have, in lower case: the type."""

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
        arn_column, resource_type = _type_of(path, header)
        kept = [(place, name) for place, name in enumerate(header) if name in wanted]
        rows: dict[str, Mapping[str, str]] = {}
        skipped = 0
        for cells in lines:
            arn = cells[arn_column].strip() if len(cells) == len(header) else ""
            if not arn.startswith("arn:"):
                skipped += 1
                continue
            rows[arn] = {name: cells[place] for place, name in kept if cells[place]}
    return AwsExport(resource_type, frozenset(header), rows, skipped)


def _type_of(path: Path, header: list[str]) -> tuple[int, str]:
    for place, name in enumerate(header):
        if name in ARN_COLUMNS:
            return place, ARN_COLUMNS[name]
    raise InvalidInput(
        f"{path} is no export of EC2 instances or EBS volumes: its first line has neither a column "
        "instanceArn nor volumeArn. Pass the CSV file of an export that has that field"
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
    except (OSError, EOFError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 text: {error}") from error
    except csv.Error as error:
        raise InvalidInput(f"{path} is no CSV file: {error}") from error
