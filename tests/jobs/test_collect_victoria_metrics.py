"""Collecting from a real VictoriaMetrics, which means other samples by a range, gives the same."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from compute_optimizer.store import State
from tests.answering import answering, passing_on
from tests.local_prometheus import (
    counter,
    gauge,
    serving_victoria_metrics,
)
from tests.measured_machines import (
    CPU_AVERAGE,
    CPU_MAXIMUM,
    EVENING,
    MEMORY_BYTES,
    MIDDAY,
    NOON,
    SLOTS,
    Installation,
    Traces,
    bitbrains,
    check_machines,
    installed,
    machine_series,
    machines_of,
)


@pytest.fixture(scope="module")
def victoria(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traces]:
    folder = tmp_path_factory.mktemp("victoria")
    machines = bitbrains(shared, 3, SLOTS * 5)
    series = [one for n, trace in enumerate(machines) for one in machine_series(n, trace)]
    with serving_victoria_metrics(folder, series) as url:
        yield Traces(url, folder, machines, [])


@pytest.fixture
def here(sqlite_state: State, tmp_path: Path) -> Installation:
    return installed(sqlite_state, tmp_path)


def test_tiles_hold_the_same_of_victoria_metrics(here: Installation, victoria: Traces) -> None:
    report = here.collect(machines_of(victoria.url), EVENING, days=0.5)

    assert report.failures == []
    check_machines(here, victoria)
    stored = here.samples(0, CPU_AVERAGE, EVENING, 1)
    assert np.isnan(stored[:MIDDAY]).all()
    assert np.isnan(stored[MIDDAY + SLOTS :]).all()


def test_what_it_speaks_is_found_out_by_one_question_and_may_be_declared(
    here: Installation, victoria: Traces
) -> None:
    with answering() as between:
        between.otherwise = passing_on(victoria.url)
        here.collect(machines_of(between.url), EVENING, days=0.1)
        found_out = [one.parameters["query"] for one in between.asked]
        between.asked.clear()
        here.collect(machines_of(between.url, ", dialect: metricsql"), EVENING, days=0.1)
        declared = [one.parameters["query"] for one in between.asked]

    assert found_out.count("now()") == 1
    assert {*found_out} - {"now()"} == {*declared}
    assert any("rate(node_cpu" in one and "[300s]" in one for one in declared)


def test_quicker_scrapes_of_victoria_metrics_are_minutes_too(
    here: Installation, tmp_path: Path
) -> None:
    # Busy for one second more in each quarter of a minute: 1/15, 2/15, ... of it, hour after hour.
    busy = np.resize(np.arange(15), 240) / 15
    labels = {"instance": "10.0.0.0:9100", "instance_id": f"i-{0:017x}"}
    series = [gauge("node_uname_info", labels, NOON, [1] * 240, 15)]
    series += [gauge("node_memory_MemTotal_bytes", labels, NOON, [MEMORY_BYTES] * 240, 15)]
    for mode, rates in (("idle", 1 - busy), ("user", busy)):
        named = {**labels, "cpu": "0", "mode": mode}
        series.append(counter("node_cpu_seconds_total", named, NOON, rates.tolist(), 15))
    hour = NOON + timedelta(hours=1)
    with serving_victoria_metrics(tmp_path, series) as url:
        report = here.collect(f"scrape_interval: 15s\n{machines_of(url)}", hour, days=0.1)

    assert report.failures == []
    minutes = 100 * busy.reshape(12, 5, 4).mean(axis=2)
    for key, values in ((CPU_AVERAGE, minutes.mean(axis=1)), (CPU_MAXIMUM, minutes.max(axis=1))):
        found = here.samples(0, key, hour, 1)[MIDDAY : MIDDAY + 12]
        np.testing.assert_allclose(found, values, rtol=1e-5, atol=1e-3, err_msg=key.column)
