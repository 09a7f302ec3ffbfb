"""The catalog that the package ships."""

import pytest

from compute_optimizer.catalog import InstanceTypes, load_instance_types


@pytest.fixture(scope="session")
def types() -> InstanceTypes:
    return load_instance_types()
