"""The same output shapes as types that msgspec checks and writes in one go: the quick half of JSON.

What a form takes is written as the walk over the shape would write it. What it does not take is
left to the walk (`output_walk`), which knows more kinds of numbers and says what a defect is.
"""

import sys
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


def written(value: Any, form: Form) -> bytes | None:
    """Return the JSON of a value; None where the form does not take it."""
    try:
        return _ENCODER.encode(msgspec.convert(value, form, dec_hook=_moment))
    except (msgspec.ValidationError, TypeError):
        return None


def _moment(_form: Form, value: Any) -> Moment:
    return Moment(value)


def _seconds(moment: Moment) -> int | float:
    return moment.seconds


_ENCODER = msgspec.json.Encoder(enc_hook=_seconds)
