"""Every operation of the model is built."""

from compute_optimizer.operations import OPERATIONS
from compute_optimizer.shapes.model import service_model


def test_the_operations_are_those_of_the_model() -> None:
    assert sorted(OPERATIONS) == sorted(service_model().operation_names)
