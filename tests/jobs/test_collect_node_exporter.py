"""Collecting this very machine: a real node_exporter, scraped by a real Prometheus."""

import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

from compute_optimizer.interfaces import SystemClock
from compute_optimizer.jobs.collect import collect
from compute_optimizer.jobs.collect_run import CollectRequest
from compute_optimizer.jobs.inventories import resource_of_row
from compute_optimizer.model.metrics import MetricKey, Statistic, look_back
from compute_optimizer.sources.prometheus import PrometheusSource, read_configuration
from compute_optimizer.store import State, inventory
from compute_optimizer.store.tiles import TileStore, read_samples
from tests.enrolling import ALPHA, opt_in
from tests.local_prometheus import program, serving, wait_for
from tests.ports import free_port
from tests.records import FixedClock
from tests.waiting import SECONDS, wait_until

SCRAPES = 3
"""So many make a rate, also where a slot ends between two of them."""


@pytest.fixture
def scraped(tmp_path: Path) -> Iterator[str]:
    """A server that scrapes this machine every second, and has done so a few times."""
    target = f"127.0.0.1:{free_port()}"
    command = [program("prometheus-node-exporter"), f"--web.listen-address={target}"]
    exporter = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://{target}/metrics", exporter)
        jobs = f"scrape_configs: [{{job_name: node, static_configs: [{{targets: ['{target}']}}]}}]"
        with serving(tmp_path, tmp_path / "data", scrape=jobs) as url:
            wait_until_scraped(url)
            yield url
    finally:
        exporter.terminate()
        exporter.wait(SECONDS)


def wait_until_scraped(url: str) -> None:
    question = f"{url}/api/v1/query?query=count_over_time(node_uname_info[1m])>={SCRAPES}"

    def is_scraped() -> bool:
        with urlopen(question, timeout=SECONDS) as answer:
            return b'"value"' in answer.read()

    wait_until(is_scraped, lambda: "nothing was scraped")


def memory_of_this_machine() -> dict[str, float]:
    """Return total and available MiB as the kernel tells them."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    found = {line.split(":")[0]: float(line.split()[1]) / 1024 for line in lines}
    return {name: found[name] for name in ("MemTotal", "MemAvailable")}


def test_this_machine_is_collected(scraped: str, sqlite_state: State, tmp_path: Path) -> None:
    opt_in(sqlite_state, ALPHA)
    config = tmp_path / "prometheus.yaml"
    config.write_text(
        f'resource: {{account: "{ALPHA}", region: us-east-1}}\n'
        f'servers: [{{url: "{scraped}"}}]\nscrape_interval: 1s\n'
    )
    # The slot that is under way counts only when it has ended; so the clock is put there.
    end = (int(SystemClock().now().timestamp()) // 300 + 1) * 300
    clock, tiles = FixedClock(datetime.fromtimestamp(end, UTC)), TileStore(tmp_path / "tiles")

    with closing(PrometheusSource(read_configuration(config), clock, resource_of_row)) as source:
        request = CollectRequest(clock.now() - timedelta(minutes=10))
        report = collect(sqlite_state, tiles, clock, source, request)

    assert report.failures == []
    with sqlite_state.reading() as connection:
        found = inventory.find_resource(connection, "127.0.0.1")
        shard = inventory.shard_of(connection, found.arn)
        percentages = [
            MetricKey(name, how)
            for name in ("CPUUtilization", "mem_used_percent")
            for how in (Statistic.AVERAGE, Statistic.MAXIMUM)
        ]
        network = [MetricKey("NetworkIn", Statistic.SUM)]
        keys = [*percentages, *network]
        window = look_back(clock.now(), 2)
        samples = read_samples(connection, tiles, shard, window, keys, [found.arn])
    memory = memory_of_this_machine()
    assert found.name == platform.node()
    assert found.vcpus == os.cpu_count()
    assert found.memory_mib == pytest.approx(memory["MemTotal"])
    for key in percentages:
        value = float(np.nanmax(samples.series[key]))
        assert 0 < value <= 100, key
    used = 100 - 100 * memory["MemAvailable"] / memory["MemTotal"]
    stored = float(np.nanmax(samples.series[percentages[2]]))
    # Other programs of this machine come and go within the seconds between.
    assert stored == pytest.approx(used, abs=20)
