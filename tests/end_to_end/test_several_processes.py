"""Several processes on one port: what one has answered, every other one knows."""

import http.client
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from time import monotonic

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from compute_optimizer.api.authorization import policy_allowing
from compute_optimizer.app import opened
from compute_optimizer.config import load_settings
from compute_optimizer.store.access_keys import KeyRequest, NewSecret, create_access_key
from compute_optimizer.store.sealing import open_key_file
from tests.serving import serving

ACCOUNT = "111111111111"
PROCESSES = 3
CONNECTIONS = 24
"""Dealt out by the kernel: that one of three processes has none happens once in 5,600 runs."""

ROUNDS = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder for all tests of the module."""
    return tmp_path_factory.mktemp("processes")


@pytest.fixture(scope="module")
def key(folder: Path) -> NewSecret:
    settings = load_settings({"data_dir": folder}, environment={})
    with opened(settings) as application, application.state.writing() as connection:
        sealer = open_key_file(settings.key_file, settings.data_dir)
        wanted = KeyRequest(ACCOUNT, "ci", policy_allowing(["compute-optimizer:*"]))
        return create_access_key(connection, sealer, wanted, application.clock.now())


@pytest.fixture(scope="module")
def host(folder: Path, key: NewSecret) -> Iterator[str]:
    """Serve with several processes; return host and port.

    Once: signatures that fail use up what is left to those that fail, and to no good ones.
    """
    with serving(folder, "--processes", str(PROCESSES)) as (found, _):
        yield found


def answer_on(connection: http.client.HTTPConnection, host: str, key: NewSecret) -> tuple[int, str]:
    """Return what a signed GetEnrollmentStatus on a kept-alive connection is answered."""
    headers = {"Host": host, "X-Amz-Target": "ComputeOptimizerService.GetEnrollmentStatus"}
    request = AWSRequest("POST", f"http://{host}/", headers=headers, data=b"{}")
    credentials = Credentials(key.access_key_id, key.secret_access_key)
    SigV4Auth(credentials, "compute-optimizer", "us-east-1").add_auth(request)
    connection.request("POST", "/", b"{}", dict(request.headers.items()))
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def status_on(connection: http.client.HTTPConnection, host: str, key: NewSecret) -> str:
    """Return the status that a signed GetEnrollmentStatus shows."""
    status, body = answer_on(connection, host, key)
    assert status == 200, body
    found = re.search(r'"status":"(\w+)"', body)
    assert found, body
    return found[1]


def test_no_process_shows_an_enrollment_older_than_the_last_answer(
    host: str, key: NewSecret
) -> None:
    client = boto3.client(
        "compute-optimizer",
        endpoint_url=f"http://{host}",
        region_name="us-east-1",
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}),
    )
    with ExitStack() as stack:
        connections = [http.client.HTTPConnection(host) for _ in range(CONNECTIONS)]
        for connection in connections:
            stack.callback(connection.close)
        for number in range(ROUNDS):
            wanted = ("Active", "Inactive")[number % 2]
            client.update_enrollment_status(status=wanted)
            shown = {status_on(one, host, key) for one in connections}
            # An opt-in is Pending until it has been checked, and may become Active on the way.
            assert shown <= ({"Pending", "Active"} if wanted == "Active" else {"Inactive"})


def test_all_processes_together_let_as_many_failed_signatures_pass_as_one(
    host: str, key: NewSecret
) -> None:
    forged = replace(key, secret_access_key="guessed")
    began = monotonic()
    with ExitStack() as stack:
        connections = [http.client.HTTPConnection(host) for _ in range(CONNECTIONS)]
        for connection in connections:
            stack.callback(connection.close)
        # 96 attempts: no process is sent more than the 60 a minute that are allowed by default.
        statuses = [answer_on(one, host, forged)[0] for one in connections for _ in range(4)]
    # One a second comes back while they are sent.
    came_back = monotonic() - began

    assert set(statuses) == {403, 429}
    assert 60 <= statuses.count(403) <= 60 + came_back + 1
