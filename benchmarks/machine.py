"""What a benchmark ran on: the machine, how busy it was, and the versions."""

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from compute_optimizer.jobs.executors.local import available_cores as available_cores

ROOT = Path(__file__).resolve().parents[1]

PACKAGES = (
    "botocore",
    "duckdb",
    "httptools",
    "moto",
    "msgspec",
    "numpy",
    "polars",
    "pyarrow",
    "SQLAlchemy",
    "uvicorn",
    "uvloop",
)
"""Those whose version decides a figure: what does the work, and the peers."""

GIBIBYTE = 2**30
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Machine:
    """The hardware, as the operating system tells it."""

    model: str
    cores: int
    """That this process may use."""
    memory_gib: float
    system: str


@dataclass(frozen=True, slots=True)
class Versions:
    """What was measured."""

    python: str
    commit: str
    """Short, with a plus where the tree has changes that are not committed."""
    packages: Mapping[str, str]


def this_machine() -> Machine:
    """Return the machine that this runs on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIBIBYTE
    system = f"{platform.system()} {platform.release()}"
    return Machine(_processor(), available_cores(), round(memory, 1), system)


def load_averages() -> tuple[float, float, float]:
    """Return how many processes wanted a core, over 1, 5 and 15 minutes."""
    one, five, fifteen = os.getloadavg()
    return round(one, 2), round(five, 2), round(fifteen, 2)


def these_versions() -> Versions:
    """Return the versions that are installed here."""
    return Versions(
        platform.python_version(), _commit(), {name: _version(name) for name in PACKAGES}
    )


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine() or UNKNOWN


def _commit() -> str:
    try:
        head = _git("rev-parse", "--short=12", "HEAD").strip()
        changed = _git("status", "--porcelain", "--", "src", "benchmarks/*.py", "benchmarks/fleets")
    except (OSError, subprocess.CalledProcessError):
        return UNKNOWN
    return f"{head}+" if changed.strip() else head


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
