"""Two answers to one request, compared by their shape: never by their figures.

Each aspect is a function of both sides that yields differences; nothing identifying is in them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from compute_optimizer.model.conformance import Answer, Difference, Pages, Probe
from compute_optimizer.shapes.model import service_model
from compute_optimizer.views.conformance_known import known
from compute_optimizer.views.conformance_masks import masked, parts_of, word_or_mask

ABSENT = "absent"
TOKEN = ".nextToken"
"""It comes and goes with the pages, and is compared with them."""
MODEL, OTHERWISE, UNKNOWN = "as in the model", "spelled otherwise", "not in the model"

HEADERS, ERROR_TYPE = ("x-amzn-requestid", "date"), "x-amzn-errortype"
"""Headers that clients read, where only it matters that they are there; the last one of errors."""

MEDIA_TYPE = "content-type"

JSON_TYPES = {
    bool: "boolean",
    dict: "object",
    float: "number",
    int: "number",
    list: "array",
    str: "string",
    type(None): "null",
}
"""Integers and other numbers are one type of JSON; `1` and `1.0` are the same to its readers."""


@dataclass(slots=True)
class Member:
    """What one side has in one place, over all elements and pages."""

    parents: int = 0
    seen: int = 0
    types: set[str] = field(default_factory=set)
    enum: bool = False
    values: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Values of an enum by how they stand to the model."""
    ranks: set[str] = field(default_factory=set)
    """In what order the ranks of a list are."""


Outline = dict[str, Member]
"""What one side has, by path, such as `errors[].code`."""


def differences(probe: Probe, theirs: Pages, ours: Pages) -> tuple[Difference, ...]:
    """Return in what the answers to one probe differ, in the order in which it is told."""
    found = [one for compare in ASPECTS for one in compare(probe, theirs, ours)]
    return tuple(dict.fromkeys(found))


def outline(probe: Probe, pages: Pages) -> Outline:
    """Return what an operation's answers have, and nothing of what they say."""
    found: Outline = defaultdict(Member)
    shape = service_model().operation_model(probe.operation).output_shape
    for page in pages:
        if not page.error_code and isinstance(page.body, dict):
            _note(found, shape, page.body, "")
    return found


def message(answer: Answer) -> str:
    """Return the text of an error, masked."""
    body = answer.body if isinstance(answer.body, dict) else {}
    said = str(body.get("message") or body.get("Message") or "")
    return masked(said, parts_of(answer.own_arn))


def _status(probe: Probe, theirs: Pages, ours: Pages) -> Iterator[Difference]:
    there, here = theirs[0], ours[0]
    yield from _pair(probe, "status", "", str(there.status), str(here.status))
    codes = [word_or_mask(one.error_code) if one.error_code else ABSENT for one in (there, here)]
    yield from _pair(probe, "error code", "", *codes)
    if there.error_code and here.error_code:
        yield from _pair(probe, "message", "", message(there), message(here))
    if there.error_code and there.error_code == here.error_code:
        yield from _pair(probe, "error body", "", *(_error_members(one) for one in (there, here)))


def _error_members(answer: Answer) -> str:
    body = answer.body if isinstance(answer.body, dict) else {}
    return ", ".join(sorted(word_or_mask(name) for name in body))


def _headers(probe: Probe, theirs: Pages, ours: Pages) -> Iterator[Difference]:
    there, here = theirs[0].headers, ours[0].headers
    types = (one.get(MEDIA_TYPE, ABSENT).partition(";")[0].strip() for one in (there, here))
    yield from _pair(probe, "header", MEDIA_TYPE, *types)
    refused = theirs[0].error_code and ours[0].error_code
    for name in (*HEADERS, ERROR_TYPE) if refused else HEADERS:
        present = ("present" if name in one else ABSENT for one in (there, here))
        yield from _pair(probe, "header", name, *present)


def _members(probe: Probe, theirs: Pages, ours: Pages) -> Iterator[Difference]:
    there, here = outline(probe, theirs), outline(probe, ours)
    for path in sorted(there.keys() | here.keys()):
        one, other = there.get(path, Member()), here.get(path, Member())
        where = path.removeprefix(".")
        if one.seen and other.seen:
            yield from _contents(probe, where, one, other)
        elif path != TOKEN and _could_be(path, there) and _could_be(path, here):
            yield from _pair(probe, "member", where, _presence(one), _presence(other))


def _contents(probe: Probe, where: str, theirs: Member, ours: Member) -> Iterator[Difference]:
    if f".{where}" != TOKEN:
        yield from _pair(probe, "type", where, _listed(theirs.types), _listed(ours.types))
    if theirs.ranks and ours.ranks:
        yield from _pair(probe, "rank order", where, _listed(theirs.ranks), _listed(ours.ranks))
    yield from _values(probe, where, theirs, ours)


def _could_be(path: str, found: Outline) -> bool:
    """Return whether a side has what the member would be in; elements of a list need not be."""
    around = found.get(path.rpartition(".")[0], Member())
    return "object" in around.types and not path.endswith("[]")


def _presence(member: Member) -> str:
    if not member.seen:
        return ABSENT
    return "always" if member.seen == member.parents else "sometimes"


def _values(probe: Probe, path: str, theirs: Member, ours: Member) -> Iterator[Difference]:
    spelled = [{MODEL, OTHERWISE} & one.values.keys() for one in (theirs, ours)]
    if all(spelled) and spelled[0].isdisjoint(spelled[1]):
        shown = [
            _examples(one, next(iter(s))) for one, s in zip((theirs, ours), spelled, strict=True)
        ]
        yield from _pair(probe, "spelling", path, *shown)
    strange = [one.values.get(UNKNOWN, set()) for one in (theirs, ours)]
    yield from _pair(probe, "value", path, *(_listed(one) for one in strange))


def _examples(member: Member, style: str) -> str:
    return f"{style}: {_listed(member.values[style])}"


def _paging(probe: Probe, theirs: Pages, ours: Pages) -> Iterator[Difference]:
    if theirs[0].error_code or ours[0].error_code:
        return
    for name, told in PAGING.items():
        there, here = told(probe, theirs), told(probe, ours)
        if there and here:
            yield from _pair(probe, "paging", name, there, here)
    if not probe.paged:
        yield from _page_length(probe, theirs[0], ours[0])


def _page_length(probe: Probe, theirs: Answer, ours: Answer) -> Iterator[Difference]:
    """Tell pages of other lengths apart; how long a last page may be is not known."""
    lengths = [_length(theirs), _length(ours)]
    cut = [bool(next_token(theirs)), bool(next_token(ours))]
    shorter = lengths.index(min(lengths))
    if lengths[0] != lengths[1] and cut[shorter]:
        shown = (f"{'' if c else 'at least '}{n}" for c, n in zip(cut, lengths, strict=True))
        yield from _pair(probe, "page length", "", *shown)


def _last_token(probe: Probe, pages: Pages) -> str:
    """Return what the last page has for a token; empty where it was not reached."""
    body = pages[-1].body
    if pages[-1].error_code or not isinstance(body, dict) or body.get("nextToken"):
        return ""
    return JSON_TYPES[type(body["nextToken"])] if "nextToken" in body else ABSENT


def _most(probe: Probe, pages: Pages) -> str:
    if not probe.paged:
        return ""
    limit = probe.members["maxResults"]
    longest = max(_length(page) for page in pages)
    return f"at most {limit}" if longest <= limit else f"more than {limit}"


def _gaps(probe: Probe, pages: Pages) -> str:
    """Return whether pages before the last are full; empty where there is one only."""
    if len(pages) == 1:
        return ""
    limit = probe.members["maxResults"]
    return "full" if all(_length(page) >= limit for page in pages[:-1]) else "not full"


def _later(_: Probe, pages: Pages) -> str:
    """Return whether the token of a page is taken; empty where there is one page only."""
    if len(pages) == 1:
        return ""
    return "refused" if any(page.error_code for page in pages[1:]) else "answered"


PAGING: dict[str, Callable[[Probe, Pages], str]] = {
    "nextToken of the last page": _last_token,
    "items": _most,
    "pages before the last": _gaps,
    "pages after the first": _later,
}


def _length(page: Answer) -> int:
    """Return the items of the longest list of an answer."""
    body = page.body if isinstance(page.body, dict) else {}
    return max((len(value) for value in body.values() if isinstance(value, list)), default=0)


def next_token(page: Answer) -> Any:
    """Return the token by which a page goes on; None on the last one."""
    return page.body.get("nextToken") if isinstance(page.body, dict) else None


ASPECTS: tuple[Callable[[Probe, Pages, Pages], Iterable[Difference]], ...] = (
    _status,
    _headers,
    _members,
    _paging,
)


def _pair(probe: Probe, aspect: str, where: str, theirs: str, ours: str) -> Iterator[Difference]:
    if theirs != ours:
        why = known(probe, aspect, where, theirs, ours)
        yield Difference(aspect, where, theirs or "none", ours or "none", why)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))


def _note(found: Outline, shape: Any, value: Any, path: str) -> None:
    """Take a value and what is in it down; what the model does not know is not looked into."""
    member = found[path]
    member.seen += 1
    member.types.add(JSON_TYPES[type(value)])
    kind = getattr(shape, "type_name", "")
    if kind == "structure" and isinstance(value, dict):
        _note_structure(found, shape, value, path)
    elif kind == "list" and isinstance(value, list):
        if isinstance(order := _order(value), str):
            member.ranks.add(order)
        for element in value:
            found[f"{path}[]"].parents += 1
            _note(found, shape.member, element, f"{path}[]")
    elif isinstance(value, str) and getattr(shape, "enum", None):
        member.enum = True
        member.values[_style(value, shape.enum)].add(word_or_mask(value))


def _note_structure(found: Outline, shape: Any, value: dict[str, Any], path: str) -> None:
    for name in shape.members.keys() | value.keys():
        inner = f"{path}.{name if name in shape.members else word_or_mask(name)}"
        found[inner].parents += 1
        if name in value:
            _note(found, shape.members.get(name), value[name], inner)


def _order(elements: list[Any]) -> str | None:
    """Return in what order a list has its ranks; None where it has none, or one only."""
    ranks = [one["rank"] for one in elements if isinstance(one, dict) and "rank" in one]
    if len(ranks) < 2 or not all(isinstance(rank, int) for rank in ranks):
        return None
    if ranks == sorted(ranks):
        return "ascending"
    return "descending" if ranks == sorted(ranks, reverse=True) else "neither"


def _style(value: str, enum: Iterable[str]) -> str:
    if value in enum:
        return MODEL
    return OTHERWISE if _bare(value) in map(_bare, enum) else UNKNOWN


def _bare(value: str) -> str:
    return value.replace("_", "").replace("-", "").lower()
