"""Records in the form that is decoded soonest, for readers of many who only look at them.

A dataclass takes msgspec half as long again as a struct of its own with the same fields.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

T = TypeVar("T")


def quick_decoder(record: type[T]) -> Callable[[bytes], T]:
    """Return what decodes bodies of a dataclass into its quick form.

    That has the fields and properties of the dataclass, as have those in it. What is decoded is no
    instance of the dataclass and equal to none, and `dataclasses` knows it not.
    """
    return cast(Callable[[bytes], T], _decoder(cast(Any, record)))


@cache
def _decoder(record: Any) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(_form(record)).decode


@cache
def _form(record: Any) -> Any:
    hints = get_type_hints(record)
    return msgspec.defstruct(
        record.__name__,
        [_field(one, hints) for one in fields(record)],
        namespace={name: one for name, one in vars(record).items() if isinstance(one, property)},
        frozen=True,
        gc=False,
    )


def _field(one: Field[Any], hints: Mapping[str, Any]) -> Any:
    kind = _quick(hints[one.name])
    if one.default_factory is not MISSING:
        return one.name, kind, msgspec.field(default_factory=one.default_factory)
    return (one.name, kind) if one.default is MISSING else (one.name, kind, one.default)


def _quick(hint: Any) -> Any:
    """Return a hint with the quick form of each dataclass in it."""
    if is_dataclass(hint):
        return _form(cast(Any, hint))
    origin, inner = get_origin(hint), tuple(map(_quick, get_args(hint)))
    if origin in (Union, UnionType):
        return reduce(or_, inner)
    return hint if origin is None else origin[inner]
