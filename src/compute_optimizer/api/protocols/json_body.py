"""AWS JSON 1.0 bodies: bytes to a tree and back."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from compute_optimizer.api.errors import SERIALIZATION, RequestRefused
from compute_optimizer.api.protocols.input_walk import MAX_DEPTH, NotAsModelled, finite

EMPTY = frozenset((b"", b"{}"))
"""Bodies of calls without members, which are most of them."""

_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
"""Possessive, and a string that does not end reaches to the end of the body: so every byte is
looked at once, whatever is sent."""

_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

_SQUARED = bytes.maketrans(b"{}", b"[]")
"""Makes one kind of the two, so that one replacement is one level; the decoder tells them apart."""


def parse_json(body: bytes) -> Any:
    """Return the tree of a body; an empty body counts as an empty structure.

    Raises SerializationException for anything but strict JSON in UTF-8, for a name that occurs
    twice in one structure, and for nesting beyond MAX_DEPTH.
    """
    if body in EMPTY:
        return {}
    try:
        _check_depth(body)
        return _DECODER.decode(body.decode())
    except ValueError as error:
        raise RequestRefused(SERIALIZATION, f"The body is not valid JSON: {error}") from None


def render_json(tree: Any) -> bytes:
    """Return the compact JSON of a tree."""
    return msgspec.json.encode(tree)


def moment_from_json(value: Any) -> datetime:
    """Return the moment of an epoch number, the only form that the protocol has."""
    try:
        return datetime.fromtimestamp(finite(value), UTC)
    except (OverflowError, ValueError, OSError):
        raise NotAsModelled("expected seconds since 1970", value, malformed=True) from None


def _check_depth(body: bytes) -> None:
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    brackets = _STRINGS.sub(b"", body).translate(_SQUARED, _ALL_BUT_BRACKETS)
    # Each round takes away the innermost level, at the speed of bytes.replace.
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise ValueError(f"brackets do not match or nest deeper than {MAX_DEPTH} levels")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    structure = dict(pairs)
    if len(structure) != len(pairs):
        raise ValueError("a name occurs twice in one structure")
    return structure


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)
