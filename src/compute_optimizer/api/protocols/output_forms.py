"""The same output shapes as types that msgspec checks and writes in one go: the quick half of JSON.

What a form takes is written as the walk over the shape would have it written. What it does not take
is left to the walk (`output_walk`), which knows more kinds of numbers and says what a defect is.
"""

import sys
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import msgspec
from botocore.model import ListShape, Shape, StructureShape

from compute_optimizer.api.protocols.output_walk import epoch_seconds

Form = Any
"""A type as msgspec takes it."""


class Moment:
    """A moment as it is written."""

    __slots__ = ("seconds",)

    def __init__(self, value: datetime | float) -> None:
        self.seconds = epoch_seconds(value)


SCALARS: dict[str, Form] = {
    "string": str,
    "integer": int,
    "long": int,
    # Neither infinity nor what is no number lies between these.
    "double": Annotated[float, msgspec.Meta(ge=-sys.float_info.max, le=sys.float_info.max)],
    "boolean": bool,
    "timestamp": Moment,
}
"""The form of each scalar kind."""


def compile_form(shape: Shape, known: dict[str, Form]) -> Form:
    """Return the form of a shape; `known` keeps those of shapes that were compiled before."""
    if shape.name not in known:
        known[shape.name] = _compile(shape, known)
    return known[shape.name]


def _compile(shape: Shape, known: dict[str, Form]) -> Form:
    if isinstance(shape, StructureShape):
        members = shape.members.items()
        return msgspec.defstruct(
            shape.name,
            [(name, compile_form(item, known) | None, None) for name, item in members],
            omit_defaults=True,
            forbid_unknown_fields=True,
            gc=False,
        )
    if isinstance(shape, ListShape):
        member = compile_form(shape.member, known)
        return list[member]  # type: ignore[valid-type] # known at run time only
    return SCALARS[shape.type_name]


def json_writer(shape: Shape, known: dict[str, Form]) -> Callable[[Any], bytes | None]:
    """Return what writes the JSON of a structure; it returns None for what its form refuses."""
    form = compile_form(shape, known)

    def write(value: Any) -> bytes | None:
        formed = in_form(value, form)
        return None if formed is None else _ENCODER.encode(formed)

    return write


def in_form(value: Any, form: Form) -> Any:
    """Return a value as its form has it; None where the form does not take it."""
    try:
        return msgspec.convert(value, form, dec_hook=_moment)
    except (msgspec.ValidationError, TypeError):
        return None


def _moment(_form: Form, value: Any) -> Moment:
    return Moment(value)


def _seconds(moment: Moment) -> int | float:
    return moment.seconds


_ENCODER = msgspec.json.Encoder(enc_hook=_seconds)
