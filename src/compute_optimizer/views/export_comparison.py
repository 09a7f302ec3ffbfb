"""Two export rows of one resource side by side: theirs of the AWS service, and ours.

Rows are texts by column, in lower case, without empty cells; so both sides are read alike. What
a file does not have (`fieldsToExport` left it out) is not compared.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from compute_optimizer.model.export import ColumnKind
from compute_optimizer.model.resource import EBS_VOLUME, EC2_INSTANCE
from compute_optimizer.views.export_columns import MOMENT_FORMAT, Column, Value

Cells = Mapping[str, str]

FINDING, FIRST_OPTION, SAVINGS = "finding", "first option", "savings"
RISK, CURRENT_RISK, LOOK_BACK = "risk", "current risk", "look-back"
ASPECTS = (FINDING, FIRST_OPTION, SAVINGS, RISK, CURRENT_RISK, LOOK_BACK)
"""What is compared, in the order in which it is told."""

SAVINGS_SHARE = 0.01
SAVINGS_USD = 0.01
"""Savings differ by more than this share and this amount a month: less is rounding."""

RISK_STEP = 1.0
"""Risks differ by at least one of the four steps of the scale, whose formula is not published."""

USE_SHARE = 0.10
"""Values of use differ by more than this share of the larger: that is another measurement."""

PRICE_SHARE = 0.01
"""List prices differ by more than this share."""

REFRESH_APART = timedelta(days=1)
"""Analyses further apart looked at other samples: the service looks once a day."""

OPTIMIZED = "optimized"

_FIRST = "recommendationoptions_1_"

SHARED_COLUMNS = frozenset(
    {
        "accountid",
        "finding",
        "lookbackperiodindays",
        "currentperformancerisk",
        "lastrefreshtimestamp_utc",
        "errorcode",
        "errormessage",
        f"{_FIRST}performancerisk",
        f"{_FIRST}estimatedmonthlysavings_value",
    }
)


@dataclass(frozen=True, slots=True)
class ComparedType:
    """Where the columns of a resource type hold what is compared."""

    current: tuple[str, ...]
    """What the resource is."""
    option: tuple[str, ...]
    """What the first option is: differs where any does."""
    price: str
    use: tuple[str, ...]
    """Values of use that the columns of both sides hold."""
    reasons: tuple[str, ...] = ()
    """Columns that are true for each reason of the finding."""

    @property
    def columns(self) -> frozenset[str]:
        """Every column that is looked at."""
        own = (*self.current, *self.option, self.price, *self.use, *self.reasons)
        return SHARED_COLUMNS.union(own)

    @property
    def compared(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Each aspect with the columns that hold it."""
        return tuple((aspect, columns) for aspect, columns, _ in _rules(self))


def _volume(prefix: str) -> tuple[str, ...]:
    figures = ("type", "size", "baselineiops", "baselinethroughput")
    return tuple(f"{prefix}configuration_volume{figure}" for figure in figures)


PLACES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    EC2_INSTANCE: (
        ("currentinstancetype",),
        (f"{_FIRST}instancetype",),
        "current_ondemandprice",
    ),
    EBS_VOLUME: (_volume("current"), _volume(_FIRST), "current_monthlyprice"),
}
"""By resource type that can be compared: columns of what it is, of its first option, and price."""


def compared_type(resource_type: str, columns: Sequence[Column]) -> ComparedType:
    """Return where a type's columns hold what is compared."""
    names = [column.name.lower() for column in columns]
    use = tuple(name for name in names if name.startswith("utilizationmetrics_"))
    reasons = tuple(name for name in names if name.startswith("findingreasoncodes_is"))
    return ComparedType(*PLACES[resource_type], use, reasons)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One aspect in which the sides differ; None is nothing."""

    aspect: str
    theirs: str | None
    ours: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """In what two rows of one resource differ, and what in them may be why."""

    disagreements: tuple[Disagreement, ...]
    causes: tuple[str, ...]


def as_cells(columns: Sequence[Column], row: Sequence[Value]) -> dict[str, str]:
    """Return a row of ours as a file would hold it: texts by column, without empty cells."""
    cells = {}
    for column, value in zip(columns, row, strict=True):
        if value is None or value == "":
            continue
        boolean = column.kind is ColumnKind.BOOLEAN
        cells[column.name.lower()] = str(value).lower() if boolean else str(value)
    return cells


def verdict(kind: ComparedType, theirs: Cells, ours: Cells, known: frozenset[str]) -> Verdict:
    """Compare two rows; `known` are the columns of their file."""
    found = tuple(
        Disagreement(aspect, left, right)
        for aspect, columns, differ in _rules(kind)
        if known >= set(columns)
        and differ(left := _joined(theirs, columns), right := _joined(ours, columns))
    )
    return Verdict(found, _causes(kind, theirs, ours, known) if found else ())


def monthly_savings(cells: Cells) -> float:
    """Return what totals count: the first option's savings of what is not optimized."""
    if _plain(cells.get("finding")) in ("", OPTIMIZED):
        return 0.0
    return _number(cells.get(f"{_FIRST}estimatedmonthlysavings_value")) or 0.0


def described(kind: ComparedType, cells: Cells) -> str | None:
    """Return what the resource is, such as m5.large."""
    return _joined(cells, kind.current)


_Differ = Callable[[str | None, str | None], bool]


def _rules(kind: ComparedType) -> tuple[tuple[str, tuple[str, ...], _Differ], ...]:
    """Return each aspect with its columns and what counts as a difference."""
    return (
        (FINDING, ("finding",), _texts_differ),
        (FIRST_OPTION, kind.option, _words_differ),
        (SAVINGS, (f"{_FIRST}estimatedmonthlysavings_value",), _savings_differ),
        (RISK, (f"{_FIRST}performancerisk",), _risks_differ),
        (CURRENT_RISK, ("currentperformancerisk",), _texts_differ),
        (LOOK_BACK, ("lookbackperiodindays",), _words_differ),
    )


def _texts_differ(left: str | None, right: str | None) -> bool:
    return _plain(left) != _plain(right)


def _words_differ(left: str | None, right: str | None) -> bool:
    """Tell whether texts differ; numbers in them count as numbers."""
    return _words(left) != _words(right)


def _savings_differ(left: str | None, right: str | None) -> bool:
    a, b = _number(left), _number(right)
    if a is None or b is None:
        return (a or 0.0) != (b or 0.0)
    return abs(a - b) > max(SAVINGS_USD, SAVINGS_SHARE * max(abs(a), abs(b)))


def _risks_differ(left: str | None, right: str | None) -> bool:
    a, b = _number(left), _number(right)
    # Without an option there is no risk: the first option tells that already.
    return a is not None and b is not None and abs(a - b) >= RISK_STEP


def _causes(
    kind: ComparedType, theirs: Cells, ours: Cells, known: frozenset[str]
) -> tuple[str, ...]:
    """Return what in the rows may have made the difference."""
    causes = [
        *_other_resource(kind, theirs, ours),
        *_other_samples(theirs, ours),
        *_other_use(kind, theirs, ours, known),
        *_other_price(kind, theirs, ours),
        *_other_reasons(kind, theirs, ours, known),
    ]
    return tuple(causes) or ("nothing in the rows tells them apart: the rules do",)


def _other_resource(kind: ComparedType, theirs: Cells, ours: Cells) -> list[str]:
    left, right = described(kind, theirs), described(kind, ours)
    if left is None or right is None or not _words_differ(left, right):
        return []
    return [f"it is {left} there and {right} here"]


def _other_samples(theirs: Cells, ours: Cells) -> list[str]:
    causes = []
    left, right = theirs.get("lookbackperiodindays"), ours.get("lookbackperiodindays")
    if left and right and _words_differ(left, right):
        causes.append(f"{_shown(left)} days were looked at there and {_shown(right)} here")
    moments = (_moment(side.get("lastrefreshtimestamp_utc")) for side in (theirs, ours))
    there, here = moments
    if there and here and abs(there - here) > REFRESH_APART:
        days = abs(there - here) / timedelta(days=1)
        causes.append(f"the analyses are {days:.1f} days apart")
    return causes


def _other_use(kind: ComparedType, theirs: Cells, ours: Cells, known: frozenset[str]) -> list[str]:
    causes = []
    for column in kind.use:
        if column not in known:
            continue
        left, right = _number(theirs.get(column)), _number(ours.get(column))
        name = _metric(column)
        if (left is None) != (right is None):
            causes.append(f"{name} was seen only {'here' if left is None else 'there'}")
        elif left is not None and right is not None and _apart(left, right, USE_SHARE):
            causes.append(f"{name} reached {left:g} there and {right:g} here")
    return causes


def _other_price(kind: ComparedType, theirs: Cells, ours: Cells) -> list[str]:
    left, right = _number(theirs.get(kind.price)), _number(ours.get(kind.price))
    if left is None or right is None or not _apart(left, right, PRICE_SHARE):
        return []
    return [f"its list price is {left:g} there and {right:g} here"]


def _other_reasons(
    kind: ComparedType, theirs: Cells, ours: Cells, known: frozenset[str]
) -> list[str]:
    both = [name for name in kind.reasons if name in known]
    there = [name for name in both if theirs.get(name, "").lower() == "true"]
    here = [name for name in both if ours.get(name) == "true"]
    causes = []
    for place, found, others in (("there", there, here), ("here", here, there)):
        only = [name.removeprefix("findingreasoncodes_is") for name in found if name not in others]
        if only:
            causes.append(f"reasons only {place}: {', '.join(only)}")
    return causes


def _metric(column: str) -> str:
    """Return such as CPU for utilizationmetrics_cpu_maximum."""
    name = column.removeprefix("utilizationmetrics_").removesuffix("maximum").strip("_")
    return name.upper()


def _joined(cells: Cells, columns: Sequence[str]) -> str | None:
    found = [_shown(cells[name]) for name in columns if name in cells]
    return " ".join(found) or None


def _plain(text: str | None) -> str:
    """Return a text as all spellings of it have it: OVER_PROVISIONED is Overprovisioned."""
    return (text or "").replace("_", "").lower()


def _words(text: str | None) -> list[str | float]:
    words = (text or "").lower().split()
    return [word if (value := _number(word)) is None else value for word in words]


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def _shown(text: str) -> str:
    value = _number(text)
    return text if value is None else f"{value:g}"


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text or "", MOMENT_FORMAT)
    except ValueError:
        return None


def _apart(left: float, right: float, share: float) -> bool:
    return abs(left - right) > share * max(abs(left), abs(right))
