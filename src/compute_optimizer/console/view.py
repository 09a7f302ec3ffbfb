"""What a list shows: read from its address, so that a view can be sent to somebody."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compute_optimizer.console.kinds import ListKind
from compute_optimizer.console.messages import Request
from compute_optimizer.console.rows import COLUMNS
from compute_optimizer.model.decision import WAITING, State
from compute_optimizer.store.analysis_runs import Scope
from compute_optimizer.store.ranked import After, Order

FILTER = "filter."
"""Begins the names of the API's filters in addresses."""

SIZES = (10, 25, 50, 100, 250, 500)
USUAL_SIZE = 50
"""Rows of a page."""

DESCENDING = "-"
"""Begins an order that has the largest first."""

MARK = "~"
"""Between the parts of a position; no ARN has one."""


@dataclass(frozen=True, slots=True)
class View:
    """One list as somebody wants it."""

    kind: ListKind
    account: str
    """Empty for all, as the next."""
    region: str
    chosen: Mapping[str, list[str]]
    """Values of the API's filters, by name."""
    tag: str
    """`KEY=VALUE`, or a key."""
    text: str
    """Part of a name, an ARN or a tag's value."""
    state: State | None
    """What was decided; None for all."""
    order: Order
    column: str
    """The column that it is sorted by beside `order`, which indexes tell; empty for none."""
    descends: bool
    """Of that column."""
    size: int
    columns: tuple[str, ...]
    after: After | None
    page: int = 1
    """Of a list that is sorted by a column; others go on by `after`."""

    @property
    def filters(self) -> list[dict[str, Any]]:
        """Return the filters as the API takes them."""
        found: list[dict[str, Any]] = [
            {"name": name, "values": values} for name, values in self.chosen.items()
        ]
        key, is_value, value = self.tag.partition("=")
        if is_value and key:
            found.append({"name": f"tag:{key}", "values": [value]})
        elif key:
            found.append({"name": "tag-key", "values": [key]})
        return found

    @property
    def sort(self) -> str:
        """Return how it is sorted, as addresses have it; empty for the usual."""
        if self.column:
            return f"{DESCENDING if self.descends else ''}{self.column}"
        return "" if self.order is Order.SAVINGS_DESCENDING else self.order.value

    def other_sort(self, name: str) -> str:
        """Return how a column's heading sorts the list: the other way where it is sorted so."""
        column = COLUMNS[name]
        if column.sorts:
            first, second = column.sorts
            chosen = second if not self.column and self.order is first else first
            return "" if chosen is Order.SAVINGS_DESCENDING else chosen.value
        descends = not self.descends if self.column == name else column.is_number
        return f"{DESCENDING if descends else ''}{name}"

    def direction(self, name: str) -> str:
        """Return how a column is sorted, as ARIA spells it; empty where it is not."""
        if self.column:
            words = "descending" if self.descends else "ascending"
            return words if self.column == name else ""
        sorts = COLUMNS[name].sorts or ()
        words = "descending" if self.order.descends else "ascending"
        return words if self.order in sorts else ""

    @property
    def is_plain(self) -> bool:
        """Whether the counts of the analysis tell how many rows there are."""
        return not (self.text or self.tag or self.state) and self.chosen.keys() <= {"Finding"}

    def address(self, **changed: Any) -> dict[str, Any]:
        """Return the query of this view, some of it changed; a position is not taken over."""
        usual = tuple(name for name, one in COLUMNS.items() if one.usual(self.kind))
        values: dict[str, Any] = {
            "account": self.account,
            "region": self.region,
            "tag": self.tag,
            "q": self.text,
            "state": self.state or "",
            "sort": self.sort,
            "size": "" if self.size == USUAL_SIZE else self.size,
            "columns": "" if self.columns == usual else list(self.columns),
            **{FILTER + name: chosen for name, chosen in self.chosen.items()},
        }
        return values | changed


def view_of(kind: ListKind, request: Request) -> View:
    """Return the view of an address; what means nothing is left out."""
    chosen = {
        name: known
        for name, rule in kind.filters.items()
        if (known := [one for one in request.query.get(FILTER + name, []) if one in rule.accepted])
    }
    asked = request.query.get("columns", [])
    columns = tuple(
        name
        for name, one in COLUMNS.items()
        if one.fits(kind) and (name in asked if asked else one.usual(kind))
    )
    sort, size, page, state = (request.one(name) for name in ("sort", "size", "page", "state"))
    column = sort.removeprefix(DESCENDING)
    is_column = sort not in set(Order) and column in COLUMNS and COLUMNS[column].fits(kind)
    return View(
        kind=kind,
        account=request.one("account"),
        region=request.one("region"),
        chosen=chosen,
        tag=request.one("tag").strip(),
        text=request.one("q").strip(),
        state=State(state) if state in WAITING else None,
        order=Order(sort) if sort in set(Order) else Order.SAVINGS_DESCENDING,
        column=column if is_column else "",
        descends=is_column and sort.startswith(DESCENDING),
        size=int(size) if size in {str(one) for one in SIZES} else USUAL_SIZE,
        columns=columns,
        after=_after(request.one("after")),
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
    )


def position(after: After) -> str:
    """Return a position as addresses have it."""
    return MARK.join([repr(after.savings), *after.scope, after.arn])


def _after(text: str) -> After | None:
    parts = text.split(MARK, 4)
    try:
        return After(float(parts[0]), Scope(*parts[1:4]), parts[4])
    except (ValueError, IndexError, TypeError):
        return None
