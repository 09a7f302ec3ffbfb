"""A running emulator, met by boto3."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from compute_optimizer.emulator.folders import PREFIX, process_folder
from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.emulator.running import emulator
from compute_optimizer.errors import InvalidInput
from tests.waiting import wait_until

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def client_of(running: Emulator, access_key_id: str = "111111111111") -> Any:
    return boto3.client(
        "compute-optimizer",
        endpoint_url=running.url,
        region_name="us-east-1",
        aws_access_key_id=access_key_id,
        aws_secret_access_key="any",
    )


@pytest.fixture
def running() -> Iterator[Emulator]:
    with emulator(clock=START, frozen=True) as one:
        yield one


def test_begins_with_an_account_that_was_never_enrolled(running: Emulator) -> None:
    answer = client_of(running).get_enrollment_status()

    assert answer["status"] == "Inactive"
    assert answer["memberAccountsEnrolled"] is False
    assert "lastUpdatedTimestamp" not in answer


def test_stays_pending_until_a_second_of_its_clock_is_over(running: Emulator) -> None:
    client = client_of(running)
    client.update_enrollment_status(status="Active")
    assert client.get_enrollment_status()["status"] == "Pending"

    running.clock.advance(milliseconds=999)
    assert client.get_enrollment_status()["status"] == "Pending"

    running.clock.advance(milliseconds=1)
    answer = client.get_enrollment_status()
    assert answer["status"] == "Active"
    assert answer["lastUpdatedTimestamp"] == START + timedelta(seconds=1)


def test_settles_at_once_when_told_to(running: Emulator) -> None:
    client = client_of(running)
    client.update_enrollment_status(status="Active")
    running.settle()

    assert client.get_enrollment_status()["status"] == "Active"


def test_goes_on_with_the_machines_time_where_it_is_not_frozen() -> None:
    with emulator() as running:
        client = client_of(running)
        client.update_enrollment_status(status="Active")
        wait_until(lambda: client.get_enrollment_status()["status"] != "Pending")

        assert client.get_enrollment_status()["status"] == "Active"


def test_takes_twelve_digits_for_an_account_and_any_other_key_for_its_own(
    running: Emulator,
) -> None:
    client_of(running, "AKIAIOSFODNN7EXAMPLE").update_enrollment_status(status="Active")
    running.settle()

    assert client_of(running, running.account_id).get_enrollment_status()["status"] == "Active"
    assert client_of(running, "222222222222").get_enrollment_status()["status"] == "Inactive"


def test_two_know_nothing_of_each_other(running: Emulator) -> None:
    with emulator() as other:
        client_of(other).update_enrollment_status(status="Active")
        assert client_of(running).get_enrollment_status()["status"] == "Inactive"


def test_takes_settings_of_the_service() -> None:
    with emulator(settings={"throttle_requests_per_second": 0.001, "throttle_burst": 1}) as running:
        client = client_of(running)
        client.get_enrollment_status()
        client.meta.events.register(
            "needs-retry.compute-optimizer", lambda **_: None, unique_id="seen"
        )
        with pytest.raises(client.exceptions.ThrottlingException):
            client.get_enrollment_status()


@pytest.mark.parametrize("name", ["pagesize", "auth", "data_dir", "port"])
def test_refuses_settings_that_it_does_not_have(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"no setting '{name}'"), emulator(settings={name: "1"}):
        pass


def test_leaves_no_port_and_no_file() -> None:
    with emulator() as running:
        folder, address = running.folder, urlsplit(running.url)
        client_of(running).get_enrollment_status()
        assert folder.is_dir()

    assert not folder.exists()
    with pytest.raises(OSError), socket.create_connection((address.hostname, address.port)):
        pass


def test_leaves_no_port_and_no_file_when_the_test_fails() -> None:
    with pytest.raises(ZeroDivisionError), emulator() as running:
        folder = running.folder
        raise ZeroDivisionError

    assert not folder.exists()


def test_leaves_nothing_when_its_process_is_killed() -> None:
    program = (
        "from compute_optimizer.emulator.running import emulator\n"
        "with emulator() as running:\n"
        "    print(running.folder, flush=True)\n"
        "    input()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        assert folder.is_dir()
        process.kill()

    wait_until(lambda: not folder.parent.exists(), lambda: f"{folder.parent} is still there")
    assert folder.parent.name.startswith(PREFIX)
    assert folder.parent != process_folder()
