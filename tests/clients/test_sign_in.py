"""Clients that sign in through a credential_process hold no key of this service."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import Installation, served
from tests.clients.foreign import ROOT
from tests.sts import Sts

pytestmark = pytest.mark.clients

PROGRAM = "compute_optimizer.api.sign_in.client.command"
"""What `compute-optimizer-credentials` runs."""

NAME = "optimizer.example.com"
ACCOUNT = "111111111111"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Operator"
BOTO3 = (
    "import boto3; session = boto3.session.Session(profile_name='optimizer'); "
    "client = session.client('compute-optimizer', endpoint_url={!r}); "
    "import json; print(json.dumps(client.get_enrollment_status(), default=str))"
)


def command(client: str, endpoint: str) -> list[str]:
    """Return the command of a client that asks for the enrollment with the profile."""
    programs = ROOT / f".venv-{client}" / "bin"
    if client == "client-awscli":
        call = ("compute-optimizer", "get-enrollment-status", "--output", "json")
        named = ("--profile", "optimizer", "--endpoint-url", endpoint)
        return [str(programs / "aws"), *call, *named]
    return [str(programs / "python"), "-c", BOTO3.format(endpoint)]


@pytest.mark.parametrize("client", ["client-awscli", "client-boto3-new", "client-boto3-1.26"])
def test_a_client_signs_in_from_its_configuration(
    client: str,
    tmp_path: Path,
    installation: Installation,
    sts: Sts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COMPUTE_OPTIMIZER_SIGN_IN_NAMES", NAME)
    monkeypatch.setenv("COMPUTE_OPTIMIZER_SIGN_IN_STS_ENDPOINTS", sts.url)
    own = sts.session_of(ROLE)
    with served(installation, tmp_path / "data") as service:
        service.run("signin", "allow", ROLE, "--allow", "compute-optimizer:Get*")
        words = (sys.executable, "-m", PROGRAM, "--profile", "operator")
        where = ("--endpoint", service.endpoint, "--server-name", NAME)
        config = tmp_path / "config"
        config.write_text(
            f"[profile operator]\naws_access_key_id = {own.access_key}\n"
            f"aws_secret_access_key = {own.secret_key}\naws_session_token = {own.token}\n"
            f"[profile optimizer]\nregion = us-east-1\n"
            f"credential_process = {shlex.join([*words, *where])}\n"
        )
        variables = {
            "HOME": str(tmp_path),
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "AWS_CONFIG_FILE": str(config),
            "AWS_ENDPOINT_URL_STS": sts.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }
        ran = subprocess.run(
            command(client, service.endpoint),
            env=variables,
            capture_output=True,
            text=True,
            timeout=120,
        )

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["status"] == "Inactive"
    assert len(sts.asked) == 1
