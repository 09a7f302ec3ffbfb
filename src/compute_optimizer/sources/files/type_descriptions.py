"""Descriptions of instance types in a file, as `aws ec2 describe-instance-types` prints them."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from compute_optimizer.catalog.described_types import described
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.described_type import DescribedType

LIST = "InstanceTypes"
"""The member that holds them."""


def read_descriptions(path: str, region: str, day: date) -> list[DescribedType]:
    """Return the types of a file, which is what EC2 answered in a Region.

    Raises InvalidInput for a file that is none of that.
    """
    expected = f'expected JSON with a list "{LIST}", as `aws ec2 describe-instance-types` prints it'
    try:
        told: Any = json.loads(Path(path).expanduser().read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}; {expected}") from error
    items = told.get(LIST) if isinstance(told, dict) else None
    if not isinstance(items, list) or not items:
        raise InvalidInput(f"{path} has no instance types; {expected}")
    try:
        return [described(item, region, day) for item in items]
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}") from error
