"""`compute-optimizer signin`, as somebody types it."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Type

ACCOUNT = "111111111111"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Operator"
ALLOW = ("signin", "allow", ROLE, "--allow", "compute-optimizer:Get*")


def test_who_is_let_in_is_listed(typed: Type) -> None:
    said = typed(*ALLOW).out
    listed = json.loads(typed("signin", "list", "--output", "json").out)

    assert said == f"{ROLE} may sign in to account {ACCOUNT}.\n"
    assert listed == [
        {
            "principal": ROLE,
            "accountId": ACCOUNT,
            "longestSessionSeconds": 3600,
            "policy": {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": ["compute-optimizer:Get*"], "Resource": "*"}
                ],
            },
        }
    ]
    assert ROLE in typed("signin", "list").out
    assert json.loads(typed("signin", "sessions", "--output", "json").out) == []


def test_where_nobody_is_let_in_that_is_said_and_how_to_change_it(typed: Type) -> None:
    assert "compute-optimizer signin allow" in typed("signin", "list").out
    assert typed("signin", "sessions").out == "No session is open.\n"
    assert json.loads(typed("signin", "list", "--output", "json").out) == []


def test_a_rule_of_the_same_principal_and_account_is_replaced(typed: Type) -> None:
    typed(*ALLOW)
    typed(*ALLOW, "--longest-session", "12h")
    typed(*ALLOW, "--account", "222222222222")

    listed = json.loads(typed("signin", "list", "--output", "json").out)
    assert [(one["accountId"], one["longestSessionSeconds"]) for one in listed] == [
        (ACCOUNT, 43_200),
        ("222222222222", 3600),
    ]


def test_a_rule_is_removed(typed: Type) -> None:
    typed(*ALLOW)

    assert typed("signin", "remove", ROLE).out == "Removed. Sessions ended: 0.\n"

    again = typed("signin", "remove", ROLE)
    assert (again.code, "there is no rule for" in again.err) == (3, True)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("arn:aws:iam::*:role/Operator", "--allow", "*"), "an account of 12 digits, or an ARN"),
        ((ROLE,), "say what is allowed"),
        ((ROLE, "--allow", "everything"), "'everything' is no action"),
        ((ROLE, "--allow", "*", "--account", "12"), "--account '12': expected 12 digits"),
        ((ROLE, "--allow", "*", "--longest-session", "13h"), "15 minutes to 12 hours"),
        ((ROLE, "--allow", "*", "--longest-session", "long"), "--longest-session 'long'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_is_refused(typed: Type, words: tuple[str, ...], text: str) -> None:
    ended = typed("signin", "allow", *words)

    assert ended.code == 2
    assert text in ended.err


def test_the_audit_log_says_who_let_whom_in(typed: Type, tmp_path: Path) -> None:
    typed(*ALLOW)
    typed("signin", "remove", ROLE)

    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]

    assert [line["operation"] for line in lines] == ["signin allow", "signin remove"]
    assert all(line["targets"] == [ACCOUNT] for line in lines)
    assert all(line["parameters"]["principal"] == ROLE for line in lines)
    assert lines[0]["parameters"]["longestSessionSeconds"] == 3600
