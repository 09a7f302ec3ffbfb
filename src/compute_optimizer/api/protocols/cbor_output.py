"""CBOR written straight from an answer: for each order of members one function, compiled when met.

A step of Python for each member of each structure is what a page costs. So the function of a
structure is spelled out and compiled, as dataclasses are: it takes all values at once, and adds
what stands between them, the names of members and heads of maps, as bytes that are ready. What it
does not take is left to the walk (`output_walk`), which knows more kinds of values and says what a
defect is.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from math import isfinite
from operator import index
from struct import Struct
from struct import error as StructError
from typing import Any

import cbor2
from botocore.model import ListShape, Shape, StructureShape
from msgspec import Raw

from compute_optimizer.api.protocols.output_walk import epoch_seconds

Add = Callable[[Iterable[bytes]], None]
"""Takes pieces of the body, in order."""

WriteStructure = Callable[[Mapping[str, Any], Add], None]
"""Adds the pieces of a structure whose members come in one order."""

KEPT_TEXTS = 4_096
"""Texts whose bytes are kept: findings, types and names of metrics come a thousand times on a page.
With names and tags between them they are met anew several times before all are forgotten."""

KEPT_CHARACTERS = 48
"""Length of a text that is kept; ARNs, which are longer, come once."""

KEPT_STRUCTURES = 64
"""Structures of one member that are kept where answers share them."""

SHARED = frozenset({"EffectiveRecommendationPreferences", "ExternalMetricStatus"})
"""Shapes of which views hand out one and the same object for many recommendations."""

ARRAY, MAP, TEXT = 0x80, 0xA0, 0x60
"""Major types as they begin the head of a list, a structure and a text (RFC 8949, 3.1)."""

MOMENT, DOUBLE = b"\xc1", b"\xfb"
"""The head of a tagged number of seconds, and of a number of 64 bits."""

_HEADS = ((24, 0, ""), (1 << 8, 24, "B"), (1 << 16, 25, "H"), (1 << 32, 26, "I"))
"""Lengths below the first are written with the second and, in so many bytes, the length itself."""

_REFUSED = (AttributeError, LookupError, OverflowError, StructError, TypeError, ValueError)

_double = Struct(">d").pack


def head(major: int, length: int) -> bytes:
    """Return how something of a major type and a length begins."""
    for below, mark, width in _HEADS:
        if length < below:
            return Struct(f">B{width}").pack(major | (mark or length), *([length] if mark else []))
    raise ValueError(f"nothing in an answer has a length of {length}")


class _Texts(dict[str, bytes]):
    """The bytes of texts, made when they are asked for."""

    def __missing__(self, text: str) -> bytes:
        """Return the bytes of a text, and keep them if it is short."""
        if not isinstance(text, str):
            raise TypeError(f"expected a string, got {text!r}")
        encoded = str(text).encode()
        written = head(TEXT, len(encoded)) + encoded
        if len(text) <= KEPT_CHARACTERS:
            if len(self) >= KEPT_TEXTS:
                self.clear()
            self[text] = written
        return written


_TEXTS = _Texts()
_list_head = lru_cache(maxsize=1_024)(partial(head, ARRAY))


def _number(value: Any) -> bytes:
    if isfinite(value):
        return DOUBLE + _double(value)
    raise ValueError(f"{value} is no number")


def _integer(value: Any) -> bytes:
    return cbor2.dumps(index(value))


def _boolean(value: Any) -> bytes:
    if isinstance(value, bool):
        return cbor2.dumps(value)
    raise TypeError(f"expected True or False, got {value!r}")


def _moment(value: Any) -> bytes:
    return MOMENT + cbor2.dumps(epoch_seconds(value))


SCALARS: Mapping[str, Callable[[Any], bytes]] = {
    "string": _TEXTS.__getitem__,
    "integer": _integer,
    "long": _integer,
    "double": _number,
    "boolean": _boolean,
    "timestamp": _moment,
}
"""What writes each scalar kind."""


class Orders(dict[tuple[str, ...], WriteStructure]):
    """What writes the structures of one shape, by the names of their members in order."""

    def __init__(self, shape: StructureShape, known: "dict[str, Orders]") -> None:
        self.shape = shape
        self.known = known
        """Those of all shapes, by name."""

    def __missing__(self, names: tuple[str, ...]) -> WriteStructure:
        """Return what writes one order of members, compiled; KeyError for one that is unknown."""
        self[names] = compiled = _compiled(self.shape, names, self.known)
        return compiled


def orders_of(shape: StructureShape, known: dict[str, Orders]) -> Orders:
    """Return what writes structures of a shape; `known` keeps those of all shapes."""
    if shape.name not in known:
        known[shape.name] = Orders(shape, known)
    return known[shape.name]


def cbor_writer(shape: Shape, known: dict[str, Orders]) -> Callable[[Any], bytes | None]:
    """Return what writes the CBOR of a structure; it returns None for what it does not take."""
    if not isinstance(shape, StructureShape):
        raise TypeError(f"an answer is a structure, and {shape.name} is none")
    orders = orders_of(shape, known)

    def write(value: Any) -> bytes | None:
        pieces: list[bytes] = []
        try:
            orders[tuple(value)](value, pieces.extend)
            return b"".join(pieces)
        except _REFUSED:
            return None

    return write


@dataclass(slots=True)
class _Source:
    """The source of a function while it is spelled out."""

    bound: dict[str, Any]
    """What it uses, by name."""
    lines: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    """Expressions of bytes that no line adds yet."""
    ready: bytes = b""
    """Bytes that follow these."""
    numbers: list[str] = field(default_factory=list)
    """Variables that must be finite."""

    def piece(self, expression: str) -> None:
        """Add what an expression gives, after the bytes that are ready."""
        self.pieces += [repr(self.ready), expression] if self.ready else [expression]
        self.ready = b""

    def statement(self, *lines: str) -> None:
        """Run lines that add pieces themselves."""
        self.end()
        self.lines += lines

    def end(self) -> None:
        """Add what is left."""
        pieces = [*self.pieces, *([repr(self.ready)] if self.ready else [])]
        if pieces:
            self.lines.append(f"add(({', '.join(pieces)},))")
        self.pieces, self.ready = [], b""


_USED = {
    "Raw": Raw,
    "double": _double,
    "isfinite": isfinite,
    "list_head": _list_head,
    "texts": _TEXTS,
}
"""What every function may use."""


def _compiled(
    shape: StructureShape, names: tuple[str, ...], known: dict[str, Orders]
) -> WriteStructure:
    members = [shape.members[name] for name in names]
    source = _Source(dict(_USED))
    source.ready = head(MAP, len(names))
    for place, (name, member) in enumerate(zip(names, members, strict=True)):
        source.ready += _TEXTS[name]
        _spell(source, member, place, known)
    source.end()
    values = "".join(f"value{place}, " for place in range(len(names)))
    finite = " and ".join(f"isfinite({one})" for one in source.numbers) or "True"
    body = (f"({values}) = value.values()", f"if not ({finite}): raise ValueError", *source.lines)
    # Only numbers and names of the model are in it: a member that the model lacks is a KeyError.
    exec("\n ".join(("def write(value, add):", *body)), source.bound)
    write: WriteStructure = source.bound["write"]
    return write


def _spell(source: _Source, member: Shape, place: int, known: dict[str, Orders]) -> None:
    value, used = f"value{place}", f"used{place}"
    kind = member.type_name
    if isinstance(member, StructureShape):
        source.bound[used] = orders_of(member, known)
        if member.name in SHARED:
            source.bound[used] = _kept(source.bound[used])
            source.piece(f"{used}({value})")
        else:
            source.statement(f"{used}[tuple({value})]({value}, add)")
    elif isinstance(member, ListShape):
        source.piece(f"list_head(len({value}))")
        _spell_entries(source, member.member, value, used, known)
    elif kind == "string":
        source.piece(f"texts[{value}]")
    elif kind == "double":
        source.numbers.append(value)
        source.ready += DOUBLE
        source.piece(f"double({value})")
    else:
        source.bound[used] = SCALARS[kind]
        source.piece(f"{used}({value})")


def _spell_entries(
    source: _Source, entry: Shape, value: str, used: str, known: dict[str, Orders]
) -> None:
    if not isinstance(entry, StructureShape):
        source.bound[used] = SCALARS[entry.type_name]
        source.piece(f"*map({used}, {value})")
        return
    source.bound[used] = orders_of(entry, known)
    source.statement(
        # What was written as it came (`entry_writer`) was checked then.
        f"if {value} and type({value}[0]) is Raw: add({value})",
        f"else:\n  for entry in {value}: {used}[tuple(entry)](entry, add)",
    )


def _kept(orders: Orders) -> Callable[[Mapping[str, Any]], bytes]:
    """Return what writes structures of which many are one and the same object."""
    # A structure is held as long as its place in memory stands for it.
    known: dict[int, tuple[Mapping[str, Any], bytes]] = {}

    def write(value: Mapping[str, Any]) -> bytes:
        kept = known.get(id(value))
        if kept is None:
            pieces: list[bytes] = []
            orders[tuple(value)](value, pieces.extend)
            if len(known) >= KEPT_STRUCTURES:
                known.clear()
            known[id(value)] = kept = value, b"".join(pieces)
        return kept[1]

    return write
