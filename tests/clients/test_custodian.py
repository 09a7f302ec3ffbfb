"""Cloud Custodian's policies on EC2 instances filter by recommendations of this service.

The instances are moto's, which plays the rest of AWS; their metrics are imported here. Custodian
asks for all of them at once and reads the first page only.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from compute_optimizer.jobs.demo import metrics_table
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from tests.clients.conftest import Installation, Service, create_key, served, wait_for
from tests.clients.foreign import CLIENTS, REGION, environment, program

pytestmark = pytest.mark.clients

ACCOUNT = "123456789012"
"""Of whoever calls moto."""

CPU = MetricKey("CPUUtilization", Statistic.MAXIMUM)
MEMORY = MetricKey("mem_used_percent", Statistic.MAXIMUM)

LEVELS = {"quiet": 10.0, "fitting": 70.0, "busy": 95.0}
"""Percent of CPU of m7i.xlarge instances: over, as it should be, and under (spec 3.1)."""

DAYS = 14
OVER = {"quiet"}


@pytest.fixture(scope="module")
def instances(s3_url: str) -> dict[str, str]:
    """Run one instance for each level and return their ids by its name."""
    ec2 = boto3.session.Session().client(
        "ec2",
        endpoint_url=s3_url,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    started = ec2.run_instances(
        ImageId=ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"],
        InstanceType="m7i.xlarge",
        MinCount=len(LEVELS),
        MaxCount=len(LEVELS),
    )["Instances"]
    return dict(zip(LEVELS, (one["InstanceId"] for one in started), strict=True))


@pytest.fixture(scope="module")
def service(
    installation: Installation,
    instances: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    """A service that has analyzed the instances."""
    folder = tmp_path_factory.mktemp("custodian")
    with served(installation, folder / "data") as running:
        running.run("accounts", "add", ACCOUNT)
        key = create_key(running.data_dir, ACCOUNT, "compute-optimizer:*")
        with CLIENTS["raw-json"](running.endpoint, key, folder) as call:
            call("UpdateEnrollmentStatus", {"status": "Active"})
            wait_for(call, "Active")
        inventory, metrics = written(folder, instances)
        running.run("import", "--inventory", str(inventory), "--metrics", str(metrics))
        running.run("analyze")
        yield replace(running, management=key)


def written(folder: Path, instances: dict[str, str]) -> tuple[Path, Path]:
    """Write the inventory of the instances, and two weeks of level metrics until yesterday."""
    arns = [f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{one}" for one in instances.values()]
    inventory, metrics = folder / "inventory.csv", folder / "metrics.parquet"
    pa_csv.write_csv(pa.table({"arn": arns, "type": ["m7i.xlarge"] * len(arns)}), inventory)
    last = datetime.now(UTC).date() - timedelta(days=1)
    shape = (len(arns), DAYS * SLOTS_PER_DAY)
    cpu = np.array([LEVELS[name] for name in instances], np.float32)[:, np.newaxis]
    series = {
        CPU: np.broadcast_to(cpu, shape).copy(),
        # As much as keeps other types of the same size from being cheaper.
        MEMORY: np.full(shape, 70, np.float32),
    }
    window = Window(last - timedelta(days=DAYS - 1), last)
    pq.write_table(metrics_table(ShardSamples(tuple(arns), window, series)), metrics)
    return inventory, metrics


Custodian = Callable[[dict[str, Any]], dict[str, dict[str, Any]]]
"""From the filter of a policy to what it matched, by the name of the level."""


@pytest.fixture
def custodian(
    service: Service, instances: dict[str, str], s3_url: str, tmp_path: Path
) -> Custodian:
    """How Custodian runs a policy here."""
    names = {identity: name for name, identity in instances.items()}
    variables = environment(s3_url, service.management, tmp_path)

    def run(asked: dict[str, Any]) -> dict[str, dict[str, Any]]:
        wanted = {"type": "compute-optimizer"} | asked
        policies = {"policies": [{"name": "sized", "resource": "aws.ec2", "filters": [wanted]}]}
        (tmp_path / "policy.json").write_text(json.dumps(policies))
        done = subprocess.run(
            [
                program("client-c7n", "custodian"),
                "run",
                f"--region={REGION}",
                f"--output-dir={tmp_path / 'out'}",
                str(tmp_path / "policy.json"),
            ],
            env=variables | {"AWS_ENDPOINT_URL_COMPUTE_OPTIMIZER": service.endpoint},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        found = json.loads((tmp_path / "out" / "sized" / "resources.json").read_text())
        return {names[one["InstanceId"]]: one for one in found if one["InstanceId"] in names}

    return run


def recommended(one: dict[str, Any]) -> dict[str, Any]:
    """Return the recommendation that Custodian keeps with an instance."""
    (found,) = one["c7n:ComputeOptimizerRecommendations"]
    return dict(found)


def test_every_instance_gets_its_recommendation(custodian: Custodian) -> None:
    found = custodian({"key": "accountId", "value": ACCOUNT})

    findings = {name: recommended(one)["finding"] for name, one in found.items()}
    assert findings == {
        "quiet": "OVER_PROVISIONED",
        "fitting": "OPTIMIZED",
        "busy": "UNDER_PROVISIONED",
    }


def test_policy_matches_what_a_recommendation_says(custodian: Custodian) -> None:
    found = custodian({"key": "finding", "value": "OVER_PROVISIONED"})

    assert found.keys() == OVER


def test_policy_has_the_service_filter(custodian: Custodian) -> None:
    found = custodian({"filters": {"Finding": ["Overprovisioned"]}})

    assert found.keys() == OVER


def test_policy_prefers_arm(custodian: Custodian) -> None:
    arm = {"cpuVendorArchitectures": ["AWS_ARM64"]}
    found = custodian(
        {
            "filters": {"Finding": ["Overprovisioned"]},
            "recommendation-preferences": arm,
            "key": "length(recommendationOptions)",
            "op": "gt",
            "value": 0,
        }
    )

    options = recommended(found["quiet"])["recommendationOptions"]
    # Families of Graviton have a g after their generation.
    assert all(re.match(r"[a-z]+\dg", option["instanceType"]) for option in options)
