"""What the lists of recommendations share."""

import re

import pytest

from compute_optimizer.model.preference_rules import RESOURCE_ARNS
from compute_optimizer.model.resource import AURORA_STORAGE, RDS_DB_INSTANCE
from compute_optimizer.operations import (
    auto_scaling_groups,
    databases,
    ebs_volumes,
    ec2_instances,
    ecs_services,
    idle,
    lambda_functions,
    licenses,
)
from tests.every_type import SAMPLES

LISTINGS = [
    one.LISTING
    for one in (
        auto_scaling_groups,
        databases,
        ebs_volumes,
        ec2_instances,
        ecs_services,
        lambda_functions,
        licenses,
    )
]

FULL_WIDTH = str.maketrans({str(digit): chr(ord("\uff10") + digit) for digit in range(10)})
"""Digits by Unicode, which no account id has."""

OF_TYPES = {name: one.resource_arn for name, one in SAMPLES.items()}
"""ARNs; that of databases is of a cluster."""

OF_PREFERENCES = OF_TYPES | {
    AURORA_STORAGE: OF_TYPES[RDS_DB_INSTANCE],
    RDS_DB_INSTANCE: OF_TYPES[RDS_DB_INSTANCE].replace(":cluster:", ":db:"),
}

PATTERNS = {one.operation: (OF_TYPES[one.resource_type], one.arn) for one in LISTINGS}
PATTERNS |= {
    f"preferences of {name}": (OF_PREFERENCES[name], arn) for name, arn in RESOURCE_ARNS.items()
}
PATTERNS["GetIdleRecommendations"] = (OF_TYPES["Idle"], idle.ARN)


@pytest.mark.parametrize(("good", "arn"), PATTERNS.values(), ids=PATTERNS)
def test_an_account_has_the_digits_of_ascii(good: str, arn: re.Pattern[str]) -> None:
    found = arn.fullmatch(good)

    assert found
    account = found["account"]
    assert not arn.fullmatch(good.replace(account, account.translate(FULL_WIDTH)))
