"""Recommendations that a test puts as they are to be answered, beside those that are computed.

A fixed recommendation stands in the place of the computed one of the same resource. The operation
itself is asked first, so accounts, ARNs and filters are refused as the service refuses them; then
both kinds are ordered, filtered and paged together.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from compute_optimizer.emulator.fixed_kinds import KINDS, FixedKind, Key, values_at
from compute_optimizer.emulator.fixed_shapes import read_fixed, respelled
from compute_optimizer.errors import InvalidInput
from compute_optimizer.operations import Operation, paging
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.filters import FINDING, TAG_KEY, TAG_PREFIX
from compute_optimizer.shapes import InvalidParameterValueException
from compute_optimizer.views.ec2_instance import WIRE_SPELLING

Recommendation = dict[str, Any]
ByArn = Mapping[str, Recommendation]

Scope = tuple[str, str, str]
"""Operation, account and Region."""

Placed = tuple[Scope, Recommendation]
"""A recommendation and where it belongs."""

PAGING = ("nextToken", "maxResults")


@dataclass(slots=True)
class FixedAnswers:
    """Those of one emulator."""

    _kept: dict[Scope, ByArn] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def keep(self, placed: Iterable[Placed]) -> None:
        """Keep what `read` returned; of one resource the last stands."""
        with self._lock:
            for scope, one in placed:
                found = {**self._kept.get(scope, {}), _arn(KINDS[scope[0]], one): one}
                self._kept[scope] = found

    def clear(self) -> None:
        """Forget all of them: from now on only what is computed is answered."""
        with self._lock:
            self._kept.clear()

    def answer(
        self, name: str, operation: Operation, context: Context, request: dict[str, Any]
    ) -> dict[str, Any]:
        """Answer a call, as a layer around the operations."""
        account_id = (request.get("accountIds") or [context.account_id])[0]
        kept = self._kept.get((name, account_id, context.region))
        if not kept:
            return operation(context, request)
        return _answer(KINDS[name], kept, operation, context, request)


def read(
    operation: str,
    given: Sequence[Any],
    account_id: str | None = None,
    region: str | None = None,
) -> list[Placed]:
    """Return recommendations with where they belong: as their ARNs say, and may be stated besides.

    Raises InvalidInput that names the path of whatever the service could not send.
    """
    kind = KINDS.get(operation)
    if kind is None:
        raise InvalidInput(
            f"{operation!r} answers no fixed recommendations; expected one of {', '.join(KINDS)}"
        )
    found = [read_fixed(kind, one, place) for place, one in enumerate(given)]
    _check_once(kind, found)
    scopes = [_scope(kind, one, account_id, region) for one in found]
    return [
        (scope, {"accountId": scope[1], **one}) for scope, one in zip(scopes, found, strict=True)
    ]


def owners_of(placed: Iterable[Placed]) -> frozenset[str]:
    """Return whose recommendations they are."""
    return frozenset(scope[1] for scope, _ in placed)


def _scope(
    kind: FixedKind, one: Recommendation, account_id: str | None, region: str | None
) -> Scope:
    parts = kind.pattern.fullmatch(_arn(kind, one))
    assert parts is not None, "checked when it was read"
    told = (
        (parts["account"], account_id, "account_id"),
        (parts["account"], one.get("accountId"), "accountId"),
        (parts["region"], region, "region"),
    )
    for of_arn, stated, member in told:
        if stated not in (None, of_arn):
            raise InvalidInput(
                f"{kind.operation}: {member} is {stated}, but the ARN {one[kind.arn]} says {of_arn}"
            )
    return kind.operation, parts["account"], parts["region"]


def _arn(kind: FixedKind, one: Mapping[str, Any]) -> str:
    return kind.canonical(one[kind.arn])


def _check_once(kind: FixedKind, read: Iterable[Recommendation]) -> None:
    seen: set[str] = set()
    for one in read:
        if _arn(kind, one) in seen:
            raise InvalidInput(f"{kind.operation}: {one[kind.arn]} is given twice")
        seen.add(_arn(kind, one))


def _answer(
    kind: FixedKind, kept: ByArn, operation: Operation, context: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Return one page of fixed and computed recommendations together."""
    asked = {name: value for name, value in request.items() if name not in PAGING}
    computed, errors = _computed(kind, operation, context, request, asked)
    mine = [one for one in kept.values() if _wanted(kind, one, asked)]
    others = [one for one in computed if _arn(kind, one) not in kept]
    spelling = WIRE_SPELLING if kind.wire_cased and context.enum_style == "wire" else {}
    whole = [*others, *(respelled(one, spelling) for one in mine)]
    keyed = sorted((_key(kind, asked, one), place) for place, one in enumerate(whole))
    token = request.get("nextToken")
    if token is not None:
        after = json.loads(paging.open_token(context, kind.operation, asked, token))
        keyed = [one for one in keyed if one[0] > after]
        errors = []
    size = request.get("maxResults") or min(context.page_size, kind.page or context.page_size)
    answer: dict[str, Any] = {kind.answer: [whole[place] for _, place in keyed[:size]]}
    if errors is not None:
        answer["errors"] = [one for one in errors if not _names(kind, kept, one["identifier"])]
    if len(keyed) > size:
        position = json.dumps(keyed[size - 1][0])
        answer["nextToken"] = paging.seal_token(context, kind.operation, asked, position)
    return answer


def _computed(
    kind: FixedKind,
    operation: Operation,
    context: Context,
    request: Mapping[str, Any],
    asked: Mapping[str, Any],
) -> tuple[list[Recommendation], list[dict[str, Any]] | None]:
    """Return all that the operation itself answers, and its errors; None where it tells none."""
    limit = {"maxResults": request["maxResults"]} if "maxResults" in request else {}
    answer = operation(context, {**asked, **limit})
    found, errors = list(answer[kind.answer]), answer.get("errors")
    while token := answer.get("nextToken"):
        answer = operation(context, {**asked, **limit, "nextToken": token})
        found += answer[kind.answer]
    return found, errors


def _key(kind: FixedKind, asked: Mapping[str, Any], one: Mapping[str, Any]) -> Key:
    return [*kind.order(asked, one), _arn(kind, one)]


def _names(kind: FixedKind, kept: ByArn, name: str) -> bool:
    """Return whether a listed ARN or id is that of a fixed recommendation."""
    canonical = kind.canonical(name)
    return canonical in kept or any(one.get("resourceId") == name for one in kept.values())


def _wanted(kind: FixedKind, one: Recommendation, asked: Mapping[str, Any]) -> bool:
    """Return whether a request asks for a fixed recommendation.

    Raises InvalidParameterValueException for a filter that looks at what answers do not tell.
    """
    listed = asked.get(kind.arns) or ()
    alone = {_arn(kind, one): one}
    if listed and not any(_names(kind, alone, name) for name in listed):
        return False
    filters = asked.get("filters") or ()
    if kind.findings and all(given["name"] != FINDING for given in filters):
        filters = [*filters, {"name": FINDING, "values": sorted(kind.findings)}]
    return all(_passes(kind, one, given["name"], given["values"]) for given in filters)


def _passes(kind: FixedKind, one: Recommendation, name: str, values: Sequence[str]) -> bool:
    tags = {tag.get("key"): tag.get("value") for tag in one.get("tags") or ()}
    if name == TAG_KEY:
        # An empty value asks for resources without any tag (spec 8.1).
        return not tags.keys().isdisjoint(values) or ("" in values and not tags)
    if name.startswith(TAG_PREFIX):
        return tags.get(name.removeprefix(TAG_PREFIX)) in values
    if name not in kind.paths:
        raise InvalidParameterValueException(
            f"The filter {name} looks at what the answers of {kind.operation} do not tell, so it "
            "cannot be applied to the fixed recommendations of this emulator; leave it out, or "
            "let recommendations be computed from metrics."
        )
    wanted = {kind.rules[name].accepted[value] for value in values}
    return not wanted.isdisjoint(values_at(one, kind.paths[name]))
