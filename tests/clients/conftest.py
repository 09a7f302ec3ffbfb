"""A served process for the foreign clients: real commands, real port, signatures verified."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep

import pytest

from compute_optimizer.jobs.demo import DemoFiles, write_demo_files
from compute_optimizer.scenario.organization import MANAGEMENT_ACCOUNT_ID, MEMBER_ACCOUNT_IDS
from tests.clients.foreign import CLIENTS, NODE_VENV, ROOT, Call, Key
from tests.lacking import lacking

FLEET_SIZE = 100
"""Instances: enough for each account to have something of most types, and for idle ones."""
PROGRAM = (sys.executable, "-m", "compute_optimizer")


@dataclass(frozen=True, slots=True)
class Service:
    """A served process and who may call it."""

    data_dir: Path
    endpoint: str
    management: Key
    member: Key
    """Of the first member account."""
    stranger: Key
    """Of the management account, with a policy that allows none of the operations here."""

    def run(self, *words: str) -> str:
        """Run a command of the program on the same data."""
        return run(self.data_dir, *words)


def run(data_dir: Path, *words: str) -> str:
    """Run a command of the program and return what it printed."""
    done = subprocess.run(
        [*PROGRAM, *words], env=_variables(data_dir), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _variables(data_dir: Path) -> dict[str, str]:
    return os.environ | {"COMPUTE_OPTIMIZER_DATA_DIR": str(data_dir)}


def create_key(data_dir: Path, account_id: str, action: str) -> Key:
    """Make an access key."""
    words = ("--account", account_id, "--name", "client", "--allow", action, "--output", "json")
    made = json.loads(run(data_dir, "keys", "create", *words))
    return Key(made["AccessKeyId"], made["SecretAccessKey"])


@dataclass(frozen=True, slots=True)
class Installation:
    """Data of the program, and the keys that it knows."""

    data_dir: Path
    keys: tuple[Key, Key, Key]


@contextmanager
def served(installation: Installation, data_dir: Path) -> Iterator[Service]:
    """Serve a copy of an installation until the end of the block."""
    shutil.copytree(installation.data_dir, data_dir)
    with subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0"],
        env=_variables(data_dir),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        announced = process.stdout.readline().split()
        try:
            yield Service(data_dir, announced[2], *installation.keys)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    """An organization, its fleet and its metrics until yesterday, as files."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    return write_demo_files(tmp_path_factory.mktemp("files"), yesterday, FLEET_SIZE)


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory, files: DemoFiles) -> Installation:
    """An organization that has not enrolled, and keys; only copies of it are served."""
    data_dir = tmp_path_factory.mktemp("installation")
    run(data_dir, "accounts", "apply", str(files.organization))
    keys = (
        create_key(data_dir, MANAGEMENT_ACCOUNT_ID, "compute-optimizer:*"),
        create_key(data_dir, MEMBER_ACCOUNT_IDS[0], "compute-optimizer:*"),
        create_key(data_dir, MANAGEMENT_ACCOUNT_ID, "compute-optimizer:Export*"),
    )
    return Installation(data_dir, keys)


@pytest.fixture
def fresh(tmp_path: Path, installation: Installation) -> Iterator[Service]:
    """A service on which nobody has enrolled."""
    with served(installation, tmp_path / "data") as service:
        yield service


@pytest.fixture(scope="session")
def analyzed(
    tmp_path_factory: pytest.TempPathFactory, installation: Installation, files: DemoFiles
) -> Iterator[Service]:
    """A service whose organization has enrolled and whose fleet has been analyzed; only read it."""
    folder = tmp_path_factory.mktemp("analyzed")
    with served(installation, folder / "data") as service:
        with CLIENTS["raw-json"](service.endpoint, service.management, folder) as call:
            call("UpdateEnrollmentStatus", {"status": "Active", "includeMemberAccounts": True})
            wait_for(call, "Active")
        metrics = [word for path in files.metrics for word in ("--metrics", str(path))]
        service.run("import", "--inventory", str(files.inventory), *metrics)
        service.run("analyze", "--as-of", files.last_day.isoformat())
        yield service


def wait_for(call: Call, status: str) -> None:
    """Wait, as clients do, until the account's enrollment has that status."""
    for _attempt in range(100):
        if call("GetEnrollmentStatus", {}).response["status"] == status:
            return
        sleep(0.1)
    pytest.fail(f"the enrollment did not become {status} within ten seconds")


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    """The name of a foreign client."""
    name: str = request.param
    if name.startswith("javascript"):
        needs_node()
    return name


def needs_node() -> None:
    """Skip what needs the client in JavaScript where it could not be installed; CI must have it."""
    if not (ROOT / f".venv-{NODE_VENV}" / "node_modules").is_dir():
        reason = f".venv-{NODE_VENV} is missing: install Node.js with npm, `make test-clients`"
        lacking(reason)


Connector = Callable[[Service, Key], Call]


@pytest.fixture
def connect(client: str, tmp_path: Path) -> Iterator[Connector]:
    """How the client of this test calls a service with a key."""
    with ExitStack() as stack:

        def connected(service: Service, key: Key) -> Call:
            call: Call = stack.enter_context(CLIENTS[client](service.endpoint, key, tmp_path))
            return call

        yield connected


@dataclass(frozen=True, slots=True)
class Demo:
    """The running demo."""

    endpoint: str
    data_dir: Path
    printed: str
    """What it said until it served."""


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo as its command runs it; any signature is taken."""
    data_dir = tmp_path_factory.mktemp("demo") / "data"
    words = (*PROGRAM, "demo", "--port", "0", "--data-dir", str(data_dir))
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = "".join(iter(process.stdout.readline, "Stop with Ctrl-C.\n"))
        found = re.search(r"--endpoint-url (\S+)", printed)
        assert found is not None, printed
        yield Demo(found[1], data_dir, printed)
        process.terminate()
