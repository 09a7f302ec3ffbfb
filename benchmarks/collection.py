"""How long an organization takes to collect from AWS: cold, and on the next day; and the first
advice. What it costs is counted by the local AWS that is asked, `benchmarks/cloudwatch_server.py`,
which throttles by CloudWatch's documented limits.

    python -m benchmarks.collection [--instances 5000] [--accounts 10] [--latency 0.2]

Every instance sends memory and has one volume; instances and volumes are collected. The latency of
AWS is an assumption, and can be chosen.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from urllib.request import urlopen

from benchmarks.measurement import Measurement, Report, add_output, show
from compute_optimizer.interfaces import SystemClock
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.collect import collect, estimate
from compute_optimizer.jobs.collect_run import CollectReport, CollectRequest
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.jobs.executors.local import available_cores
from compute_optimizer.jobs.recommend import by_savings
from compute_optimizer.model.resource import EBS_VOLUME, EC2_INSTANCE
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.sources.aws import Access, AwsSource
from compute_optimizer.sources.aws.effort import USD_PER_METRIC
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore

DAYS = 14
TYPES = frozenset({EC2_INSTANCE, EBS_VOLUME})


@dataclass(frozen=True)
class FixedClock:
    """A moment that does not pass."""

    moment: datetime

    def now(self) -> datetime:
        """Return the moment."""
        return self.moment


@dataclass(frozen=True)
class Installation:
    """A data folder."""

    state: State
    tiles: TileStore
    access: Access


@contextmanager
def serving(arguments: argparse.Namespace) -> Iterator[str]:
    """Run the local AWS in a process of its own, and yield its URL."""
    words = [
        f"--{name}={getattr(arguments, name)}" for name in ("instances", "accounts", "latency")
    ]
    command = [sys.executable, "-m", "benchmarks.cloudwatch_server", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def asked(url: str) -> dict[str, int]:
    with urlopen(url) as answer:
        found: dict[str, int] = json.load(answer)
    return found


def point_at(url: str, folder: Path) -> None:
    """Make this process find the local AWS, and nothing else."""
    empty = folder / "aws-config"
    empty.touch()
    os.environ.pop("AWS_PROFILE", None)
    os.environ.pop("AWS_SESSION_TOKEN", None)
    os.environ |= {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(empty),
        "AWS_SHARED_CREDENTIALS_FILE": str(empty),
    }


def install(folder: Path) -> Installation:
    """Make a data folder with every account of the local AWS opted in."""
    access = Access(accounts=("all",), role="reader", regions=("us-east-1",))
    state, clock = State(f"sqlite:///{folder / 'state.db'}"), SystemClock()
    state.migrate()
    with closing(AwsSource(access, clock)) as source:
        for account in source.accounts():
            change_enrollment(state, clock, account, "Active")
    advance_enrollments(state, clock)
    return Installation(state, TileStore(folder / "tiles"), access)


def run(
    here: Installation, moment: datetime, do: Callable[..., CollectReport]
) -> tuple[CollectReport, float]:
    """Collect, or estimate, as if it were that moment; return the report and seconds."""
    clock = FixedClock(moment)
    request = CollectRequest(since=moment - timedelta(days=DAYS), resource_types=TYPES)
    start = perf_counter()
    with closing(AwsSource(here.access, clock)) as source:
        report = do(here.state, here.tiles, clock, source, request)
    assert not report.failures, report.failures[:3]
    return report, perf_counter() - start


def advise(here: Installation, moment: datetime) -> tuple[int, float]:
    """Analyze; return how many recommendations there are, and seconds until the first is read."""
    start = perf_counter()
    analyze(here.state, here.tiles, FixedClock(moment), workers=available_cores())
    with here.state.reading() as connection:
        count = sum(1 for _ in by_savings(connection))
    return count, perf_counter() - start


def memory_mb() -> float:
    """Return the most memory that this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def figures(
    name: str, seconds: float, before: dict[str, int], after: dict[str, int]
) -> list[Measurement]:
    """Return what one run took and asked for."""
    calls, metrics, samples, throttled = (
        after.get(word, 0) - before.get(word, 0)
        for word in ("GetMetricData", "metrics", "samples", "throttled")
    )
    told = (
        ("", "s", seconds),
        (": calls", "calls", calls),
        (": throttled", "calls", throttled),
        (": series", "series", metrics),
        (": samples", "M samples/s", samples / seconds / 1e6),
        (": cost", "USD", metrics * USD_PER_METRIC),
        (": memory", "MB", memory_mb()),
    )
    return [Measurement(f"{name}{part}", unit, (value,)) for part, unit, value in told]


def measure(here: Installation, url: str) -> list[Measurement]:
    """Run everything once."""
    now = SystemClock().now()
    yesterday = now - timedelta(days=1)
    estimated, seconds = run(here, yesterday, estimate)
    found = [
        Measurement("estimate", "s", (seconds,)),
        Measurement("estimate: calls", "calls", (estimated.effort.calls,)),
        Measurement("estimate: cost", "USD", (estimated.effort.usd,)),
    ]
    for name, moment in (("cold", yesterday), ("next day", now)):
        before = asked(url)
        _, seconds = run(here, moment, collect)
        found += figures(name, seconds, before, asked(url))
        count, seconds = advise(here, moment)
        found.append(Measurement(f"{name}: advice", "s", (seconds,)))
        found.append(Measurement(f"{name}: advice for", "recommendations", (count,)))
    return found


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--instances", type=int, default=5000)
    parser.add_argument("--accounts", type=int, default=10)
    parser.add_argument("--latency", type=float, default=0.2, help="Seconds before each answer.")
    add_output(parser)
    arguments = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as name, serving(arguments) as url:
        point_at(url, Path(name))
        here = install(Path(name))
        found = measure(here, url)
        here.state.close()
    asked_of = f"{arguments.instances:,} instances, {arguments.latency} s before each answer"
    show(Report(tuple(found), {"local AWS": asked_of}), arguments.output)


if __name__ == "__main__":
    main()
