"""From a response to a tree that an encoder takes: one walk over the output shape.

Unset members (None) are left out. What is written as it is is not copied, and nothing of the
response is changed. A member that the model does not have, or a value of another
type, is a defect of the operation and raises at once: typed clients would stumble over it.
"""

import operator
from collections.abc import Callable
from datetime import datetime
from math import isfinite
from typing import Any

from botocore.model import ListShape, Shape, StructureShape
from msgspec import Raw

Writer = Callable[[Any], Any]
"""Takes the response's value and returns what the encoder writes."""


def compile_writer(shape: Shape, timestamp: Writer, known: dict[str, Writer]) -> Writer:
    """Return the writer of a shape.

    `timestamp` is the encoding's own writer of moments; `known` keeps the writers of shapes that
    were compiled before.
    """
    if shape.name not in known:
        known[shape.name] = _compile(shape, timestamp, known)
    return known[shape.name]


def _compile(shape: Shape, timestamp: Writer, known: dict[str, Writer]) -> Writer:
    if isinstance(shape, StructureShape):
        return _structure(shape, timestamp, known)
    if isinstance(shape, ListShape):
        return _list(compile_writer(shape.member, timestamp, known))
    if shape.type_name == "timestamp":
        return timestamp
    return SCALARS[shape.type_name]


def _structure(shape: StructureShape, timestamp: Writer, known: dict[str, Writer]) -> Writer:
    members = {name: compile_writer(item, timestamp, known) for name, item in shape.members.items()}
    # Most members are written as they are: a call for each would cost a third of the whole walk,
    # and building what is equal a third of the rest.
    as_it_is = {name: AS_IT_IS.get(item.type_name) for name, item in shape.members.items()}

    def write(value: Any) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        try:
            for name, item in value.items():
                kind = type(item)
                if kind is as_it_is[name]:
                    if kind is float and not isfinite(item):
                        raise _not_finite(item)
                elif item is None:
                    changed[name] = None
                elif (written := members[name](item)) is not item:
                    changed[name] = written
        except KeyError as error:
            raise TypeError(f"{shape.name} has no member {error}") from None
        if not changed:
            found: dict[str, Any] = value
            return found
        return {name: item for name, item in {**value, **changed}.items() if item is not None}

    return write


def _list(member: Writer) -> Writer:
    def write(value: Any) -> list[Any]:
        # What was written as it came (`entry_writer`) was checked then.
        written = [item if type(item) is Raw else member(item) for item in value]
        same = type(value) is list and all(map(operator.is_, written, value))
        return value if same else written

    return write


def _string(value: Any) -> str:
    if isinstance(value, str):  # a StrEnum becomes what it stands for
        return str(value)
    raise TypeError(f"expected a string, got {value!r}")


def _integer(value: Any) -> int:
    return value if type(value) is int else operator.index(value)


def _double(value: Any) -> float:
    number = value if type(value) is float else float(value)
    if not isfinite(number):
        raise _not_finite(number)
    return number


def _not_finite(number: float) -> ValueError:
    return ValueError(f"{number} cannot be sent: no protocol has it as a number")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError(f"expected True or False, got {value!r}")


SCALARS: dict[str, Writer] = {
    "string": _string,
    "integer": _integer,
    "long": _integer,
    "double": _double,
    "boolean": _boolean,
}
"""The writer of each scalar kind."""

AS_IT_IS: dict[str, type] = {
    "string": str,
    "integer": int,
    "long": int,
    "double": float,
    "boolean": bool,
}
"""The type of which every value is written as it is, by scalar kind; of floats, finite ones."""


def epoch_seconds(value: datetime | float) -> int | float:
    """Return seconds since 1970, with milliseconds only where there are any.

    Clients are promised milliseconds (Smithy's epoch-seconds); a moment without a zone is a defect.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: every moment needs a time zone")
        value = value.timestamp()
    rounded = round(float(value), 3)
    return int(rounded) if rounded.is_integer() else rounded
