"""The front door, from outside: boto3 and raw requests against a running server."""

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.conftest import Served


def test_an_operation_that_is_not_built_yet_is_unknown(served: Served, protocol: str) -> None:
    client = served.client(protocol=protocol)

    with pytest.raises(ClientError) as raised:
        client.get_idle_recommendations()

    assert raised.value.response["Error"]["Code"] == "UnknownOperationException"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert len(raised.value.response["ResponseMetadata"]["RequestId"]) == 36
