"""Conformance: send the same requests to two servers of the API and tell their answers apart."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from compute_optimizer.errors import InvalidInput, NotFound, SourceUnavailable
from compute_optimizer.model.conformance import Answer, Difference, Pages, Probe
from compute_optimizer.sources.answers import Asker
from compute_optimizer.views.conformance import differences, message, next_token, outline
from compute_optimizer.views.conformance_masks import masked
from compute_optimizer.views.conformance_probes import OWN_RESOURCES, probes, reading_operations

PAGES = 5
"""Pages that are followed at most: enough to see how pages are, and few calls of the quota."""

SAME, KNOWN, DIFFERENT, NOT_COMPARED = "same", "known", "different", "not compared"

GATES: Mapping[str, str] = {
    "AccessDeniedException": "the credentials are not allowed to call it",
    "ExpiredTokenException": "the credentials are expired",
    "InvalidClientTokenId": "the access key is unknown",
    "InvalidSignatureException": "the secret access key is wrong",
    "MissingAuthenticationToken": "the call was not signed",
    "MissingAuthenticationTokenException": "the call was not signed",
    "OptInRequiredException": "the account is not opted in",
    "UnrecognizedClientException": "the access key is unknown",
}
"""Errors of the plainest request that are about the caller and not about the operation."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of one request."""

    operation: str
    request: str
    differences: tuple[Difference, ...] = ()
    not_compared: str = ""
    """Why, where it was not."""
    ends: bool = False
    """Whether the operation's other requests would not be answered either."""
    theirs: Mapping[str, Any] | None = None
    """What was answered, masked."""
    ours: Mapping[str, Any] | None = None

    @property
    def outcome(self) -> str:
        """Return the worst that is known of it."""
        if self.not_compared:
            return NOT_COMPARED
        if any(not one.known for one in self.differences):
            return DIFFERENT
        return KNOWN if self.differences else SAME


def chosen_operations(names: Collection[str]) -> tuple[str, ...]:
    """Return the operations of these names, all that only read for none.

    Raises InvalidInput for a name that is no such operation.
    """
    able = reading_operations()
    if unknown := sorted(set(names) - set(able)):
        raise InvalidInput(
            f"--operations: {', '.join(unknown)} is no operation that only reads; "
            f"expected some of {', '.join(able)}"
        )
    return tuple(name for name in able if not names or name in names)


def check_conformance(
    theirs: Asker, ours: Asker, operations: Collection[str], now: datetime
) -> tuple[Compared, ...]:
    """Send every request of the operations to both sides and compare the answers.

    Raises SourceUnavailable where not one request was answered by both.
    """
    found: list[Compared] = []
    for operation in operations:
        found.extend(_operation(theirs, ours, probes(operation, now)))
    reasons = dict.fromkeys(one.not_compared for one in found)
    if found and all(reasons):
        raise SourceUnavailable(f"nothing could be compared: {'; '.join(reasons)}")
    return tuple(found)


def _operation(theirs: Asker, ours: Asker, requests: tuple[Probe, ...]) -> Iterator[Compared]:
    """Yield what comes of each request; after one that ends the operation none is sent."""
    gated, ended = True, None
    for probe in requests:
        if ended is not None:
            yield replace(ended, request=probe.name)
            continue
        one = _compared(theirs, ours, probe, gated=gated)
        # Once both sides answer, a refusal is about the request and no longer about the caller.
        gated = gated and bool(one.not_compared)
        ended = replace(one, theirs=None, ours=None) if one.ends else None
        yield one


def _compared(theirs: Asker, ours: Asker, probe: Probe, *, gated: bool) -> Compared:
    one = Compared(probe.operation, probe.name)
    sides: list[Pages] = []
    for name, asker in (("theirs", theirs), ("ours", ours)):
        try:
            sides.append(_pages(asker, probe))
        except (NotFound, SourceUnavailable) as error:
            reason = f"{name}: {masked(str(error))}"
            ends = isinstance(error, SourceUnavailable)
            return replace(one, not_compared=reason, ends=ends)
    there, here = sides
    one = replace(one, theirs=_shown(probe, there), ours=_shown(probe, here))
    if gated and (reason := _gate(there[0], here[0])):
        return replace(one, not_compared=reason, ends=True)
    return replace(one, differences=differences(probe, there, here))


def _pages(asker: Asker, probe: Probe) -> Pages:
    own_arn = _own_arn(asker, probe.operation) if probe.own else ""
    members = dict(probe.members) | ({probe.own: own_arn} if own_arn else {})
    pages = [asker.ask(probe.operation, members)]
    while probe.paged and len(pages) < PAGES and (token := next_token(pages[-1])):
        pages.append(asker.ask(probe.operation, members | {"nextToken": token}))
    return tuple(replace(page, own_arn=own_arn) for page in pages)


def _own_arn(asker: Asker, operation: str) -> str:
    """Return the ARN of a resource of a side; raise NotFound where it shows none."""
    lister, items, member = OWN_RESOURCES[operation]
    body = asker.ask(lister, {"maxResults": 1}).body
    for item in (body.get(items) or ()) if isinstance(body, dict) else ():
        if arn := item.get(member):
            return str(arn)
    raise NotFound(f"{lister} shows no resource to ask about")


def _gate(theirs: Answer, ours: Answer) -> str:
    """Return why a side answers nothing about the operation; empty where both do, or neither."""
    if theirs.error_code == ours.error_code and theirs.status == ours.status:
        return ""
    said = (f"{name}: {_barred(one)}" for name, one in (("theirs", theirs), ("ours", ours)))
    return "; ".join(one for one in said if not one.endswith(": "))


def _barred(answer: Answer) -> str:
    """Return what keeps a caller from the operation; empty where nothing does."""
    if not isinstance(answer.body, dict):
        return f"status {answer.status} without JSON; is that address a Compute Optimizer?"
    return GATES.get(answer.error_code, "")


def _shown(probe: Probe, pages: Pages) -> dict[str, Any]:
    """Return what one side answered, without anything that identifies somebody."""
    first = pages[0]
    members = {
        path.removeprefix("."): {"types": sorted(one.types), "seen": one.seen, "of": one.parents}
        | ({"values": sorted(v for vs in one.values.values() for v in vs)} if one.enum else {})
        for path, one in sorted(outline(probe, pages).items())
        if path and one.seen
    }
    error = {"code": first.error_code, "message": message(first)}
    return {
        "status": first.status,
        "error": error if first.error_code else None,
        "members": members,
    }
