"""A real Prometheus, started with series that a test gives it; and how to write them."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

from tests.lacking import lacking
from tests.ports import free_port
from tests.waiting import SECONDS, wait_until

LONG_BLOCKS = "--max-block-duration=1536h"
"""The file is read again for each block."""

CENTURY = "100y"
"""Retention: traces are old."""


def program(name: str) -> str:
    """Return the path of a program of Prometheus; skip the test where it is not installed."""
    found = shutil.which(name)
    if found is None:
        reason = (
            f"needs {name} (Debian packages prometheus, prometheus-node-exporter, victoria-metrics)"
        )
        lacking(reason)
    return found


@dataclass(frozen=True)
class Samples:
    """One series: its name with labels, and its samples."""

    name: str
    labels: Mapping[str, str]
    seconds: Sequence[float]
    values: Sequence[float]

    def lines(self) -> Iterator[str]:
        """Yield the lines of the OpenMetrics text, in order of time."""
        pairs = ",".join(f'{name}="{value}"' for name, value in self.labels.items())
        for moment, value in zip(self.seconds, self.values, strict=True):
            yield f"{self.name}{{{pairs}}} {float(value)!r} {moment:.3f}"


def gauge(
    name: str, labels: Mapping[str, str], start: datetime, values: Sequence[float], step: float
) -> Samples:
    """Return a series whose samples lie a step of seconds apart."""
    first = start.timestamp()
    return Samples(name, labels, [first + number * step for number in range(len(values))], values)


def counter(
    name: str,
    labels: Mapping[str, str],
    start: datetime,
    rates: Sequence[float],
    step: float,
    first: float = 1e6,
) -> Samples:
    """Return a counter that grows by these rates per second, step by step.

    It begins far from 0: PromQL takes a counter that is small against its growth for a new one.
    """
    total, values = first, [first]
    for rate in rates:
        total += rate * step
        values.append(total)
    return gauge(name, labels, start, values, step)


def write_openmetrics(path: Path, series: Iterable[Samples]) -> Path:
    """Write series as promtool reads them; all are gauges, because it looks only at samples."""
    with path.open("w") as file:
        for one in series:
            file.writelines(f"{line}\n" for line in one.lines())
        file.write("# EOF\n")
    return path


def load(data: Path, series: Iterable[Samples], folder: Path) -> None:
    """Put series into the data folder of a server that is not running."""
    text = write_openmetrics(folder / "series.om", series)
    command = [program("promtool"), "tsdb", "create-blocks-from", LONG_BLOCKS, "openmetrics"]
    subprocess.run(
        [*command, str(text), str(data)], check=True, capture_output=True, timeout=SECONDS
    )


@contextmanager
def serving(
    folder: Path, data: Path, *, scrape: str = "", options: Sequence[str] = ()
) -> Iterator[str]:
    """Run a server on a data folder and yield its URL; it is ended at the end.

    `scrape` is the scrape_configs of its configuration.
    """
    configuration = folder / "prometheus.yml"
    configuration.write_text(f"global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n{scrape}")
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        program("prometheus"),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={data}",
        f"--storage.tsdb.retention.time={CENTURY}",
        f"--web.listen-address={url.removeprefix('http://')}",
        *options,
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_for(f"{url}/-/ready", process)
            yield url
        finally:
            process.terminate()
            process.wait(SECONDS)


@contextmanager
def serving_victoria_metrics(folder: Path, series: Iterable[Samples]) -> Iterator[str]:
    """Run a VictoriaMetrics that holds series and yield its URL; it is ended at the end."""
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        program("victoria-metrics"),
        f"-storageDataPath={folder / 'victoria-metrics'}",
        f"-httpListenAddr={url.removeprefix('http://')}",
        f"-retentionPeriod={CENTURY}",
    ]
    with (folder / "victoria-metrics.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_for(f"{url}/health", process)
            for one in series:
                _import(url, one)
            with urlopen(f"{url}/internal/force_flush", timeout=SECONDS):
                pass  # What was imported can be asked for now.
            yield url
        finally:
            process.terminate()
            process.wait(SECONDS)


def _import(url: str, series: Samples) -> None:
    body = {
        "metric": {"__name__": series.name, **series.labels},
        "values": list(map(float, series.values)),
        "timestamps": [int(moment * 1000) for moment in series.seconds],
    }
    with urlopen(f"{url}/api/v1/import", json.dumps(body).encode(), timeout=SECONDS):
        pass


def wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Return when a URL answers; fail where its process has ended or it takes too long."""

    def answers() -> bool:
        assert process.poll() is None, f"{process.args!r} has ended"
        try:
            with urlopen(url, timeout=10):
                return True
        except OSError:
            return False

    wait_until(answers, lambda: f"{url} does not answer")


def wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Return when something listens on a port of this machine; fail where its process ended."""

    def listens() -> bool:
        assert process.poll() is None, f"{process.args!r} has ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=10).close()
            return True
        except OSError:
            return False

    wait_until(listens, lambda: f"nothing listens on port {port}")


def whole_slots_until(now: datetime, count: int) -> datetime:
    """Return the start of the first of so many whole slots before a moment."""
    end = int(now.timestamp()) // 300 * 300
    return datetime.fromtimestamp(end, UTC) - timedelta(seconds=300 * count)
