"""From a parsed body to a request: one walk over the input shape that decodes and validates.

Each shape is compiled once into a function; a function returns the value or raises
`NotAsModelled`, to which the enclosing shapes add where it happened. Null members are left out and
unknown members are ignored, so that newer clients work. The names of filters are left to the
operation: documents allow `tag:KEY` and `tag-key` beside the model's enum.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import ListShape, Shape, StructureShape
from cbor2 import undefined

from compute_optimizer.api.errors import SERIALIZATION, RequestRefused
from compute_optimizer.shapes import InvalidParameterValueException, ServiceException

Reader = Callable[[Any], Any]
"""Takes a parsed value and returns the request's value."""

MAX_DEPTH = 32
"""Containers inside each other in a body: the deepest input shape of the two models has 5, and
newer clients may send members that are unknown here and go deeper."""

INTEGER_RANGES = {"integer": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}
"""Inclusive range of the integer kinds (Smithy: 32 and 64 bits, signed)."""

LISTED_VALUES = 20
"""An enum of at most so many values is spelled out in an error; export fields have over 100."""

SHOWN_CHARACTERS = 80
"""A refused value is repeated up to this length, so that an error stays readable."""


class NotAsModelled(Exception):
    """A value that the shape does not allow."""

    def __init__(self, expected: str, value: Any, *, malformed: bool) -> None:
        super().__init__(expected)
        self.expected = expected
        self.value = value
        self.malformed = malformed
        """True where the value is of another type, false where it breaks a constraint."""
        self.path: list[str | int] = []
        """Members and list positions, innermost first."""

    def as_service_exception(self) -> ServiceException:
        """Return the error that names the member, the value and what was expected."""
        message = f"{_spelled(self.path)}: {self.expected}, got {_shown(self.value)}"
        if self.malformed:
            return RequestRefused(SERIALIZATION, message)
        return InvalidParameterValueException(message)


def compile_reader(shape: Shape, timestamp: Reader, known: dict[str, Reader]) -> Reader:
    """Return the reader of a shape.

    `timestamp` is the encoding's own reader of moments; `known` keeps the readers of shapes that
    were compiled before.
    """
    if shape.name not in known:
        known[shape.name] = _compile(shape, timestamp, known)
    return known[shape.name]


def _compile(shape: Shape, timestamp: Reader, known: dict[str, Reader]) -> Reader:
    if isinstance(shape, StructureShape):
        members = {
            name: compile_reader(member, timestamp, known) for name, member in shape.members.items()
        }
        return _structure(members, tuple(shape.required_members))
    if isinstance(shape, ListShape):
        return _list(compile_reader(shape.member, timestamp, known), shape.metadata)
    if shape.type_name == "timestamp":
        return timestamp
    return SCALARS[shape.type_name](shape)


def _structure(members: Mapping[str, Reader], required: tuple[str, ...]) -> Reader:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise NotAsModelled("expected a structure", value, malformed=True)
        request: dict[str, Any] = {}
        for name, item in value.items():
            reader = members.get(name)
            if reader is None or item is None or item is undefined:
                continue
            try:
                request[name] = reader(item)
            except NotAsModelled as refused:
                refused.path.append(name)
                raise
        for name in required:
            if name not in request:
                raise _missing(name)
        return request

    return read


def _missing(name: str) -> NotAsModelled:
    refused = NotAsModelled("a value is required", None, malformed=False)
    refused.path.append(name)
    return refused


def _list(member: Reader, constraints: Mapping[str, Any]) -> Reader:
    shortest = constraints.get("min", 0)
    longest = constraints.get("max", math.inf)

    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise NotAsModelled("expected a list", value, malformed=True)
        if not shortest <= len(value) <= longest:
            raise NotAsModelled(
                f"expected {shortest} to {longest} entries", len(value), malformed=False
            )
        entries: list[Any] = []
        try:
            for item in value:
                entries.append(member(item))  # noqa: PERF401 - its length tells where it stopped
        except NotAsModelled as refused:
            refused.path.append(len(entries))
            raise
        return entries

    return read


def _string(shape: Shape) -> Reader:
    check = _string_check(shape)

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise NotAsModelled("expected a string", value, malformed=True)
        if not value.isascii() or "\0" in value:
            _refuse_unstorable(value)
        if check is not None:
            check(value)
        return value

    return read


def _refuse_unstorable(value: str) -> None:
    # JSON can escape half a surrogate pair and NUL; neither can be stored or echoed as UTF-8 text
    # (PostgreSQL refuses NUL in text).
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        shown = value.encode("ascii", "backslashreplace").decode()
        raise NotAsModelled("expected Unicode text without NUL", shown, malformed=True)


def _string_check(shape: Shape) -> Callable[[str], None] | None:
    if shape.name.endswith("FilterName"):
        return None
    if "enum" in shape.metadata:
        return _enum_check(shape.name, tuple(shape.metadata["enum"]))
    if shape.metadata.keys() & {"min", "max", "pattern"}:
        return _text_check(shape.metadata)
    return None


def _enum_check(name: str, values: tuple[str, ...]) -> Callable[[str], None]:
    allowed = frozenset(values)
    listed = ", ".join(values) if len(values) <= LISTED_VALUES else f"the values of {name}"

    def check(value: str) -> None:
        if value not in allowed:
            raise NotAsModelled(f"expected one of {listed}", value, malformed=False)

    return check


def _text_check(constraints: Mapping[str, Any]) -> Callable[[str], None]:
    shortest = constraints.get("min", 0)
    longest = constraints.get("max", math.inf)
    pattern = constraints.get("pattern")
    matches = re.compile(pattern).fullmatch if pattern else None

    def check(value: str) -> None:
        if not shortest <= len(value) <= longest:
            raise NotAsModelled(
                f"expected {shortest} to {longest} characters", value, malformed=False
            )
        if matches and not matches(value):
            raise NotAsModelled(f"expected text that matches {pattern}", value, malformed=False)

    return check


def _integer(shape: Shape) -> Reader:
    lowest, highest = INTEGER_RANGES[shape.type_name]
    lowest = max(lowest, shape.metadata.get("min", lowest))
    highest = min(highest, shape.metadata.get("max", highest))

    def read(value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise NotAsModelled("expected an integer", value, malformed=True)
        if not lowest <= value <= highest:
            raise NotAsModelled(f"expected {lowest} to {highest}", value, malformed=False)
        return value

    return read


def _double(shape: Shape) -> Reader:
    lowest = shape.metadata.get("min", -math.inf)
    highest = shape.metadata.get("max", math.inf)

    def read(value: Any) -> float:
        number = finite(value)
        if not lowest <= number <= highest:
            raise NotAsModelled(f"expected {lowest} to {highest}", value, malformed=False)
        return number

    return read


def finite(value: Any) -> float:
    """Return a parsed number as a float; raise NotAsModelled for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise NotAsModelled("expected a finite number", value, malformed=True)


def _boolean(_shape: Shape) -> Reader:
    def read(value: Any) -> bool:
        if not isinstance(value, bool):
            raise NotAsModelled("expected true or false", value, malformed=True)
        return value

    return read


SCALARS: dict[str, Callable[[Shape], Reader]] = {
    "string": _string,
    "integer": _integer,
    "long": _integer,
    "double": _double,
    "boolean": _boolean,
}
"""The compiler of each scalar kind; the two models use no others (no blob, map or float)."""


def _spelled(path: list[str | int]) -> str:
    spelled = ""
    for step in reversed(path):
        spelled += f"[{step}]" if isinstance(step, int) else f".{step}"
    return spelled.lstrip(".") or "the body"


def _shown(value: Any) -> str:
    if value is None or value is undefined:
        return "nothing"
    if isinstance(value, dict | list):
        return "a structure" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**64:
        return "a number beyond 64 bits"
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
