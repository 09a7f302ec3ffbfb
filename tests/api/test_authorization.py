"""Policy documents: what they allow, and which ones are refused when a key is made."""

import json
from typing import Any

import pytest

from compute_optimizer.api.authorization import (
    Decision,
    decide,
    explain_denial,
    parse_policy,
    policy_allowing,
)
from compute_optimizer.errors import InvalidInput

GET = "compute-optimizer:GetEnrollmentStatus"
UPDATE = "compute-optimizer:UpdateEnrollmentStatus"

ALLOWED, DENIED, NOT_ALLOWED = Decision.ALLOWED, Decision.DENIED, Decision.NOT_ALLOWED


def allow(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"} | more


def deny(*actions: str) -> dict[str, Any]:
    return allow(*actions, Effect="Deny")


@pytest.mark.parametrize(
    ("statements", "action", "decision"),
    [
        pytest.param([allow(GET)], GET, ALLOWED, id="named"),
        pytest.param([allow(GET)], UPDATE, NOT_ALLOWED, id="another is named"),
        pytest.param([allow("*")], UPDATE, ALLOWED, id="everything"),
        pytest.param([allow("compute-optimizer:*")], UPDATE, ALLOWED, id="the whole service"),
        pytest.param([allow("ec2:*")], GET, NOT_ALLOWED, id="another service"),
        pytest.param([allow("compute-optimizer:Get*")], GET, ALLOWED, id="wildcard at the end"),
        pytest.param([allow("compute-optimizer:Get*")], UPDATE, NOT_ALLOWED, id="wildcard misses"),
        pytest.param([allow("compute-optimizer:*Status")], UPDATE, ALLOWED, id="wildcard in front"),
        pytest.param([allow("compute-optimizer:*Enroll*")], UPDATE, ALLOWED, id="two wildcards"),
        pytest.param(
            [allow("compute-optimizer:?etEnrollmentStatus")], GET, ALLOWED, id="one character"
        ),
        pytest.param(
            [allow("compute-optimizer:?GetEnrollmentStatus")], GET, NOT_ALLOWED, id="not none"
        ),
        pytest.param([allow(GET.upper())], GET, ALLOWED, id="case does not matter"),
        pytest.param([allow("compute-optimizer:Get")], GET, NOT_ALLOWED, id="no prefix match"),
        pytest.param([allow("*"), deny(GET)], GET, DENIED, id="deny wins"),
        pytest.param([deny(GET), allow("*")], GET, DENIED, id="deny wins in any order"),
        pytest.param([deny(GET), allow("*")], UPDATE, ALLOWED, id="deny of another"),
        pytest.param([deny(UPDATE)], GET, NOT_ALLOWED, id="deny alone allows nothing"),
        pytest.param(
            [{"Effect": "Allow", "NotAction": [UPDATE]}], GET, ALLOWED, id="all but another"
        ),
        pytest.param(
            [{"Effect": "Allow", "NotAction": UPDATE}], UPDATE, NOT_ALLOWED, id="all but this"
        ),
        pytest.param(
            [allow("*"), {"Effect": "Deny", "NotAction": "compute-optimizer:Get*"}],
            UPDATE,
            DENIED,
            id="deny all but reading",
        ),
    ],
)
def test_decision(statements: list[dict[str, Any]], action: str, decision: Decision) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})

    assert decide(document, action) is decision


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"Statement": allow(GET)}, id="one statement without a list"),
        pytest.param({"Statement": [{"Effect": "Allow", "Action": GET}]}, id="one action as text"),
        pytest.param(
            {"Id": "x", "Statement": [allow(GET, Sid="Read", Resource=["*"])]}, id="named parts"
        ),
        pytest.param({"Version": "2008-10-17", "Statement": [allow(GET)]}, id="older version"),
        pytest.param(policy_allowing([GET]), id="made from patterns"),
    ],
)
def test_spellings_of_the_same_policy(document: dict[str, Any]) -> None:
    policy = parse_policy(document)

    assert policy.decide(GET) is ALLOWED
    assert policy.decide(UPDATE) is NOT_ALLOWED


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param([], "expected a JSON object", id="a list"),
        pytest.param({}, "Statement must be", id="no statement"),
        pytest.param({"Statement": []}, "Statement must be", id="no statements"),
        pytest.param({"Statement": "Allow"}, "Statement must be", id="text"),
        pytest.param({"Statement": ["Allow"]}, "statement 1 must be", id="text in the list"),
        pytest.param({"statement": [allow(GET)]}, "statement is not supported", id="misspelled"),
        pytest.param({"Version": "2026", "Statement": [allow(GET)]}, "Version '2026'", id="year"),
        pytest.param({"Statement": [allow(GET, Effect="allow")]}, "Effect must be", id="effect"),
        pytest.param({"Statement": [{"Action": GET}]}, "Effect must be", id="no effect"),
        pytest.param(
            {"Statement": [allow(GET), {"Effect": "Allow"}]},
            "statement 2 needs either Action or NotAction",
            id="no action",
        ),
        pytest.param(
            {"Statement": [allow(GET, NotAction=GET)]}, "either Action or NotAction", id="both"
        ),
        pytest.param({"Statement": [allow()]}, "expected an action", id="empty list"),
        pytest.param({"Statement": [allow("Get*")]}, "'Get\\*' is no action", id="no service"),
        pytest.param({"Statement": [allow(7)]}, "7 is no action", id="a number"),  # type: ignore[arg-type] # what a file may hold
        pytest.param(
            {"Statement": [allow(GET, Resource="arn:aws:ec2:::instance/i-1")]},
            "no resource-level permissions",
            id="resource",
        ),
        pytest.param(
            {"Statement": [allow(GET, Condition={"Bool": {}})]},
            "Condition is not supported",
            id="condition, which must not be ignored",
        ),
    ],
)
def test_a_document_that_cannot_be_honoured_is_refused(document: Any, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        parse_policy(document)


def test_the_denial_names_who_wanted_what_and_why_not() -> None:
    arn = "arn:aws:iam::111111111111:user/ci"
    start = f"User: {arn} is not authorized to perform: {GET} on resource: * "

    because = f"because no identity-based policy allows the {GET} action"
    assert explain_denial(NOT_ALLOWED, arn, GET) == start + because
    because = "with an explicit deny in an identity-based policy"
    assert explain_denial(DENIED, arn, GET) == start + because
