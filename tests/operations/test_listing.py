"""What the lists of recommendations share."""

import re

import pytest

from compute_optimizer.emulator.fixed_kinds import KINDS
from compute_optimizer.model.preference_rules import RESOURCE_ARNS
from tests.every_type import SAMPLES

FULL_WIDTH = str.maketrans({str(digit): chr(ord("\uff10") + digit) for digit in range(10)})
"""Digits by Unicode, which no account id has."""

ARNS = [one.resource_arn for one in SAMPLES.values()]
# The sample of databases is of a cluster.
ARNS.append(SAMPLES["RdsDBInstance"].resource_arn.replace(":cluster:", ":db:"))

PATTERNS = {operation: kind.pattern for operation, kind in KINDS.items()}
PATTERNS |= {f"preferences of {name}": arn for name, arn in RESOURCE_ARNS.items()}


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_an_account_has_the_digits_of_ascii(pattern: re.Pattern[str]) -> None:
    found = next(filter(None, map(pattern.fullmatch, ARNS)))

    account = found["account"]
    assert not pattern.fullmatch(found[0].replace(account, account.translate(FULL_WIDTH)))
