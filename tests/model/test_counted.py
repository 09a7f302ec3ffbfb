"""Numbers of things as people read them."""

import pytest

from compute_optimizer.model.counted import counted, singular_of
from compute_optimizer.resources import RESOURCE_TYPES


@pytest.mark.parametrize(
    ("number", "plural", "said"),
    [
        (0, "services", "0 services"),
        (1, "services", "1 service"),
        (1_234, "services", "1,234 services"),
        (1, "entries", "1 entry"),
        (1, "NAT gateways", "1 NAT gateway"),
        (1, "databases", "1 database"),
        (1, "series", "1 series"),
    ],
)
def test_one_thing_is_called_otherwise_than_several(number: int, plural: str, said: str) -> None:
    assert counted(number, plural) == said


@pytest.mark.parametrize("plural", [kind.plural for kind in RESOURCE_TYPES])
def test_one_resource_of_each_type_is_in_the_singular(plural: str) -> None:
    assert f"{singular_of(plural)}s" == plural
