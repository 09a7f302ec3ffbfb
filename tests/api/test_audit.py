"""The audit log: whole lines, from several writers, and loud when it cannot be written."""

import json
import logging
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import pytest

from compute_optimizer.api.audit import AuditLog, Entry, changes_something, target_accounts

ENTRY = Entry(
    time=datetime(2026, 11, 22, 21, 44, 20, tzinfo=UTC),
    request_id="6f0f5c1e-0000-4000-8000-000000000000",
    operation="UpdateEnrollmentStatus",
    source="192.0.2.7",
    outcome="Success",
    account="111111111111",
    region="us-east-1",
    principal="arn:aws:iam::111111111111:user/ci",
    access_key_id="AKIAIOSFODNN7EXAMPLE",
    targets=("111111111111",),
    parameters={"status": "Active"},
)


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_entry_is_one_line_of_json(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "logs" / "audit.jsonl")
    log.write(ENTRY)
    log.close()

    assert lines(log.path) == [
        {
            "time": "2026-11-22T21:44:20Z",
            "request_id": "6f0f5c1e-0000-4000-8000-000000000000",
            "operation": "UpdateEnrollmentStatus",
            "source": "192.0.2.7",
            "outcome": "Success",
            "account": "111111111111",
            "region": "us-east-1",
            "principal": "arn:aws:iam::111111111111:user/ci",
            "access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "targets": ["111111111111"],
            "parameters": {"status": "Active"},
        }
    ]


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    log.write(ENTRY)
    log.close()

    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_writers_with_their_own_handles_do_not_mix_lines(tmp_path: Path) -> None:
    # As processes do: each has the file open for itself. 1 kB makes torn lines likely, were
    # they possible.
    path = tmp_path / "audit.jsonl"
    long = msgspec.structs.replace(ENTRY, principal="x" * 1000)

    def write_many(_number: int) -> None:
        log = AuditLog(path)
        for _ in range(200):
            log.write(long)
        log.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write_many, range(4)))

    assert [line["principal"] for line in lines(path)] == ["x" * 1000] * 800


def test_several_entries_are_lines_of_one_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, whole, written = AuditLog(tmp_path / "audit.jsonl"), os.write, []

    def write(file: int, data: bytes) -> int:
        written.append(data)
        return whole(file, data)

    entries = [msgspec.structs.replace(ENTRY, source=f"192.0.2.{number}") for number in range(3)]
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", write)
        log.write(*entries)
    log.close()

    assert len(written) == 1
    assert [line["source"] for line in lines(log.path)] == ["192.0.2.0", "192.0.2.1", "192.0.2.2"]


def test_a_restart_goes_on_where_the_file_ends(tmp_path: Path) -> None:
    for _ in range(2):
        log = AuditLog(tmp_path / "audit.jsonl")
        log.write(ENTRY)
        log.close()

    assert len(lines(tmp_path / "audit.jsonl")) == 2


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    log.write(ENTRY)
    log.path.rename(tmp_path / "audit.jsonl.1")
    log.reopen_if_moved()
    log.write(ENTRY)
    log.reopen_if_moved()
    log.write(ENTRY)
    log.close()

    assert len(lines(tmp_path / "audit.jsonl.1")) == 1
    assert len(lines(tmp_path / "audit.jsonl")) == 2


def test_a_file_that_is_moved_away_during_a_write_is_closed_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    log.write(ENTRY)
    log.path.rename(tmp_path / "audit.jsonl.1")
    rotation, whole = Thread(target=log.reopen_if_moved), os.write

    def write_meanwhile(file: int, line: bytes) -> int:
        rotation.start()
        # Time enough to close the file, for one that does not wait.
        rotation.join(0.5)
        return whole(file, line)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", write_meanwhile)
        log.write(ENTRY)
    rotation.join()
    log.close()

    assert len(lines(tmp_path / "audit.jsonl.1")) == 2
    assert lines(log.path) == []
    assert caplog.text == ""


def test_failing_to_write_is_loud_once_and_raises_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "audit.jsonl"
    folder.mkdir()  # A folder where the file should be.
    log = AuditLog(folder)

    with caplog.at_level(logging.CRITICAL):
        for _ in range(3):
            log.write(ENTRY)

    assert [record.levelname for record in caplog.records] == ["CRITICAL"]
    assert str(folder) in caplog.text
    folder.rmdir()
    log.write(ENTRY)
    log.close()
    assert len(lines(folder)) == 1


def test_a_line_that_a_full_disk_cut_short_spoils_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    whole = os.write

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, line: whole(file, line[:20]))
        log.write(ENTRY)
    log.write(ENTRY)
    log.close()

    cut, complete = log.path.read_text().splitlines()
    assert len(cut) == 20
    assert json.loads(complete)["outcome"] == "Success"
    assert "only 20 of" in caplog.text


OWN = "111111111111"


@pytest.mark.parametrize(
    ("request_", "accounts"),
    [
        pytest.param({}, (OWN,), id="no input means the caller"),
        pytest.param({"maxResults": 5}, (OWN,), id="nobody named"),
        pytest.param({"accountIds": ["222222222222"]}, ("222222222222",), id="named"),
        pytest.param(
            {
                "instanceArns": [
                    "arn:aws:ec2:us-east-1:333333333333:instance/i-1",
                    "arn:aws:ec2:us-east-1:222222222222:instance/i-2",
                    "arn:aws:ec2:us-east-1:222222222222:instance/i-3",
                ]
            },
            ("222222222222", "333333333333"),
            id="owners of the resources",
        ),
        pytest.param(
            {"resourceArn": "arn:aws:ec2:us-east-1:222222222222:instance/i-1"},
            ("222222222222",),
            id="owner of one resource",
        ),
        pytest.param(
            {"scope": {"name": "AccountId", "value": "222222222222"}},
            ("222222222222",),
            id="account of a scope",
        ),
        pytest.param(
            {
                "scope": {
                    "name": "ResourceArn",
                    "value": "arn:aws:ec2:us-east-1:222222222222:instance/i-1",
                }
            },
            ("222222222222",),
            id="owner of the resource of a scope",
        ),
        pytest.param(
            {"scope": {"name": "Organization", "value": "ALL_ACCOUNTS"}},
            (OWN,),
            id="an organization names nobody",
        ),
        pytest.param({"instanceArns": ["nonsense", "arn:aws:s3:::bucket"]}, (OWN,), id="no owner"),
    ],
)
def test_targets_are_the_accounts_that_a_request_speaks_of(
    request_: dict[str, Any], accounts: tuple[str, ...]
) -> None:
    assert target_accounts(request_, OWN) == accounts


@pytest.mark.parametrize(
    ("operation", "changes"),
    [
        ("GetEnrollmentStatus", False),
        ("DescribeRecommendationExportJobs", False),
        ("UpdateEnrollmentStatus", True),
        ("ExportEC2InstanceRecommendations", True),
        ("PutRecommendationPreferences", True),
        ("DeleteRecommendationPreferences", True),
    ],
)
def test_operations_that_change_something_are_told_by_their_name(
    operation: str, changes: bool
) -> None:
    assert changes_something(operation) is changes
