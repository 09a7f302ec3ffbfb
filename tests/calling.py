"""Programs that call an emulator: boto3 in both protocols, and a fleet for it to tell of."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.operations.enrollment import change_enrollment
from tests.stored_fleets import LAST_DAY, store_fleet

ACCOUNT = "111111111111"
OTHER = "222222222222"
REGION = "us-east-1"

AFTER_LAST_DAY = datetime.combine(LAST_DAY, datetime.min.time(), UTC) + timedelta(days=1, hours=6)
"""A time at which the fleet's last day is over."""

Connect = Callable[..., Any]
"""From an emulator to a client of it; options as in `connecting`."""


@pytest.fixture(scope="session")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A botocore session for each protocol: a file of extras makes the same client speak CBOR."""
    extras = tmp_path_factory.mktemp("botocore-cbor")
    folder = extras / "compute-optimizer" / "2019-11-01"
    folder.mkdir(parents=True)
    merge = {"metadata": {"protocols": ["smithy-rpc-v2-cbor"]}}
    (folder / "service-2.sdk-extras.json").write_text(json.dumps({"version": 1.0, "merge": merge}))
    found: dict[str, Any] = {name: botocore.session.Session() for name in ("json", "cbor")}
    found["cbor"].get_component("data_loader").search_paths.insert(0, str(extras))
    return found


@pytest.fixture(params=["json", "cbor"])
def connect(request: pytest.FixtureRequest, sessions: dict[str, Any]) -> Connect:
    """Make clients that speak each protocol in turn."""
    return connecting(sessions[request.param])


def connecting(session: Any) -> Connect:
    """Return what makes clients; they try each call once where `attempts` says nothing else."""

    def connect(
        running: Emulator,
        account: str = ACCOUNT,
        *,
        attempts: int = 1,
        region: str = REGION,
        **options: Any,
    ) -> Any:
        retries = {"total_max_attempts": attempts, "mode": "standard"}
        return session.create_client(
            "compute-optimizer",
            endpoint_url=running.url,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="any",
            config=Config(retries=retries, **options),
        )

    return connect


def analyze_fleet(running: Emulator, machines: int = 3, account: str = ACCOUNT) -> list[str]:
    """Opt an account in, store some quiet machines, analyze them and return their ARNs.

    The emulator's clock must have come to AFTER_LAST_DAY.
    """
    state = running.application.state
    change_enrollment(state, running.clock, account, "Active")
    running.settle()
    fleet = store_fleet(state, running.tiles, account, cpu=[5.0 + one for one in range(machines)])
    running.analyze()
    return [one.arn for one in fleet]
