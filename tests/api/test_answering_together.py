"""Short calls of one turn: each is answered for itself, by one look at the state and one write."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from compute_optimizer.api.authorization import policy_allowing
from compute_optimizer.api.dispatch import FrontDoor, answer_all
from compute_optimizer.api.messages import Request, Response
from compute_optimizer.app import opened
from compute_optimizer.app.serving import front_door
from compute_optimizer.config import load_settings
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.store import State
from compute_optimizer.store.access_keys import KeyRequest, NewSecret, create_access_key
from compute_optimizer.store.sealing import open_key_file

ACCOUNTS = ("111111111111", "222222222222")


@dataclass(frozen=True)
class Open:
    """An open door, and a key of each account."""

    door: FrontDoor
    keys: tuple[NewSecret, ...]

    def poll(self, account: int) -> Request:
        """Return a signed GetEnrollmentStatus of an account."""
        key = self.keys[account]
        signer = SigV4Auth(
            Credentials(key.access_key_id, key.secret_access_key), "compute-optimizer", "us-east-1"
        )
        headers = {
            "Host": "localhost",
            "X-Amz-Target": "ComputeOptimizerService.GetEnrollmentStatus",
            "Content-Type": "application/x-amz-json-1.0",
        }
        signed = AWSRequest("POST", "http://localhost/", headers=headers, data=b"{}")
        signer.add_auth(signed)
        named = {name.lower().encode(): str(text).encode() for name, text in signed.headers.items()}
        return Request("POST", b"/", b"", named, b"{}", "192.0.2.7")

    def outcomes(self) -> list[tuple[str, str]]:
        """Return account and outcome of each line of the audit log."""
        lines = map(json.loads, self.door.audit_log.path.read_text().splitlines())
        return [(one.get("account", ""), one["outcome"]) for one in lines]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Open]:
    settings = load_settings({"data_dir": tmp_path, "auth": "on"}, environment={})
    with opened(settings) as application:
        sealer = open_key_file(settings.key_file, settings.data_dir)
        policy = policy_allowing(["compute-optimizer:Get*"])
        with application.state.writing() as connection:
            keys = tuple(
                create_access_key(
                    connection, sealer, KeyRequest(account, "ci", policy), application.clock.now()
                )
                for account in ACCOUNTS
            )
        with front_door(application, repeat=lambda steps: nullcontext()) as door:
            yield Open(door, keys)


def statuses(responses: list[Response]) -> list[str]:
    return [json.loads(one.body).get("status", str(one.status)) for one in responses]


def test_each_is_answered_for_itself_and_in_order(here: Open) -> None:
    change_enrollment(here.door.state, here.door.clock, ACCOUNTS[1], "Active")
    advance_enrollments(here.door.state, here.door.clock)
    forged = here.poll(1)
    forged.body = b"{} "

    answers = answer_all(here.door, [here.poll(0), forged, here.poll(1), here.poll(0)])

    assert statuses(answers) == ["Inactive", "403", "Active", "Inactive"]
    assert here.outcomes() == [
        (ACCOUNTS[0], "Success"),
        ("", "InvalidSignatureException"),
        (ACCOUNTS[1], "Success"),
        (ACCOUNTS[0], "Success"),
    ]


def test_all_see_what_another_process_changed_before(here: Open) -> None:
    other = State(here.door.state.url)
    assert statuses(answer_all(here.door, [here.poll(0)])) == ["Inactive"]

    change_enrollment(other, here.door.clock, ACCOUNTS[0], "Active")
    advance_enrollments(other, here.door.clock)
    found = statuses(answer_all(here.door, [here.poll(0), here.poll(0)]))
    other.close()

    assert found == ["Active", "Active"]


def test_each_is_told_where_the_state_cannot_be_asked(here: Open) -> None:
    here.door.state.close()
    answers = answer_all(here.door, [here.poll(0), here.poll(1)])
    assert [one.status for one in answers] == [503, 503]
