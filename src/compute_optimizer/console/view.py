"""What a list shows: read from its address, so that a view can be sent to somebody."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compute_optimizer.console.kinds import Kind
from compute_optimizer.console.messages import Request
from compute_optimizer.console.rows import COLUMNS
from compute_optimizer.store.ranked import After, Order
from compute_optimizer.store.recommendations import Scope

FILTER = "filter."
"""Begins the names of the API's filters in addresses."""

SIZES = (10, 25, 50, 100, 250, 500)
USUAL_SIZE = 50
"""Rows of a page."""

MARK = "~"
"""Between the parts of a position; no ARN has one."""


@dataclass(frozen=True, slots=True)
class View:
    """One list as somebody wants it."""

    kind: Kind
    account: str
    """Empty for all, as the next."""
    region: str
    chosen: Mapping[str, list[str]]
    """Values of the API's filters, by name."""
    tag: str
    """`KEY=VALUE`, or a key."""
    text: str
    """Part of a name, an ARN or a tag's value."""
    order: Order
    size: int
    columns: tuple[str, ...]
    after: After | None

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
    def is_plain(self) -> bool:
        """Whether the counts of the analysis tell how many rows there are."""
        return not self.text and not self.tag and self.chosen.keys() <= {"Finding"}

    def address(self, **changed: Any) -> dict[str, Any]:
        """Return the query of this view, some of it changed; a position is not taken over."""
        usual = tuple(name for name, one in COLUMNS.items() if one.usual(self.kind))
        values: dict[str, Any] = {
            "account": self.account,
            "region": self.region,
            "tag": self.tag,
            "q": self.text,
            "sort": "" if self.order is Order.SAVINGS_DESCENDING else self.order.value,
            "size": "" if self.size == USUAL_SIZE else self.size,
            "columns": "" if self.columns == usual else list(self.columns),
            **{FILTER + name: chosen for name, chosen in self.chosen.items()},
        }
        return values | changed


def view_of(kind: Kind, request: Request) -> View:
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
    sort, size = request.one("sort"), request.one("size")
    return View(
        kind=kind,
        account=request.one("account"),
        region=request.one("region"),
        chosen=chosen,
        tag=request.one("tag").strip(),
        text=request.one("q").strip(),
        order=Order(sort) if sort in set(Order) else Order.SAVINGS_DESCENDING,
        size=int(size) if size in {str(one) for one in SIZES} else USUAL_SIZE,
        columns=columns,
        after=_after(request.one("after")),
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
