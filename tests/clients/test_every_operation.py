"""Every SDK reads every answer, and all of them read the same in either protocol."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compute_optimizer.operations import OPERATIONS
from compute_optimizer.scenario.organization import MEMBER_ACCOUNT_IDS
from compute_optimizer.shapes.model import service_model
from tests.clients.conftest import Connector, Service
from tests.clients.foreign import CLIENTS, PROTOCOLS, Call, options_of

pytestmark = pytest.mark.clients

SHOP, BANK = MEMBER_ACCOUNT_IDS
OWNERS = {"GetLicenseRecommendations": BANK}
"""Whose recommendations are read, where the shop has none of a type in a fleet of this size."""

READING = [name for name in OPERATIONS if name.startswith(("Get", "Describe"))]

REFERENCE = "boto3-newest"
OTHERS = ("boto3-newest-cbor", "aiobotocore", "aiobotocore-cbor", "javascript", "javascript-cbor")
"""Clients with a model as new as ours; those without any are in the other tests."""

LISTINGS = {
    "instanceArn": ("GetEC2InstanceRecommendations", "instanceRecommendations"),
    "resourceArn": ("GetRDSDatabaseRecommendations", "rdsDBRecommendations"),
    "serviceArn": ("GetECSServiceRecommendations", "ecsServiceRecommendations"),
}
"""By the member of a request that names a resource: where to find one."""


def request_for(operation: str, call: Call) -> dict[str, Any]:
    """Return a request with what is required, and an account where one may be named."""
    shape = service_model().operation_model(operation).input_shape
    owner = OWNERS.get(operation, SHOP)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    values = {
        "resourceType": "Ec2Instance",
        "stat": "Maximum",
        "period": 3600,
        "startTime": {"$datetime": (midnight - timedelta(days=2)).timestamp()},
        "endTime": {"$datetime": (midnight - timedelta(days=1)).timestamp()},
    }
    asked = {
        name: values[name] if name in values else resource(operation, name, call)
        for name in shape.required_members
    }
    return asked | ({"accountIds": [owner]} if "accountIds" in shape.members else {})


def resource(operation: str, member: str, call: Call) -> str:
    """Return the ARN of a resource that has a recommendation, with options if any has."""
    # Of databases there are projections only; preferences are those of instances.
    wanted = "instanceArn" if operation.endswith("Preferences") else member
    listing, entries = LISTINGS[wanted]
    found = call(listing, {"accountIds": [SHOP]}).response[entries]
    machines = (one for one in found if ":cluster:" not in one[wanted])
    return str(max(machines, key=options_of)[wanted])


@pytest.fixture(scope="session")
def expected(
    analyzed: Service, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """By operation, a request and the answer that the reference reads."""
    folder = tmp_path_factory.mktemp("reference")
    with CLIENTS[REFERENCE](analyzed.endpoint, analyzed.management, folder) as call:
        requests = {name: request_for(name, call) for name in READING}
        return {name: (asked, answer_of(call, name, asked)) for name, asked in requests.items()}


def answer_of(call: Call, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    answer = call(operation, request)
    assert answer.error is None, (operation, answer.response)
    return {name: value for name, value in answer.response.items() if name != "ResponseMetadata"}


@pytest.mark.parametrize("client", OTHERS, indirect=True)
def test_answers_are_the_same_for_every_client(
    client: str,
    analyzed: Service,
    connect: Connector,
    expected: dict[str, tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    call = connect(analyzed, analyzed.management)

    assert call("GetEnrollmentStatus", {}).protocol == PROTOCOLS[client]
    for operation, (request, answer) in expected.items():
        assert answer_of(call, operation, request) == answer, operation


def test_what_is_compared_is_not_empty(
    expected: dict[str, tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    # Nobody has exported or preferred anything here.
    empty = {"DescribeRecommendationExportJobs", "GetRecommendationPreferences"}

    for operation in expected.keys() - empty:
        _, answer = expected[operation]
        assert answer
        for name, value in answer.items():
            assert value or name == "errors" or not isinstance(value, list), (operation, name)
