"""Whether a fixed recommendation is one that the service could send, by the service model."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from compute_optimizer.api.protocols.input_walk import NotAsModelled, Reader, compile_reader, finite
from compute_optimizer.emulator.fixed_kinds import FixedKind
from compute_optimizer.errors import InvalidInput
from compute_optimizer.shapes.model import service_model
from compute_optimizer.views.ec2_instance import WIRE_SPELLING

MODEL_SPELLING = {wire: model for model, wire in WIRE_SPELLING.items()}

SPELLED = ("finding", "name", "statistic")
"""Members of instances and groups whose enums the service spells as its model does not."""


def read_fixed(kind: FixedKind, given: Any, place: int) -> dict[str, Any]:
    """Return a recommendation with its enums as the model spells them; both spellings are taken.

    `place` is its position among those that were given. Raises InvalidInput that names the path of
    a member that is unknown, of another type or no value of its enum, and where the ARN is missing.
    """
    where = f"{kind.answer}[{place}]"
    wanted = respelled(given, MODEL_SPELLING) if kind.wire_cased else given
    try:
        found: dict[str, Any] = _reader(kind.operation)(wanted)
    except NotAsModelled as refused:
        refused.path += [place, kind.answer]
        error = refused.as_service_exception()
        raise InvalidInput(f"{kind.operation}: {error.message}") from error
    _check_known(given, _shape_of(kind.operation), f"{kind.operation}: {where}")
    arn = found.get(kind.arn)
    if not arn or not kind.pattern.fullmatch(kind.canonical(arn)):
        raise InvalidInput(
            f"{kind.operation}: {where}.{kind.arn}: expected the ARN of a resource that the "
            f"operation answers, got {arn!r}"
        )
    return found


def respelled(value: Any, spelling: Mapping[str, str], member: str = "") -> Any:
    """Return a recommendation with the enums of `SPELLED` in another spelling."""
    if isinstance(value, dict):
        return {name: respelled(one, spelling, name) for name, one in value.items()}
    if isinstance(value, list):
        return [respelled(one, spelling) for one in value]
    return spelling.get(value, value) if member in SPELLED and isinstance(value, str) else value


@cache
def _reader(operation: str) -> Reader:
    return compile_reader(_shape_of(operation), _moment, {})


def _shape_of(operation: str) -> Shape:
    """Return the shape of one recommendation of an operation."""
    members = service_model().operation_model(operation).output_shape.members
    (listed,) = (
        one for name, one in members.items() if isinstance(one, ListShape) and name != "errors"
    )
    return listed.member


def _moment(value: Any) -> datetime:
    """Return a moment; text is as ISO 8601 has it, and a number counts seconds since 1970."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise NotAsModelled("expected a moment", value, malformed=True) from None
    if not isinstance(value, datetime):
        return datetime.fromtimestamp(finite(value), UTC)
    if value.tzinfo is None:
        raise NotAsModelled("expected a moment with its time zone", str(value), malformed=True)
    return value.astimezone(UTC)


def _check_known(value: Any, shape: Shape, path: str) -> None:
    """Raise InvalidInput for a member that the model does not have."""
    if isinstance(shape, ListShape):
        for place, one in enumerate(value or ()):
            _check_known(one, shape.member, f"{path}[{place}]")
    elif isinstance(shape, StructureShape):
        for name, one in (value or {}).items():
            if name not in shape.members:
                expected = ", ".join(shape.members)
                raise InvalidInput(f"{path}.{name}: no such member; expected one of {expected}")
            _check_known(one, shape.members[name], f"{path}.{name}")
