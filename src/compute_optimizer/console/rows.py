"""One recommendation as a row: the columns that a list may have."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from compute_optimizer.console import words
from compute_optimizer.console.kinds import ListKind, address_of, title_of
from compute_optimizer.jobs.decisions import Standpoint
from compute_optimizer.model.arn import short_name
from compute_optimizer.model.preferences import CURRENT
from compute_optimizer.model.summary import Summary
from compute_optimizer.store.ranked import Order, Ranked
from compute_optimizer.views.savings import currency_of

POOL = "architecture_pool"
"""Member of the options of machines, which may be of another architecture."""


@dataclass(frozen=True, slots=True)
class Row:
    """A stored recommendation, read."""

    kind: ListKind
    ranked: Ranked
    record: Any
    summary: Summary
    stand: Standpoint | None = None
    """What was decided about it; None where nobody has looked."""

    @property
    def resource_id(self) -> str:
        """Return what its ARN calls it."""
        return short_name(self.ranked.arn)

    @property
    def currency(self) -> str:
        """Return the currency of its Region."""
        return currency_of(self.ranked.scope.region)

    @property
    def address(self) -> str:
        """Return the page of the resource."""
        return address_of(self.kind, self.ranked.arn)


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    heading: str
    cell: Callable[[Row], Any]
    """What programs read; None where nothing is known."""
    text: Callable[[Row], str] | None = None
    """What people read, where it is something else."""
    is_number: bool = False
    is_extra: bool = False
    """Whether it is shown on request only."""
    idle: bool | None = None
    """True for a column of idle resources only, False for one of all others."""
    sorts: tuple[Order, Order] | None = None
    """What it can be sorted by, first as people want it first."""

    def fits(self, kind: ListKind) -> bool:
        """Return whether a list may have it."""
        return self.idle is None or self.idle is kind.idle

    def usual(self, kind: ListKind) -> bool:
        """Return whether a list has it without being asked."""
        return self.fits(kind) and not self.is_extra


def row_of(kind: ListKind, ranked: Ranked) -> Row:
    """Return a stored recommendation as a row."""
    record = decoder_of(kind).decode(ranked.body)
    return Row(kind, ranked, record, kind.summary(record))


def decoder_of(kind: ListKind) -> "msgspec.json.Decoder[Any]":
    """Return what reads the stored recommendations of a list."""
    return _decoder(kind.record)


@lru_cache
def _decoder(record: Any) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(record)


def _member(name: str) -> Callable[[Row], Any]:
    return lambda row: getattr(row.record, name, None)


def _percentage(row: Row) -> float | None:
    savings = getattr(_first_option(row) or row.record, "savings", None)
    return savings.percentage if savings else None


def _first_option(row: Row) -> Any:
    record: Any = row.record
    options = getattr(record, "options", ()) or getattr(record, "instance_options", ())
    return next((one for one in options if getattr(one, POOL, CURRENT) == CURRENT), None)


def _after_discounts(row: Row) -> float | None:
    found = getattr(_first_option(row) or row.record, "after_discounts", None)
    return found.monthly_usd if found else None


def _risk_now(row: Row) -> str | None:
    found = getattr(row.record, "current_performance_risk", None)
    return str(found) if found else None


def _tags(row: Row) -> str:
    return ", ".join(f"{key}={value}" for key, value in row.record.tags.items())


def _state(row: Row) -> str | None:
    return row.stand.state.value if row.stand and row.stand.state else None


def _owner(row: Row) -> str | None:
    return row.stand.owner if row.stand else None


def _recommendation_id(row: Row) -> str | None:
    return row.stand.recommendation_id if row.stand else None


DECIDED = frozenset({"state", "owner", "recommendation"})
"""Columns that need to know what was decided."""

COLUMNS: dict[str, Column] = {
    "name": Column(
        "Resource",
        lambda row: row.summary.name or row.resource_id,
        sorts=(Order.ARN, Order.ARN_DESCENDING),
    ),
    "id": Column("Id", lambda row: row.resource_id, is_extra=True),
    "account": Column("Account", lambda row: row.ranked.scope.account_id),
    "region": Column("Region", lambda row: row.ranked.scope.region),
    "type": Column(
        "Type",
        _member("idle_type"),
        lambda row: title_of(row.record.idle_type),
        idle=True,
    ),
    "finding": Column("Finding", lambda row: row.record.finding.value),
    "reasons": Column(
        "Reasons", lambda row: ", ".join(row.summary.reason_codes), is_extra=True, idle=False
    ),
    "why": Column("Why", _member("description"), idle=True),
    "current": Column("Current", lambda row: row.summary.current, idle=False),
    "recommended": Column("Recommended", lambda row: row.summary.recommended, idle=False),
    "current_risk": Column("Risk now", _risk_now, is_extra=True, idle=False),
    "risk": Column(
        "Risk",
        lambda row: row.summary.performance_risk,
        lambda row: words.risk(row.summary.performance_risk),
        is_number=True,
        idle=False,
    ),
    "violated": Column(
        "Violated within 14 days",
        lambda row: row.summary.violation_risk,
        lambda row: words.share(row.summary.violation_risk),
        is_number=True,
        is_extra=True,
        idle=False,
    ),
    "profile": Column("Decided by", lambda row: row.summary.profile, is_extra=True, idle=False),
    "savings": Column(
        "Savings a month",
        lambda row: round(row.ranked.savings, 2),
        lambda row: words.money(row.ranked.savings, row.currency),
        is_number=True,
        sorts=(Order.SAVINGS_DESCENDING, Order.SAVINGS),
    ),
    "state": Column("State", _state),
    "owner": Column("Owner", _owner, is_extra=True),
    "recommendation": Column("Recommendation id", _recommendation_id, is_extra=True),
    "percentage": Column(
        "Of its cost",
        _percentage,
        lambda row: words.share(None if (p := _percentage(row)) is None else p / 100),
        is_number=True,
        is_extra=True,
    ),
    "discounted": Column(
        "After discounts",
        _after_discounts,
        lambda row: words.money(_after_discounts(row), row.currency),
        is_number=True,
        is_extra=True,
    ),
    "tags": Column("Tags", _tags, is_extra=True),
    "refreshed": Column(
        "As of",
        lambda row: row.record.last_refresh.isoformat(),
        lambda row: words.moment(row.record.last_refresh),
        is_extra=True,
    ),
}
"""In the order in which they stand."""


def shown(row: Row, column: Column) -> str:
    """Return what people read in a cell."""
    if column.text is not None:
        return column.text(row)
    value = column.cell(row)
    return words.UNKNOWN if value in (None, "") else str(value)
