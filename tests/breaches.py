"""What of an answer the service model does not know."""

from collections.abc import Iterator
from typing import Any

from compute_optimizer.shapes.model import service_model


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
