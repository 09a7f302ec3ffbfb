"""Constraints that only the automation model, or no model yet, has; the same walk checks them."""

from typing import Any

import pytest
from botocore.model import Shape

from compute_optimizer.api.protocols.input_walk import NotAsModelled, compile_reader, finite
from compute_optimizer.shapes import InvalidParameterValueException
from tests.wire.conftest import AUTOMATION, Botocore
from tests.wire.strategies import operation_model

ACCOUNT = "111111111111"
EVENT = "0123456789abcDEF"

RULE = {
    "name": "rule",
    "ruleType": "AccountRule",
    "recommendedActionTypes": ["UpgradeEbsVolumeType"],
    "schedule": {},
    "status": "Active",
}
"""The required members of an automation rule."""


def members_of_rule(**members: Any) -> dict[str, Any]:
    return {**RULE, **members}


def accounts_of_rule(count: int) -> dict[str, Any]:
    return members_of_rule(organizationConfiguration={"accountIds": [ACCOUNT] * count})


def event(identity: str) -> dict[str, Any]:
    return {"eventId": identity}


def read(botocore: Botocore, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    sent = botocore.request(params, operation_model(AUTOMATION, operation))
    return botocore.encoding(AUTOMATION).decode(sent["body"], operation)


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("GetAutomationEvent", event(EVENT)),
        ("CreateAutomationRule", accounts_of_rule(1)),
        ("CreateAutomationRule", accounts_of_rule(50)),
        ("CreateAutomationRule", members_of_rule(name="")),
        ("CreateAutomationRule", members_of_rule(name="n" * 128)),
    ],
)
def test_values_at_the_bounds_are_allowed(
    botocore: Botocore, operation: str, params: dict[str, Any]
) -> None:
    request = read(botocore, operation, params)

    assert {name: request[name] for name in params} == params


@pytest.mark.parametrize(
    ("operation", "params", "message"),
    [
        ("GetAutomationEvent", event(EVENT + "x"), "eventId: expected text that matches "),
        ("GetAutomationEvent", event("x" + EVENT), "eventId: expected text that matches "),
        ("GetAutomationEvent", event(EVENT + "\n"), "eventId: expected text that matches "),
        (
            "CreateAutomationRule",
            accounts_of_rule(0),
            "organizationConfiguration.accountIds: expected 1 to 50 entries, got 0",
        ),
        (
            "CreateAutomationRule",
            accounts_of_rule(51),
            "organizationConfiguration.accountIds: expected 1 to 50 entries, got 51",
        ),
        (
            "CreateAutomationRule",
            members_of_rule(name="n" * 129),
            "name: expected 0 to 128 characters, got ",
        ),
        (
            "CreateAutomationRule",
            members_of_rule(tags=[{"key": "", "value": ""}]),
            "tags[0].key: expected 1 to 128 characters, got ''",
        ),
    ],
)
def test_values_beyond_the_bounds_are_refused_with_their_place(
    botocore: Botocore, operation: str, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidParameterValueException) as refused:
        read(botocore, operation, params)

    assert refused.value.message.startswith(message)


@pytest.mark.parametrize(("value", "allowed"), [(0, True), (1.5, True), (-0.1, False), (2, False)])
def test_bounds_of_doubles_hold(value: float, allowed: bool) -> None:
    reader = compile_reader(Shape("Share", {"type": "double", "min": 0, "max": 1.5}), finite, {})

    if allowed:
        assert reader(value) == value
    else:
        with pytest.raises(NotAsModelled, match=r"expected 0 to 1\.5"):
            reader(value)
