"""A running emulator in the hands of a test, met by boto3."""

from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config

from compute_optimizer.emulator.handles import Emulator

START = datetime(2026, 3, 15, 10, 20, tzinfo=UTC)
"""A Sunday: what emulators of these tests take for the present."""

REGION = "us-east-1"


def client_of(running: Emulator, account_id: str | None = None, region: str = REGION) -> Any:
    """Return a client whose access key id names an account, by default the emulator's own."""
    return boto3.client(
        "compute-optimizer",
        endpoint_url=running.url,
        region_name=region,
        aws_access_key_id=account_id or running.account_id,
        aws_secret_access_key="any",
    )


def client_at(url: str, access_key_id: str = "any") -> Any:
    return boto3.client(
        "compute-optimizer",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=access_key_id,
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )
