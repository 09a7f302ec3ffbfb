"""Every error that may be answered reaches botocore with its code, message and status."""

from typing import Any

import pytest
from botocore.model import Shape

from compute_optimizer import shapes
from compute_optimizer.api.errors import FRONT_DOOR, FrontDoorError, RequestRefused
from compute_optimizer.shapes import ServiceException
from compute_optimizer.shapes.model import NAMESPACES, modelled_errors, service_model
from tests.wire.conftest import AUTOMATION, Botocore
from tests.wire.strategies import OPERATIONS, operation_model

MESSAGE = 'what went wrong: \u00fc \u2028 \U0001f600 "quoted" \\ and\nmore'


def raised(service: str, shape: Shape) -> ServiceException:
    """The error of a shape; only the served service has generated classes."""
    if service != AUTOMATION:
        error: ServiceException = getattr(shapes, shape.name)(MESSAGE)
        return error
    error = ServiceException(MESSAGE)
    error.code = shape.name
    error.status = shape.metadata["error"]["httpStatusCode"]
    error.shape_id = f"{NAMESPACES[service]}#{shape.name}"
    return error


def answered(
    botocore: Botocore, error: ServiceException, service: str, name: str
) -> dict[str, Any]:
    encoding = botocore.encoding(service)
    return botocore.response(
        error.status,
        encoding.error_headers(error),
        encoding.encode_error(error),
        operation_model(service, name),
    )


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_every_modelled_error_reaches_botocore(service: str, name: str, botocore: Botocore) -> None:
    operation = operation_model(service, name)
    # Six are common to all operations of the one service, seven to those of the other.
    assert len(operation.error_shapes) >= 6
    for shape in operation.error_shapes:
        parsed = answered(botocore, raised(service, shape), service, name)

        assert parsed["Error"] == {"Code": shape.name, "Message": MESSAGE}
        # botocore adds the members of the modelled shape: it recognized the class.
        assert parsed["message"] == MESSAGE
        status = parsed["ResponseMetadata"]["HTTPStatusCode"]
        assert status == shape.metadata["error"]["httpStatusCode"]


@pytest.mark.parametrize("name", service_model().operation_names)
def test_errors_that_an_operation_may_answer_are_those_of_its_model(name: str) -> None:
    operation = operation_model("compute-optimizer", name)

    assert modelled_errors(name) == {shape.name for shape in operation.error_shapes}


@pytest.mark.parametrize("row", FRONT_DOOR, ids=lambda row: row.code)
def test_every_error_of_the_front_door_reaches_botocore(
    row: FrontDoorError, botocore: Botocore
) -> None:
    parsed = answered(
        botocore, RequestRefused(row), "compute-optimizer", "GetEC2InstanceRecommendations"
    )

    assert parsed["Error"] == {"Code": row.code, "Message": row.message}
    assert parsed["ResponseMetadata"]["HTTPStatusCode"] == row.status
