"""Whatever bytes come, a request or one clean error comes out."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compute_optimizer.shapes import ServiceException
from tests.wire.conftest import Botocore
from tests.wire.strategies import operation_model, requests

SERVICE = "compute-optimizer"

OPERATIONS = (
    "GetEnrollmentStatus",  # no members
    "GetEC2InstanceRecommendations",  # lists, structures, bounds, enums
    "GetEC2RecommendationProjectedMetrics",  # moments
    "PutRecommendationPreferences",  # the deepest input
)

CLEAN = {"SerializationException", "InvalidParameterValueException"}

modest = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def outcome(botocore: Botocore, body: bytes, name: str) -> str:
    """Decode a body: "read", or the code of the error, which botocore must understand."""
    encoding = botocore.encoding(SERVICE)
    try:
        request = encoding.decode(body, name)
    except ServiceException as error:
        headers = encoding.error_headers(error)
        operation = operation_model(SERVICE, name)
        parsed = botocore.response(400, headers, encoding.encode_error(error), operation)
        assert error.status == 400
        assert parsed["Error"] == {"Code": error.code, "Message": error.message}
        assert error.code in CLEAN
        return error.code
    assert isinstance(request, dict)
    return "read"


@pytest.mark.parametrize("name", OPERATIONS)
@modest
@given(body=st.binary(max_size=64))
def test_random_bytes(botocore: Botocore, name: str, body: bytes) -> None:
    outcome(botocore, body, name)


@pytest.mark.parametrize("name", OPERATIONS)
@modest
@given(data=st.data())
def test_real_bodies_with_changed_bytes(botocore: Botocore, name: str, data: st.DataObject) -> None:
    params = data.draw(requests(SERVICE, name))
    body = bytearray(botocore.request(params, operation_model(SERVICE, name))["body"])
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(begin, min(begin + 4, len(body))))
        body[begin:end] = data.draw(st.binary(max_size=4))
    outcome(botocore, bytes(body), name)


@pytest.mark.parametrize("name", OPERATIONS[1:])
@modest
@given(data=st.data())
def test_real_bodies_that_end_too_early(botocore: Botocore, name: str, data: st.DataObject) -> None:
    params = data.draw(requests(SERVICE, name))
    body = botocore.request(params, operation_model(SERVICE, name))["body"]
    # At least one byte is left: an empty body is an empty structure.
    cut = body[: data.draw(st.integers(1, len(body) - 1))] if len(body) > 1 else b"\x1c"

    assert outcome(botocore, cut, name) == "SerializationException"


def names_of(shape: Any) -> set[str]:
    """The names of all members below a shape."""
    if shape.type_name == "list":
        return names_of(shape.member)
    if shape.type_name != "structure":
        return set()
    return set(shape.members).union(*map(names_of, shape.members.values()))


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64) + 1, 2**64 - 1)
    | st.floats()
    | st.text(max_size=5)
)

WRITERS: dict[str, Callable[[Any], bytes]] = {
    "json": lambda tree: json.dumps(tree).encode(),
    "smithy-rpc-v2-cbor": cbor2.dumps,
}


@cache
def trees(name: str) -> st.SearchStrategy[Any]:
    """Return requests with the names of an operation's members, and values of any type.

    Made once for each operation: making it takes longer than an example.
    """
    shape = operation_model(SERVICE, name).input_shape
    names = st.sampled_from(sorted(names_of(shape))) | st.text(max_size=5)
    structures = st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
        max_leaves=12,
    )
    return st.dictionaries(st.sampled_from(sorted(shape.members)), structures, min_size=1)


@pytest.mark.parametrize("name", OPERATIONS[1:])
@modest
@given(data=st.data())
def test_members_of_any_type(botocore: Botocore, name: str, data: st.DataObject) -> None:
    outcome(botocore, WRITERS[botocore.protocol](data.draw(trees(name))), name)
