"""Commands that enroll or change somebody stand in the audit log, without secrets."""

import getpass
import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Type

ACCOUNT = "111111111111"


def lines(data_dir: Path) -> list[dict[str, Any]]:
    log = data_dir / "audit.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def test_an_enrollment_by_command_says_who_and_whom(tmp_path: Path, typed: Type) -> None:
    typed("accounts", "enroll", ACCOUNT)

    (line,) = lines(tmp_path)
    assert line["operation"] == "accounts enroll"
    assert (line["source"], line["outcome"]) == ("command line", "Success")
    assert line["principal"] == getpass.getuser()
    assert line["targets"] == [ACCOUNT]
    assert line["parameters"] == {"status": "Active", "includeMemberAccounts": False}


def test_a_change_of_the_organization_says_what_changed_and_none_says_nothing(
    tmp_path: Path, typed: Type
) -> None:
    typed("accounts", "set-management", ACCOUNT)
    typed("accounts", "set-management", ACCOUNT)

    (line,) = lines(tmp_path)
    assert line["operation"] == "accounts set-management"
    assert f"o-{ACCOUNT}: management_account_id is {ACCOUNT}" in line["parameters"]["changes"]


def test_changes_of_keys_are_recorded_without_their_secrets(tmp_path: Path, typed: Type) -> None:
    created = ("keys", "create", "--account", ACCOUNT, "--name", "ci", "--allow", "*")
    made = json.loads(typed(*created, "--output", "json").out)
    key = made["AccessKeyId"]
    rotated = json.loads(typed("keys", "rotate", key, "--output", "json").out)
    for command in ("deactivate", "activate", "delete"):
        typed("keys", command, key)

    assert [line["operation"] for line in lines(tmp_path)] == [
        "keys create",
        "keys rotate",
        "keys deactivate",
        "keys activate",
        "keys delete",
    ]
    assert all(key in line["targets"] for line in lines(tmp_path))
    log = (tmp_path / "audit.jsonl").read_text()
    assert made["SecretAccessKey"] not in log
    assert rotated["SecretAccessKey"] not in log


def test_reading_and_refused_commands_leave_no_line(tmp_path: Path, typed: Type) -> None:
    typed("accounts", "list")
    typed("keys", "list")
    typed("keys", "delete", "AKIANOBODY")

    assert lines(tmp_path) == []
