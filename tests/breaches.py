"""What of an answer is not as the service model says."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from compute_optimizer.shapes.model import service_model

PYTHON_TYPES: dict[str, Any] = {
    "string": str,
    "double": float,
    "integer": int,
    "long": int,
    "boolean": bool,
    "timestamp": datetime,
    "list": list,
    "structure": dict,
}
"""What botocore makes of each type of the model that the response has."""


def members_of(name: str) -> dict[str, Any]:
    """Return the members of a structure of the service model, by name."""
    return dict(service_model().shape_for(name).members)


def breaches_of(value: Any, name: str) -> list[str]:
    """Return every place where a value is none of that shape of the service model."""
    return list(_breaches(value, service_model().shape_for(name), name))


def _breaches(value: Any, shape: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, inner in value.items():
            if name not in shape.members:
                yield f"{path}.{name} is no member"
            else:
                yield from _breaches(inner, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for inner in value:
            yield from _breaches(inner, shape.member, f"{path}[]")
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{path}: {value} is not in {shape.enum}"


def mistyped_in(page: dict[str, Any], operation: str, *, enums: bool = True) -> list[str]:
    """Return where boto3's answer of an operation is not of the types of the service model."""
    shape = service_model().operation_model(operation).output_shape
    body = {name: value for name, value in page.items() if name != "ResponseMetadata"}
    return list(_mistyped(shape, body, "", enums=enums))


def _mistyped(shape: Any, value: Any, path: str, *, enums: bool) -> Iterator[str]:
    if type(value) is not PYTHON_TYPES[shape.type_name]:
        yield f"{path}: {value!r} is no {shape.type_name}"
    elif shape.type_name == "list":
        for one in value:
            yield from _mistyped(shape.member, one, f"{path}[]", enums=enums)
    elif shape.type_name == "structure":
        for name, one in value.items():
            yield from _mistyped(shape.members[name], one, f"{path}.{name}", enums=enums)
    elif enums and shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield f"{path}: {value!r} is none of {shape.enum}"
