"""Which policies would let AWS's own service export to a bucket."""

import json
from dataclasses import replace
from typing import Any

import pytest

from compute_optimizer.sinks.bucket_policy import Attempt, denied_actions

ACCOUNT = "111111111111"
ATTEMPT = Attempt(
    bucket="exports",
    key=f"team-a/compute-optimizer/{ACCOUNT}/us-east-1-file.csv",
    region="us-east-1",
    account_id=ACCOUNT,
    access_list="bucket-owner-full-control",
)

SERVICE = {"Service": "compute-optimizer.amazonaws.com"}
SOURCE = {
    "aws:SourceAccount": ACCOUNT,
    "aws:SourceArn": f"arn:aws:compute-optimizer:us-east-1:{ACCOUNT}:*",
}


def allowing(action: str | list[str], resource: str, **changes: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": SERVICE,
        "Action": action,
        "Resource": f"arn:aws:s3:::{resource}",
        "Condition": {"StringLike": SOURCE},
        **changes,
    }


ACL, STATUS, PUT = "s3:GetBucketAcl", "s3:GetBucketPolicyStatus", "s3:PutObject"
FOLDER = f"exports/team-a/compute-optimizer/{ACCOUNT}/*"
FULL_CONTROL = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}, "StringLike": SOURCE}

BUCKET = allowing([ACL, STATUS], "exports")
OBJECTS = allowing(PUT, FOLDER, Condition=FULL_CONTROL)


def denied(*statements: dict[str, Any]) -> tuple[str, ...]:
    return denied_actions(json.dumps({"Statement": list(statements)}), ATTEMPT)


def test_the_documented_policy_allows_everything() -> None:
    assert denied(allowing(ACL, "exports"), allowing(STATUS, "exports"), OBJECTS) == ()
    assert denied(BUCKET, OBJECTS) == ()


@pytest.mark.parametrize(
    ("statements", "missing"),
    [
        ((), (ACL, STATUS, PUT)),
        ((BUCKET,), (PUT,)),
        ((OBJECTS,), (ACL, STATUS)),
        ((BUCKET, allowing(PUT, "exports/team-b/*")), (PUT,)),
        ((BUCKET, allowing(PUT, "others/*")), (PUT,)),
        ((BUCKET, {**OBJECTS, "Effect": "Deny"}), (PUT,)),
        ((BUCKET, {**OBJECTS, "Principal": {"AWS": "*"}}), (PUT,)),
        ((BUCKET, {**OBJECTS, "Condition": {"StringEquals": {"s3:x-amz-acl": "private"}}}), (PUT,)),
        (
            (BUCKET, {**OBJECTS, "Condition": {"StringEquals": {"aws:SourceAccount": "2" * 12}}}),
            (PUT,),
        ),
        ((BUCKET, {**OBJECTS, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}), (PUT,)),
    ],
)
def test_what_no_statement_allows_is_told(
    statements: tuple[dict[str, Any], ...], missing: tuple[str, ...]
) -> None:
    assert denied(*statements) == missing


def test_wildcards_and_lists_count_as_in_other_policies() -> None:
    wide = allowing("s3:*", "exports")

    assert denied({**wide, "Resource": ["arn:aws:s3:::exports", "arn:aws:s3:::exports/*"]}) == ()


@pytest.mark.parametrize("policy", ["", "no JSON", "{}"])
def test_without_a_policy_nothing_is_allowed(policy: str) -> None:
    assert denied_actions(policy, ATTEMPT) == (ACL, STATUS, PUT)


def test_a_bracket_in_a_prefix_stands_for_itself() -> None:
    folder = "team[a]/compute-optimizer"
    attempt = replace(ATTEMPT, key=f"{folder}/file.csv")
    policy = {"Statement": [BUCKET, allowing(PUT, f"exports/{folder}/*")]}

    assert denied_actions(json.dumps(policy), attempt) == ()
    assert denied_actions(json.dumps(policy), replace(attempt, key="teama/file.csv")) == (PUT,)
