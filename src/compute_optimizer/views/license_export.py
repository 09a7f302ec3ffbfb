"""The columns of an export of licenses, in the order of the service's files (spec E.6)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from compute_optimizer.model import license as model
from compute_optimizer.shapes import LicenseFindingReasonCode
from compute_optimizer.views.export_columns import (
    ACCOUNT,
    COUNT,
    ERRORS,
    FINDING,
    LOOK_BACK,
    REFRESHED_ISO,
    TAGS,
    Column,
    ExportTable,
    Shown,
    arn,
    as_json,
    integer,
    of_rank,
    reasons,
    savings_columns,
    text,
)
from compute_optimizer.views.license import metrics_source, operating_system
from compute_optimizer.views.savings import currency_of


@dataclass(frozen=True, slots=True)
class LicenseOptionCells:
    """What the columns of the option read."""

    option: model.LicenseOption
    operating_system: str
    currency: str


@dataclass(frozen=True, slots=True)
class LicenseCells:
    """What the columns of one license read."""

    one: model.LicenseRecommendation
    options: tuple[LicenseOptionCells, ...]


def license_cells(one: model.LicenseRecommendation, shown: Shown) -> LicenseCells:
    """Return what the columns of a license read."""
    currency, system = currency_of(shown.region), operating_system(one)
    return LicenseCells(
        one, tuple(LicenseOptionCells(option, system, currency) for option in one.options)
    )


_CURRENT = "urrentLicenseConfiguration"


def _current(word: str, read: Callable[[model.LicenseRecommendation], str | None]) -> Column:
    name = f"c{_CURRENT}_{word[0].lower()}{word[1:]}"
    return text(name, f"C{_CURRENT}{word}", lambda row: read(row.one))


def _metrics_source(one: model.LicenseRecommendation) -> str | None:
    found = metrics_source(one)
    return as_json(found) if found else None


def _option(word: str, read: Callable[[LicenseOptionCells], str]) -> Column:
    name = f"{word[0].lower()}{word[1:]}"
    return of_rank(1, text(name, f"RecommendationOptions{word}", read))


COLUMNS = (
    ACCOUNT,
    arn("resourceArn", "ResourceArn"),
    LOOK_BACK,
    REFRESHED_ISO,
    integer(f"c{_CURRENT}_numberOfCores", f"C{_CURRENT}NumberOfCores", lambda row: row.one.cores),
    _current("InstanceType", lambda one: one.instance_type),
    _current("OperatingSystem", operating_system),
    _current("LicenseName", lambda one: model.SQL_SERVER),
    _current("LicenseEdition", lambda one: one.license.edition),
    _current("LicenseModel", lambda one: one.license.license_model),
    _current("LicenseVersion", lambda one: one.license.version or None),
    FINDING,
    *reasons(get_args(LicenseFindingReasonCode)),
    _option("OperatingSystem", lambda cells: cells.operating_system),
    _option("LicenseEdition", lambda cells: cells.option.edition),
    _option("LicenseModel", lambda cells: cells.option.license_model),
    *(of_rank(1, column) for column in savings_columns(words=("Currency", "Value"))),
    *ERRORS,
    TAGS,
    # From here on no public file has shown the place or the name (spec 9.5, a proposal); the public
    # tables have no count, documents say that every file has one (spec 15, question 34).
    _current("MetricsSource", _metrics_source),
    COUNT,
)

TABLE = ExportTable("License Recommendations", COLUMNS, license_cells)
