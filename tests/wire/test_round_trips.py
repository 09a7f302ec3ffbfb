"""botocore is the oracle: what it sends we read, and what we send it reads, for every operation."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compute_optimizer.api.protocols import claim
from compute_optimizer.shapes.model import service_model
from tests.wire.conftest import Botocore
from tests.wire.strategies import OPERATIONS, operation_model, requests, responses

modest = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
"""Few examples per operation: there are 51, in two protocols and two directions."""


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
@modest
@given(data=st.data())
def test_what_botocore_sends_is_read_as_it_was_meant(
    service: str, name: str, botocore: Botocore, data: st.DataObject
) -> None:
    operation = operation_model(service, name)
    params = data.draw(requests(service, name))
    if botocore.protocol == "json":
        params = whole_seconds(params)
    sent = botocore.request(params, operation)
    assert botocore.encoding(service).decode(sent["body"], name) == params


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
@modest
@given(data=st.data())
def test_what_we_send_botocore_reads_as_it_was_meant(
    service: str, name: str, botocore: Botocore, data: st.DataObject
) -> None:
    operation = operation_model(service, name)
    response = data.draw(responses(service, name))
    encoding = botocore.encoding(service)
    body = encoding.encode(response, name)
    parsed = botocore.response(200, dict(encoding.headers), body, operation)
    del parsed["ResponseMetadata"]
    assert parsed == response


@pytest.mark.parametrize("name", service_model().operation_names)
def test_botocore_request_is_claimed_for_its_operation(name: str, botocore: Botocore) -> None:
    sent = botocore.request({}, operation_model("compute-optimizer", name))
    headers = {key.lower().encode(): value.encode() for key, value in sent["headers"].items()}
    claimed = claim(sent["method"], sent["url_path"], headers)
    assert (claimed.service, claimed.operation_name) == ("compute-optimizer", name)
    assert claimed.encoding is botocore.encoding("compute-optimizer")


def whole_seconds(value: Any) -> Any:
    """The value as botocore's JSON can send it: its moments have whole seconds only."""
    if isinstance(value, datetime):
        return value.replace(microsecond=0)
    if isinstance(value, dict):
        return {name: whole_seconds(item) for name, item in value.items()}
    if isinstance(value, list):
        return [whole_seconds(item) for item in value]
    return value
