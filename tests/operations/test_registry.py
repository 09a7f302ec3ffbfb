"""Every operation of the model is either built or known not to be."""

from compute_optimizer.operations import NOT_YET, OPERATIONS
from compute_optimizer.shapes.model import service_model


def test_built_and_missing_operations_are_those_of_the_model() -> None:
    assert sorted([*OPERATIONS, *NOT_YET]) == sorted(service_model().operation_names)


def test_missing_operations_are_listed_by_name() -> None:
    assert list(NOT_YET) == sorted(NOT_YET)
