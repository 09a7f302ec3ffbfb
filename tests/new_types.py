"""Instance types that came after the package: copies of known ones under newer names.

moto's EC2 is imported by the tests that need it: it reads its machine images, which takes a second.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest


def description(name: str, like: str, **changed: Any) -> dict[str, Any]:
    """Return what EC2 would say of a type that is like a known one but for some members."""
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    return {**deepcopy(INSTANCE_TYPES[like]), "InstanceType": name, **changed}


NEWER = {"m20i.large": "m8i.large", "m20i.2xlarge": "m8i.2xlarge"}
"""Types of a generation that is not there yet, and what they are like."""


@pytest.fixture
def newer_ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An EC2, of moto, that has types which the package does not ship."""
    from moto.ec2.models.instance_types import INSTANCE_TYPES, InstanceType, InstanceTypeBackend

    known = list(InstanceTypeBackend.instance_types)
    for name, like in NEWER.items():
        monkeypatch.setitem(INSTANCE_TYPES, name, description(name, like))
        known.append(InstanceType(name))
    monkeypatch.setattr(InstanceTypeBackend, "instance_types", known)
    yield
