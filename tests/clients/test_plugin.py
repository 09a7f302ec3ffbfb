"""The pytest plugin in environments of others: installed from a wheel, beside either end of boto3
and of pytest, and used by a project that is not this one."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from compute_optimizer.emulator.folders import PREFIX
from tests.clients.foreign import ROOT, program

pytestmark = pytest.mark.clients

ENVIRONMENTS = ("client-plugin-new", "client-plugin-1.26")

SAMPLE = ROOT / "examples" / "test-your-tool"

OPTS_IN = """
import boto3
import pytest


@pytest.mark.parametrize("number", range(8))
def test_opts_in(compute_optimizer, number):
    client = boto3.client("compute-optimizer", endpoint_url=compute_optimizer.url)
    assert client.get_enrollment_status()["status"] == "Inactive"
    client.update_enrollment_status(status="Active")
    compute_optimizer.settle()
    assert client.get_enrollment_status()["status"] == "Active"
"""

BY_ENVIRONMENT = """
import boto3


def test_is_led_there(compute_optimizer):
    client = boto3.client("compute-optimizer")
    assert client.meta.endpoint_url == compute_optimizer.url
    assert client.get_enrollment_status()["status"] == "Inactive"
"""

DIES = """
import os
import signal


def test_dies(compute_optimizer):
    os.kill(os.getpid(), signal.SIGKILL)
"""

IMPORTS = """
import importlib, pkgutil, sys
import compute_optimizer

found = pkgutil.walk_packages(compute_optimizer.__path__, "compute_optimizer.")
names = [one.name for one in found]
for name in names:
    if ".migrations" not in name and not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names))
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project as others install it."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "project"
    without = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", copy / "src", ignore=without)
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, copy)
    words = ["wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), str(copy)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def python(request: pytest.FixtureRequest, wheel: Path) -> str:
    """The interpreter of an environment in which the wheel is installed."""
    found = program(request.param, "python")
    pip = [found, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-q", "--no-deps", "--force-reinstall", wheel], check=True)
    subprocess.run([*pip, "check"], check=True, stdout=subprocess.DEVNULL)
    return found


@pytest.fixture
def run(python: str, tmp_path: Path) -> Run:
    """Run pytest in the test's folder, as the environment's own user would."""
    (tmp_path / "temporary").mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path / "temporary"),
        "AWS_DEFAULT_REGION": "us-east-1",
    }

    def pytest_run(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [python, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return pytest_run


def outcomes(ended: "subprocess.CompletedProcess[str]") -> dict[str, int]:
    """Return how many tests ended how."""
    lines = ended.stdout.splitlines()
    assert lines, ended.stderr
    counts = re.findall(r"(\d+) (passed|failed|error|skipped|warning)", lines[-1])
    assert counts, ended.stdout + ended.stderr
    return {outcome: int(count) for count, outcome in counts}


def left_in(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir() if one.name.startswith(PREFIX)]


def test_everything_of_the_package_is_in_the_wheel_and_imports(python: str) -> None:
    ended = subprocess.run([python, "-c", IMPORTS], capture_output=True, text=True)
    ours = list((ROOT / "src" / "compute_optimizer").rglob("*.py"))

    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > len(ours) * 0.9


@pytest.mark.parametrize("words", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_each_test_gets_its_own(run: Run, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "test_it.py").write_text(OPTS_IN)

    assert outcomes(run(*words)) == {"passed": 8}
    assert left_in(tmp_path / "temporary") == []


def test_the_environment_leads_there_by_itself(
    run: Run, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "test_it.py").write_text(BY_ENVIRONMENT)
    ended = run()

    # Variables for endpoints came with boto3 1.28; an older one goes to AWS without `endpoint_url`.
    knows = "1.26" not in request.node.name
    assert outcomes(ended) == ({"passed": 1} if knows else {"failed": 1})


def test_nothing_is_left_when_the_run_is_killed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(DIES)

    assert run().returncode == -9
    for _attempt in range(100):
        if not left_in(tmp_path / "temporary"):
            break
        time.sleep(0.1)
    assert left_in(tmp_path / "temporary") == []


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """The sample project, in the folder that pytest runs in."""
    without = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(SAMPLE, tmp_path, ignore=without, dirs_exist_ok=True)
    return tmp_path


BUGS = {
    "test_every_instance_is_listed": "OperationNotPageableError",
    "test_instances_that_are_too_large_are_told": r"assert \[\] == \['web-1', 'web-2', 'web-3'\]",
    "test_the_savings_are_those_of_all_pages": r"assert \d+\.\d+ == \d+\.\d+ ±",
}
"""What each test of the sample says of the script as it is found."""


def test_the_sample_finds_each_bug_and_nothing_else(run: Run, sample: Path) -> None:
    found = run("--as-found", "tests/test_fleet_savings.py")

    assert outcomes(found) == {"failed": len(BUGS)}
    for name, message in BUGS.items():
        assert f"FAILED tests/test_fleet_savings.py::{name}" in found.stdout
        assert re.search(message, found.stdout), found.stdout
    assert outcomes(run("tests/test_fleet_savings.py")) == {"passed": len(BUGS)}


WRONG = (
    r"as_found.py:\d+: 'OVER_PROVISIONED' was compared with 'Overprovisioned'",
    "the first page was taken for all",
)
"""What strict mode says of two of the three; the third is an error of boto3's own."""


def test_strict_mode_finds_two_of_them_without_an_assertion(run: Run, sample: Path) -> None:
    found = run("--as-found", "tests/test_strictly.py")

    assert outcomes(found) == {"failed": len(WRONG)}
    for message in WRONG:
        assert re.search(message, found.stdout), found.stdout
    assert outcomes(run("tests/test_strictly.py")) == {"passed": len(WRONG)}
