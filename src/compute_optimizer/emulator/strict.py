"""Strict mode: what is legal but wrong in how a program calls, found in the record of its calls."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from compute_optimizer.emulator.calls import RecordedCall
from compute_optimizer.errors import InvalidInput
from compute_optimizer.operations import Operation
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.exports import EXPORT_KINDS
from compute_optimizer.operations.filters import FilterRule
from compute_optimizer.shapes.model import service_model

STRICT_PAGE = 2
"""Entries on a page of a request that does not say how many: three make a second page."""

OF_PAGES = frozenset({"nextToken", "maxResults"})
"""What may differ between the pages of one listing."""

FIRST_PAGE = "first-page"
LATER_PAGE = "later-page"
PAGE_PARAMETERS = "page-parameters"
FILTER_SPELLING = "filter-spelling"
FINDING_SPELLING = "finding-spelling"

RULES = {
    FIRST_PAGE: "ask on with the nextToken of each answer until an answer has none",
    LATER_PAGE: "ask on until an answer has no nextToken",
    PAGE_PARAMETERS: "ask for the next page with the parameters of the first, and its nextToken",
    FILTER_SPELLING: "spell the values of filters as they are documented",
    FINDING_SPELLING: "compare with what the service sends",
}
"""What to do about each, by the rule."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that is legal but wrong."""

    rule: str
    message: str
    calls: tuple[int, ...] = ()
    """The numbers of the calls that show it."""

    def __str__(self) -> str:
        return f"{self.message}: {RULES[self.rule]}."


def chosen_rules(strict: bool | Iterable[str]) -> frozenset[str]:
    """Return the rules that hold: all, none or the named ones; raise InvalidInput for another."""
    if isinstance(strict, bool):
        return frozenset(RULES if strict else ())
    rules = frozenset([strict] if isinstance(strict, str) else strict)
    if unknown := sorted(rules - RULES.keys()):
        raise InvalidInput(
            f"strict mode has no rule {unknown[0]!r}; expected True or some of {', '.join(RULES)}"
        )
    return rules


def found(calls: Sequence[RecordedCall]) -> list[Violation]:
    """Return what is wrong in the calls of a program, in the order of the calls."""
    heard = _heard(calls)
    asked = Counter(_token(one.request) for one in calls if not one.is_retry)
    wrong = [*_dropped_tokens(heard, asked), *_other_parameters(heard), *_misspelled_filters(heard)]
    return sorted(wrong, key=lambda one: one.calls)


def small_pages(size: int) -> Callable[..., dict[str, Any]]:
    """Return the layer that makes pages small where the request neither says nor names ARNs."""

    def layer(
        name: str, operation: Operation, context: Context, request: dict[str, Any]
    ) -> dict[str, Any]:
        if _is_paged(name) and not request.get("maxResults") and not _names_resources(request):
            request = {**request, "maxResults": size}
        return operation(context, request)

    return layer


def bare(text: str) -> str:
    """Return what of a text is left without case, underscores, hyphens and spaces."""
    return text.casefold().translate(_NO_SEPARATORS)


_NO_SEPARATORS = str.maketrans("", "", "_- ")


def _heard(calls: Sequence[RecordedCall]) -> list[RecordedCall]:
    """Return the calls but for those whose answer a client has not got, so that it tried again."""
    attempts = {one.invocation: one.attempt for one in calls if one.invocation}
    return [
        one
        for one in calls
        if one.reached and (not one.invocation or attempts[one.invocation] <= one.attempt)
    ]


def _dropped_tokens(
    calls: Sequence[RecordedCall], asked: Counter[str | None]
) -> Iterator[Violation]:
    """Yield the answers after which nobody asked on; `asked` counts the calls by their token.

    While the clock stands still, the same page has the same token each time, so each call that asks
    on counts for one answer.
    """
    for one in calls:
        token = _token(one.answer)
        if token is None:
            continue
        if asked[token]:
            asked[token] -= 1
            continue
        if _token(one.request) is None:
            text = f"call {one.number}, {one.operation}: the first page was taken for all"
            yield Violation(FIRST_PAGE, text, (one.number,))
        else:
            text = f"call {one.number}, {one.operation}: the pages after this one were dropped"
            yield Violation(LATER_PAGE, text, (one.number,))


def _other_parameters(calls: Sequence[RecordedCall]) -> Iterator[Violation]:
    origins: dict[str, RecordedCall] = {}
    for one in calls:
        origin = origins.get(_token(one.request) or "")
        if origin is not None and (differing := _differing(origin, one)):
            yield Violation(
                PAGE_PARAMETERS,
                f"call {one.number}, {one.operation}: {', '.join(differing)} differs from call "
                f"{origin.number}, whose next page it asks for",
                (origin.number, one.number),
            )
        if (token := _token(one.answer)) is not None:
            origins[token] = one


def _differing(first: RecordedCall, later: RecordedCall) -> list[str]:
    """Return the names of what differs between two calls that should list the same."""
    before, after = first.request or {}, later.request or {}
    names = sorted((before.keys() | after.keys()) - OF_PAGES)
    differing = [name for name in names if before.get(name) != after.get(name)]
    of_calls = ("operation", "account", "region")
    differing += [f"the {one}" for one in of_calls if getattr(first, one) != getattr(later, one)]
    return differing


def _misspelled_filters(calls: Sequence[RecordedCall]) -> Iterator[Violation]:
    for one in calls:
        for listed in (one.request or {}).get("filters") or ():
            name = listed.get("name", "")
            documented = _documented(one.operation).get(name, ())
            for value in listed.get("values") or ():
                near = [right for right in documented if bare(right) == bare(value)]
                if near and value not in near:
                    yield Violation(
                        FILTER_SPELLING,
                        f"call {one.number}, {one.operation}: the filter {name} has the value "
                        f"{value!r}, which is documented as {near[0]!r}",
                        (one.number,),
                    )


@cache
def _documented(operation: str) -> Mapping[str, tuple[str, ...]]:
    """Return the documented values of an operation's filters."""
    return {name: tuple(_values(rule)) for name, rule in _filters_of(operation).items()}


def _filters_of(operation: str) -> Mapping[str, FilterRule]:
    """Return the filters of a listing, which are those of its export."""
    exporting = operation.replace("Get", "Export", 1)
    kind = EXPORT_KINDS.get(operation) or EXPORT_KINDS.get(exporting)
    return kind.filters if kind else {}


def _values(rule: FilterRule) -> Iterator[str]:
    """Yield the documented values; the others are those that answers have (OVER_PROVISIONED)."""
    for accepted, stored in rule.accepted.items():
        if accepted == stored or not accepted.isupper():
            yield str(accepted)


@cache
def _is_paged(operation: str) -> bool:
    shape = service_model().operation_model(operation).input_shape
    return shape is not None and shape.members.keys() >= OF_PAGES


def _names_resources(request: Mapping[str, Any]) -> bool:
    return any(value for name, value in request.items() if name.endswith("Arns"))


def _token(members: Mapping[str, Any] | None) -> str | None:
    return (members or {}).get("nextToken")
