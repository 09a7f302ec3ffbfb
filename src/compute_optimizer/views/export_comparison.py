"""Two export rows of one resource side by side: theirs of the AWS service, and ours.

Rows are texts by column, in lower case, without empty cells; so both sides are read alike. What
a file does not have (`fieldsToExport` left it out) is not compared.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from compute_optimizer.model.export import ColumnKind
from compute_optimizer.views.compared_types import REASONS, USE, ComparedType, Places
from compute_optimizer.views.export_columns import Column, Value

Cells = Mapping[str, str]

FINDING, FIRST_OPTION, SAVINGS = "finding", "first option", "savings"
RISK, CURRENT_RISK, LOOK_BACK = "risk", "current risk", "look-back"
STORAGE = "storage "
"""How the aspects of the storage of databases begin."""

ASPECTS = (
    FINDING,
    FIRST_OPTION,
    SAVINGS,
    *(f"{STORAGE}{aspect}" for aspect in (FINDING, FIRST_OPTION, SAVINGS)),
    RISK,
    CURRENT_RISK,
    LOOK_BACK,
)
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


def compared_aspects(kind: ComparedType) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return each aspect of a type with the columns that hold it."""
    return tuple((aspect, columns) for aspect, columns, _ in _rules(kind))


def monthly_savings(kind: ComparedType, cells: Cells) -> float:
    """Return what totals count: the first options' savings of what is not optimized."""
    counted = (
        _number(cells.get(one.savings))
        for one in kind.advice
        if _plain(cells.get(one.finding)) not in ("", OPTIMIZED)
    )
    return sum((saved or 0.0 for saved in counted), 0.0)


def described(kind: ComparedType, cells: Cells) -> str | None:
    """Return what the resource is, such as m5.large."""
    return _joined(cells, kind.places.current)


_Differ = Callable[[str | None, str | None], bool]


def _rules(kind: ComparedType) -> tuple[tuple[str, tuple[str, ...], _Differ], ...]:
    """Return each aspect with its columns and what counts as a difference."""
    places = kind.places
    answers = (
        (f"{prefix}{aspect}", columns, differ)
        for prefix, one in zip(("", STORAGE), kind.advice, strict=False)
        for aspect, columns, differ in (
            (FINDING, (one.finding,), _texts_differ),
            (FIRST_OPTION, one.option, _words_differ),
            (SAVINGS, (one.savings,), _savings_differ),
        )
    )
    others = (
        (RISK, (places.risk,), _risks_differ),
        (CURRENT_RISK, (places.current_risk,), _texts_differ),
        (LOOK_BACK, (places.look_back,), _words_differ),
    )
    return tuple(rule for rule in (*answers, *others) if rule[1] and rule[1] != ("",))


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
        *_other_samples(kind.places, theirs, ours),
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


def _other_samples(places: Places, theirs: Cells, ours: Cells) -> list[str]:
    causes = []
    left, right = theirs.get(places.look_back), ours.get(places.look_back)
    if left and right and _words_differ(left, right):
        causes.append(f"{_shown(left)} days were looked at there and {_shown(right)} here")
    moments = (_moment(side.get(places.refreshed)) for side in (theirs, ours))
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
    causes = []
    for what, one in zip(("", "of its storage "), kind.advice, strict=False):
        left, right = _number(theirs.get(one.price)), _number(ours.get(one.price))
        if left is not None and right is not None and _apart(left, right, PRICE_SHARE):
            causes.append(f"its list price {what}is {left:g} there and {right:g} here")
    return causes


def _other_reasons(
    kind: ComparedType, theirs: Cells, ours: Cells, known: frozenset[str]
) -> list[str]:
    both = [name for name in kind.reasons if name in known]
    there = [name for name in both if theirs.get(name, "").lower() == "true"]
    here = [name for name in both if ours.get(name) == "true"]
    causes = []
    for place, found, others in (("there", there, here), ("here", here, there)):
        only = [name.partition(REASONS)[2] for name in found if name not in others]
        if only:
            causes.append(f"reasons only {place}: {', '.join(only)}")
    return causes


def _metric(column: str) -> str:
    """Return such as CPU for utilizationmetrics_cpu_maximum."""
    name = column.removeprefix(USE).removesuffix("maximum").strip("_")
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
    """Return a moment in any of the spellings that exports have; all are UTC."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _apart(left: float, right: float, share: float) -> bool:
    return abs(left - right) > share * max(abs(left), abs(right))
