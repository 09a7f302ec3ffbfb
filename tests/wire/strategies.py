"""Hypothesis strategies over the service model: any value that a shape allows."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from botocore.model import ListShape, OperationModel, Shape, StructureShape
from hypothesis import strategies as st

from compute_optimizer.shapes.model import MODEL_FILES, service_model

OPERATIONS = [
    (service, name) for service in MODEL_FILES for name in service_model(service).operation_names
]
"""Every operation of both services, as (service, operation name)."""

INTEGERS = {"integer": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}

LONGEST_TEXT = 100

MILLISECONDS_UNTIL_2100 = 4_102_444_800_000

# Any text that UTF-8 and PostgreSQL can hold.
_TEXT = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


def values(shape: Shape) -> st.SearchStrategy[Any]:
    """Values of a shape, some with every member; moments have milliseconds."""
    return _values(shape, complete=False) | _values(shape, complete=True)


def _values(shape: Shape, *, complete: bool) -> st.SearchStrategy[Any]:
    if isinstance(shape, StructureShape):
        return _structures(shape, complete=complete)
    if isinstance(shape, ListShape):
        shortest = max(shape.metadata.get("min", 0), 1 if complete else 0)
        entries = _values(shape.member, complete=complete)
        return st.lists(entries, min_size=shortest, max_size=shortest + 1)
    return _scalars(shape)


def _structures(shape: StructureShape, *, complete: bool) -> st.SearchStrategy[Any]:
    members = {name: _values(member, complete=complete) for name, member in shape.members.items()}
    if shape.is_tagged_union:
        return st.one_of([st.fixed_dictionaries({name: members[name]}) for name in members])
    required = members if complete else {name: members[name] for name in shape.required_members}
    optional = {name: member for name, member in members.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional)


def _scalars(shape: Shape) -> st.SearchStrategy[Any]:
    limits = shape.metadata
    if shape.type_name in INTEGERS:
        lowest, highest = INTEGERS[shape.type_name]
        return st.integers(limits.get("min", lowest), limits.get("max", highest))
    if shape.type_name == "double":
        return st.floats(
            limits.get("min"), limits.get("max"), allow_nan=False, allow_infinity=False
        )
    if shape.type_name == "timestamp":
        return st.integers(0, MILLISECONDS_UNTIL_2100).map(_moment)
    if shape.type_name == "boolean":
        return st.booleans()
    assert shape.type_name == "string"
    return _strings(shape)


def _strings(shape: Shape) -> st.SearchStrategy[str]:
    limits = shape.metadata
    if "enum" in limits:
        return st.sampled_from(limits["enum"])
    shortest, longest = limits.get("min", 0), limits.get("max", LONGEST_TEXT)
    if "pattern" in limits:
        matching = st.from_regex(limits["pattern"], fullmatch=True, alphabet=_TEXT)
        return matching.filter(lambda text: shortest <= len(text) <= longest)
    return st.text(_TEXT, min_size=shortest, max_size=min(longest, LONGEST_TEXT))


def _moment(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def operation_model(service: str, name: str) -> OperationModel:
    """The model of one operation."""
    return service_model(service).operation_model(name)


@cache
def requests(service: str, name: str) -> st.SearchStrategy[Any]:
    """Valid requests of an operation."""
    return values(operation_model(service, name).input_shape)


@cache
def responses(service: str, name: str) -> st.SearchStrategy[Any]:
    """Responses of an operation."""
    return values(operation_model(service, name).output_shape)
