"""What the columns of every export file have in common.

A resource type's table is a tuple of columns in the order of the service's files. The files are
read by position, so that a column that becomes known later goes to the end.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from math import isnan
from typing import Any

import msgspec

from compute_optimizer.catalog import InstanceTypes, load_instance_types
from compute_optimizer.model.arn import account_of
from compute_optimizer.model.export import ColumnKind
from compute_optimizer.model.recommendation import RecommendationError, Savings
from compute_optimizer.views.preferences import look_back_period
from compute_optimizer.views.savings import after_discounts, estimation_source, listed_savings

Value = str | float | int | bool | None
"""Of one cell; moments are texts already, None is an empty cell."""

RANKS = (1, 2, 3)
"""Options that a row has room for (spec 9.4)."""

NO_OPTIONS = (None,) * len(RANKS)

MOMENT_FORMAT = "%Y-%m-%d %H:%M:%S"
MOMENT_PATTERN = "yyyy-MM-dd HH:mm:ss"
"""Of lastRefreshTimestamp_UTC of most types (spec 9.4): to write it, and as the description tells
it, in the letters of CSV on the Web."""

ISO_PATTERN = "yyyy-MM-ddTHH:mm:ssX"
FRACTION_PATTERN = "yyyy-MM-ddTHH:mm:ss.SSSX"
"""The same of idle resources and licenses, and of ECS services and databases (spec 9.4)."""

CAPITALS = "TRUE|FALSE"
"""How ECS services spell true and false (spec 9.4), as the description tells it."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a type's export."""

    name: str
    """The header."""
    kind: ColumnKind
    field: str | None
    """The service's name in fieldsToExport; None for columns that every export has."""
    read: Callable[[Any], Value]
    """Return the cell of a row's subject, which is what the type's `subject` returns; of a column
    with a rank that of the subject's option."""
    of_error: Callable[[RecommendationError], Value] | None = None
    """Return the cell of a resource without a recommendation; None leaves it empty."""
    place: int | None = None
    """Of columns of one option: its place among the subject's `options`; there may be fewer by as
    many as RANKS."""
    pattern: str | None = None
    """How the description tells the format: of moments always, of true and false where they are
    not spelled so."""

    @property
    def required(self) -> bool:
        """Whether the metadata declares that every row has a value."""
        return self.field is None


@dataclass(frozen=True, slots=True)
class ExportTable:
    """How recommendations of one resource type become rows."""

    title: str
    """Of the metadata file, such as EC2 Instance Recommendations."""
    columns: tuple[Column, ...]
    subject: Callable[..., Any]
    """(recommendation, presentation) -> what the columns read."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How the rows of one export are to be shown."""

    region: str
    architectures: tuple[str, ...] = ("CURRENT",)
    enum_style: str = "wire"
    types: InstanceTypes = field(default_factory=load_instance_types)
    """What is known of instance types."""


def text(name: str, field: str, read: Callable[[Any], str | None]) -> Column:
    """Return a column of texts."""
    return Column(name, ColumnKind.STRING, field, read)


def double(name: str, field: str, read: Callable[[Any], float | None]) -> Column:
    """Return a column of numbers."""
    return Column(name, ColumnKind.DOUBLE, field, read)


def integer(name: str, field: str, read: Callable[[Any], int | None]) -> Column:
    """Return a column of whole numbers."""
    return Column(name, ColumnKind.INTEGER, field, read)


def boolean(
    name: str, field: str, read: Callable[[Any], bool | None], pattern: str | None = None
) -> Column:
    """Return a column of true and false."""
    return Column(name, ColumnKind.BOOLEAN, field, read, pattern=pattern)


def moment(
    name: str, field: str, read: Callable[[Any], str], pattern: str = MOMENT_PATTERN
) -> Column:
    """Return a column of moments, whose values are texts of that pattern, in UTC."""
    return Column(name, ColumnKind.DATETIME, field, read, pattern=pattern)


ACCOUNT = Column(
    "accountId",
    ColumnKind.STRING,
    "AccountId",
    lambda row: row.one.account_id,
    lambda error: account_of(error.resource_arn),
)

REFRESHED = moment(
    "lastRefreshTimestamp_UTC",
    "LastRefreshTimestamp",
    lambda row: row.one.last_refresh.strftime(MOMENT_FORMAT),
)

REFRESHED_ISO = moment(
    "lastRefreshTimestamp_UTC",
    "LastRefreshTimestamp",
    lambda row: _iso(row.one.last_refresh, "seconds"),
    ISO_PATTERN,
)

REFRESHED_FRACTION = moment(
    "lastRefreshTimestamp_UTC",
    "LastRefreshTimestamp",
    lambda row: _iso(row.one.last_refresh, "milliseconds"),
    FRACTION_PATTERN,
)

LOOK_BACK = double(
    "lookBackPeriodInDays", "LookbackPeriodInDays", lambda row: row.one.lookback_days
)

FINDING = text("finding", "Finding", lambda row: row.one.finding.value)

ESTIMATION_MODE = text(
    "effectiveRecommendationPreferencesSavingsEstimationMode",
    "EffectiveRecommendationPreferencesSavingsEstimationMode",
    lambda row: estimation_source(row.one),
)

EFFECTIVE_LOOK_BACK = text(
    "effectiveRecommendationPreferencesLookBackPeriod",
    "EffectiveRecommendationPreferencesLookBackPeriod",
    lambda row: look_back_period(row.one.preferences),
)

CURRENT_RISK = text(
    "currentPerformanceRisk",
    "CurrentPerformanceRisk",
    lambda row: _word(row.one.current_performance_risk),
)

COUNT = Column(
    "recommendations_count",
    ColumnKind.INTEGER,
    None,
    lambda row: len(row.options),
    lambda error: 0,
)

ERRORS = (
    Column("errorCode", ColumnKind.STRING, None, lambda row: "", lambda error: error.code),
    Column("errorMessage", ColumnKind.STRING, None, lambda row: "", lambda error: error.message),
)

TAGS = text("tags", "Tags", lambda row: as_json(row.one.tags))


def arn(name: str, field: str) -> Column:
    """Return the column of the resource's ARN, which errors have, too."""
    return Column(
        name,
        ColumnKind.STRING,
        field,
        lambda row: row.one.resource_arn,
        lambda error: error.resource_arn,
    )


def reasons(codes: Iterable[str], pattern: str | None = None) -> tuple[Column, ...]:
    """Return a column of true and false for each reason code."""
    return tuple(
        boolean(
            f"findingReasonCodes_is{code}",
            "FindingReasonCodes",
            partial(_has_reason, code),
            pattern,
        )
        for code in codes
    )


def _has_reason(code: str, row: Any) -> bool:
    return code in row.one.finding_reason_codes


def of_rank(
    rank: int, column: Column, options: str = "recommendationOptions", first: int = 0
) -> Column:
    """Return the column of one option: of the first, the second or the third.

    `options` begins the header; `first` is the place of the first option among all of the subject.
    """
    return replace(column, name=f"{options}_{rank}_{column.name}", place=first + rank - 1)


def of_ranks(
    *columns: Column, options: str = "recommendationOptions", first: int = 0
) -> tuple[Column, ...]:
    """Return columns rank by rank: all of the first option, then all of the second."""
    return tuple(of_rank(rank, column, options, first) for rank in RANKS for column in columns)


def each_of_ranks(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return columns one by one: each of all options, then the next."""
    return tuple(of_rank(rank, column) for column in columns for rank in RANKS)


def savings_columns(
    after: str = "",
    options: str = "RecommendationOptions",
    words: tuple[str, str] = ("_currency", "_value"),
) -> tuple[Column, ...]:
    """Return percentage, currency and value of what an option saves.

    `after` is AfterDiscounts for those with discounts; without any the figures are the same
    (spec 3.9). `options` begins the fields, `words` end the headers of the money.
    """
    read = after_discounts if after else listed_savings
    percentage, money = f"savingsOpportunity{after}Percentage", "estimatedMonthlySavings"
    field, (currency, value) = f"{options}EstimatedMonthlySavings", words
    return (
        double(
            percentage,
            f"{options}SavingsOpportunity{after}Percentage",
            lambda option: _of(read(option), lambda found: found.percentage),
        ),
        text(
            f"{money}{currency}{after}",
            f"{field}Currency{after}",
            lambda option: _of(read(option), lambda _: option.currency),
        ),
        double(
            f"{money}{value}{after}",
            f"{field}Value{after}",
            lambda option: _of(read(option), lambda found: found.monthly_usd),
        ),
    )


def as_json(value: Any) -> str:
    """Return a value with structure as the text of one cell."""
    return msgspec.json.encode(value).decode()


def known(value: float | None) -> float | None:
    """Return a figure, or None where it is not known."""
    return None if value is None or isnan(value) else float(value)


def values_by_name(metrics: Iterable[Any]) -> Mapping[str, float]:
    """Return the values of use by their metric's name."""
    return {metric.name: metric.value for metric in metrics}


def chosen(columns: Sequence[Column], fields: Collection[str]) -> tuple[Column, ...]:
    """Return the columns of the fields, in the order of the table; all of them for none."""
    if not fields:
        return tuple(columns)
    return tuple(one for one in columns if one.field is None or one.field in fields)


def recommended_rows(columns: Sequence[Column], subjects: Iterable[Any]) -> list[list[Value]]:
    """Return the cells of recommendations, a list for each."""
    readers = [(column.read, column.place) for column in columns]
    rows = []
    for subject in subjects:
        # Padded, so that a cell costs no call where there is no such option: most have few.
        options = (*subject.options, *NO_OPTIONS)
        rows.append(
            [
                read(subject)
                if place is None
                else (None if (option := options[place]) is None else read(option))
                for read, place in readers
            ]
        )
    return rows


def error_row(columns: Sequence[Column], error: RecommendationError) -> list[Value]:
    """Return the cells of a resource that has no recommendation."""
    return [column.of_error(error) if column.of_error else None for column in columns]


def _word(value: StrEnum | None) -> str | None:
    return None if value is None else value.value


def _iso(moment: datetime, precision: str) -> str:
    """Return a moment of UTC with a Z behind it."""
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _of(savings: Savings | None, read: Callable[[Savings], Any]) -> Any:
    return None if savings is None else read(savings)
