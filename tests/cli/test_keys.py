"""`compute-optimizer keys`, as somebody types it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from compute_optimizer.cli import app
from compute_optimizer.errors import Conflict, InvalidInput, NotFound


class Keys:
    """Runs `keys` commands on one data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def __call__(self, *words: str) -> str:
        """Run a command and return what it prints; raise the error meant for people."""
        arguments = ["keys", *words, "--data-dir", str(self.data_dir)]
        result = CliRunner().invoke(app, arguments, catch_exceptions=True)
        if isinstance(result.exception, InvalidInput | NotFound | Conflict):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    def json(self, *words: str) -> Any:
        """Run a command with --output json."""
        return json.loads(self(*words, "--output", "json"))


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keys:
    monkeypatch.setenv("COLUMNS", "200")
    return Keys(tmp_path)


CREATE = ("create", "--account", "111111111111", "--name", "ci")
ALLOW = ("--allow", "compute-optimizer:Get*")


def test_a_created_key_is_shown_once_and_listed_without_its_secret(keys: Keys) -> None:
    new = keys.json(*CREATE, *ALLOW)
    (listed,) = keys.json("list")

    assert set(new) == {"Version", "AccessKeyId", "SecretAccessKey"}
    assert listed["accessKeyId"] == new["AccessKeyId"]
    assert listed["status"] == "Active"
    assert listed["lastUsedAt"] is None
    assert listed["policy"]["Statement"] == [
        {"Effect": "Allow", "Action": ["compute-optimizer:Get*"], "Resource": "*"}
    ]
    assert new["SecretAccessKey"] not in json.dumps(listed)


def test_a_created_key_is_printed_as_credentials_files_have_it(keys: Keys) -> None:
    printed = keys(*CREATE, *ALLOW, "--session-token")

    for name in ("aws_access_key_id", "aws_secret_access_key", "aws_session_token"):
        assert f"\n{name} = " in printed


def test_a_policy_comes_from_a_file(keys: Keys, tmp_path: Path) -> None:
    document = {"Statement": {"Effect": "Deny", "Action": "*"}}
    (tmp_path / "policy.json").write_text(json.dumps(document))

    keys(*CREATE, "--policy", str(tmp_path / "policy.json"))

    assert keys.json("list")[0]["policy"] == document


def test_where_there_is_no_key_it_is_said_how_to_make_one(keys: Keys) -> None:
    assert "There is no key: `compute-optimizer keys create`" in keys("list")
    assert "no key of account 222222222222:" in keys("list", "--account", "222222222222")


def test_keys_of_one_account_are_listed(keys: Keys) -> None:
    keys(*CREATE, *ALLOW)
    keys("create", "--account", "222222222222", "--name", "other", *ALLOW)

    assert [key["name"] for key in keys.json("list", "--account", "222222222222")] == ["other"]
    assert "222222222222" in keys("list")


def test_the_life_of_a_key(keys: Keys) -> None:
    new = keys.json(*CREATE, *ALLOW)
    key_id = new["AccessKeyId"]

    rotated = keys.json("rotate", key_id)
    assert rotated["AccessKeyId"] == key_id
    assert rotated["SecretAccessKey"] != new["SecretAccessKey"]
    keys("deactivate", key_id)
    assert keys.json("list")[0]["status"] == "Inactive"
    keys("activate", key_id)
    assert keys.json("list")[0]["status"] == "Active"
    keys("delete", key_id)
    assert keys.json("list") == []


def test_the_expiry_is_a_span_or_a_moment(keys: Keys) -> None:
    keys(*CREATE, *ALLOW, "--expires-at", "2999-01-31T06:00")
    keys(*CREATE, *ALLOW, "--expires-in", "90d")

    moment, span = keys.json("list")
    assert moment["expiresAt"] == "2999-01-31T06:00:00+00:00"
    assert span["expiresAt"] > span["createdAt"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        pytest.param((*CREATE,), "either --policy FILE or --allow ACTION", id="no policy"),
        pytest.param((*CREATE, *ALLOW, "--policy", "x"), "either --policy FILE", id="both"),
        pytest.param((*CREATE, "--allow", "Get*"), "'Get\\*' is no action", id="no action"),
        pytest.param((*CREATE, "--policy", "gone.json"), "gone.json cannot be read", id="no file"),
        pytest.param(
            ("create", "--account", "12", "--name", "ci", *ALLOW),
            "expected 12 digits",
            id="account",
        ),
        pytest.param(
            ("create", "--account", "111111111111", "--name", "a b", *ALLOW),
            "--name 'a b'",
            id="name",
        ),
        pytest.param((*CREATE, *ALLOW, "--expires-in", "soon"), "such as 90d", id="span"),
        pytest.param(
            (*CREATE, *ALLOW, "--expires-in", "9" * 20 + "d"), "such as 90d", id="eternal"
        ),
        pytest.param((*CREATE, *ALLOW, "--expires-in", "0s"), "has passed", id="at once"),
        pytest.param(
            (*CREATE, *ALLOW, "--expires-in", "9999999d"), "beyond the calendar", id="too long"
        ),
        pytest.param((*CREATE, *ALLOW, "--expires-at", "soon"), "is no moment", id="moment"),
        pytest.param((*CREATE, *ALLOW, "--expires-at", "2020-01-01"), "has passed", id="past"),
        pytest.param(
            (*CREATE, *ALLOW, "--expires-in", "1d", "--expires-at", "2999-01-01"),
            "not both",
            id="two expiries",
        ),
    ],
)
def test_bad_input_is_explained_and_makes_no_key(
    keys: Keys, words: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        keys(*words)

    assert keys.json("list") == []


def test_a_policy_file_that_is_not_json_is_explained(keys: Keys, tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text("Allow: *")

    with pytest.raises(InvalidInput, match=r"policy\.json is not JSON"):
        keys(*CREATE, "--policy", str(tmp_path / "policy.json"))


@pytest.mark.parametrize("command", ["rotate", "deactivate", "activate", "delete"])
def test_an_unknown_key_is_named(keys: Keys, command: str) -> None:
    with pytest.raises(NotFound, match="no access key AKIAGONE"):
        keys(command, "AKIAGONE")
