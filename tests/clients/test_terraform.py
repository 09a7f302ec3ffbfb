"""Terraform's provider for AWS against an emulator: both resources, through what can go wrong."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import pytest

from compute_optimizer.emulator.environment import environment_of
from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.emulator.running import emulator
from compute_optimizer.jobs.organization import add_accounts, make_metrics_unreadable
from compute_optimizer.jobs.organization_file import apply_file
from compute_optimizer.store.enrollments import opted_in_accounts
from tests.local_terraform import RUN_SECONDS, Terraform, terraform_in

pytestmark = pytest.mark.clients

MODULE = Path(__file__).parents[2] / "examples" / "terraform"
ENROLLMENT = "aws_computeoptimizer_enrollment_status.this"
ACCOUNT = "123456789012"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)

THREE_ACCOUNTS = f"""\
organizations:
  - management_account_id: "{ACCOUNT}"
    accounts:
      - account_id: "111111111111"
      - account_id: "222222222222"
"""


@pytest.fixture(scope="module")
def initialized(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """The module of the example, after `terraform init`."""
    folder = tmp_path_factory.mktemp("terraform") / "module"
    shutil.copytree(MODULE, folder)
    terraform = terraform_in(folder)
    terraform.run("init", "-input=false")
    return terraform


@pytest.fixture
def module(initialized: Terraform) -> Iterator[Terraform]:
    """The module of the example, of which nothing is applied."""
    yield initialized
    for left in initialized.folder.glob("terraform.tfstate*"):
        left.unlink()


def led_to(running: Emulator, module: Terraform) -> Terraform:
    """Return Terraform in the environment that an emulator tells."""
    told = environment_of(running.url, running.account_id)
    return replace(module, environment={**module.environment, **told})


def client_of(running: Emulator) -> Any:
    return boto3.client(
        "compute-optimizer",
        endpoint_url=running.url,
        region_name="us-east-1",
        aws_access_key_id=running.account_id,
        aws_secret_access_key="any",
    )


@contextmanager
def applying(module: Terraform) -> Iterator["subprocess.Popen[str]"]:
    """Start `terraform apply`, which is killed at the end where it still runs."""
    with subprocess.Popen(
        [module.program, "apply", "-input=false", "-auto-approve", "-no-color"],
        cwd=module.folder,
        env=dict(module.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def answers_of(running: Emulator, operation: str) -> Mapping[str, float]:
    """Return how often an operation was answered, by HTTP status."""
    with urlopen(f"{running.url}/metrics") as response:
        text = response.read().decode()
    name = "compute_optimizer_request_seconds_count"
    lines = re.findall(rf"^{name}{{(.*)}} (.*)$", text, re.MULTILINE)
    counts = [(dict(re.findall(r'(\w+)="([^"]*)"', labels)), float(n)) for labels, n in lines]
    return {labels["status"]: n for labels, n in counts if labels["operation"] == operation}


def waited(until: Any, seconds: float = RUN_SECONDS) -> None:
    """Wait until something is so."""
    latest = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < latest
        time.sleep(0.1)


def test_enrollment_is_applied_imported_and_opted_out(module: Terraform) -> None:
    with emulator() as running:
        terraform, client = led_to(running, module), client_of(running)
        terraform.apply()
        assert client.get_enrollment_status()["status"] == "Active"
        assert not terraform.has_changes()

        terraform.run("state", "rm", ENROLLMENT)
        terraform.run("import", "-input=false", ENROLLMENT, ACCOUNT)
        assert not terraform.has_changes()

        # The provider only forgets the resource: opting out is `status = "Inactive"`.
        terraform.apply(status="Inactive")
        assert client.get_enrollment_status()["status"] == "Inactive"
        assert not terraform.has_changes(status="Inactive")


def test_enrollment_includes_members(module: Terraform, tmp_path: Path) -> None:
    (tmp_path / "organization.yaml").write_text(THREE_ACCOUNTS)
    with emulator() as running:
        organization = running.application.state, running.clock, tmp_path / "organization.yaml"
        apply_file(*organization)
        terraform = led_to(running, module)

        outputs = terraform.apply(include_member_accounts="true")

        answer = client_of(running).get_enrollment_status()
        assert (answer["status"], answer["memberAccountsEnrolled"]) == ("Active", True)
        assert outputs == {"members_opted_in": 2}
        assert not terraform.has_changes(include_member_accounts="true")


def test_preferences_are_applied_changed_and_taken_away(module: Terraform) -> None:
    with emulator() as running:
        terraform, client = led_to(running, module), client_of(running)
        given = {"preferred_types": json.dumps(["m5.xlarge", "m6i.xlarge"])}
        scope = {"name": "AccountId", "value": ACCOUNT}

        def stated() -> list[dict[str, Any]]:
            found = client.get_recommendation_preferences(resourceType="Ec2Instance", scope=scope)
            details: list[dict[str, Any]] = found["recommendationPreferencesDetails"]
            return details

        terraform.apply(**given)
        (one,) = stated()
        assert sorted(one["preferredResources"][0]["includeList"]) == ["m5.xlarge", "m6i.xlarge"]
        assert not terraform.has_changes(**given)

        wider = given | {"headroom": "PERCENT_30"}
        terraform.apply(**wider)
        (one,) = stated()
        (cpu,) = one["utilizationPreferences"]
        assert cpu["metricParameters"] == {"threshold": "P95", "headroom": "PERCENT_30"}
        assert not terraform.has_changes(**wider)

        terraform.destroy(**wider)
        assert stated() == []


def test_it_waits_for_what_is_pending_until_the_clock_is_moved(module: Terraform) -> None:
    with emulator(clock=START, frozen=True) as running:
        terraform = led_to(running, module)
        with applying(terraform) as process:
            # Twice: it asked, heard Pending, and asks again.
            waited(lambda: answers_of(running, "GetEnrollmentStatus").get("200", 0) >= 2)
            assert client_of(running).get_enrollment_status()["status"] == "Pending"
            assert process.poll() is None

            running.clock.advance(seconds=1)

            said, _ = process.communicate(timeout=RUN_SECONDS)
        assert process.returncode == 0, said
        assert not terraform.has_changes()


def test_it_goes_on_after_throttling(module: Terraform) -> None:
    slow = {"throttle_requests_per_second": 0.2, "throttle_burst": 1}
    with emulator(settings=slow) as running:
        led_to(running, module).apply()

        assert answers_of(running, "GetEnrollmentStatus")["429"] > 0
        with running.application.state.reading() as connection:
            assert opted_in_accounts(connection) == {ACCOUNT}


def test_it_tells_why_an_enrollment_failed(module: Terraform) -> None:
    with emulator() as running:
        add_accounts(running.application.state, running.clock, [ACCOUNT])
        make_metrics_unreadable(running.application.state, ACCOUNT, True)
        with applying(led_to(running, module)) as process:
            said, _ = process.communicate(timeout=RUN_SECONDS)

        assert process.returncode == 1
        assert "Failed to create service-linked role" in " ".join(said.split())
