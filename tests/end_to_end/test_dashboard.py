"""The dashboard and the alerts in deploy, over what a real server and a real worker say.

There is no Grafana here: each query of each panel is asked of a real Prometheus instead.
"""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest
import yaml

from compute_optimizer.api.telemetry import PREFIX, READINGS, REQUESTS
from compute_optimizer.config import load_settings
from compute_optimizer.interfaces import SystemClock
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.decisions import decide
from compute_optimizer.jobs.recommend import by_savings
from compute_optimizer.model.decision import Action
from compute_optimizer.model.forecast import Counted, Score
from compute_optimizer.resources.advice import advice_of
from compute_optimizer.store import State, outbox
from compute_optimizer.store.forecasts import save_score
from compute_optimizer.store.tiles import TileStore
from tests.end_to_end.conftest import Clients, Served, serving
from tests.enrolling import ALPHA, opt_in
from tests.forked import running
from tests.local_prometheus import program
from tests.local_prometheus import serving as scraping
from tests.stored_fleets import BUSY, QUIET, store_fleet
from tests.waiting import SECONDS, wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
RULES = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
QUERIES = [
    (panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]
]

WEBHOOK = "team"

INTERVAL = "20s"
"""In the place of Grafana's variable, which is four times the interval of scraping at least."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with something of everything that there are metrics of."""
    folder = tmp_path_factory.mktemp("dashboard")
    state, tiles, clock = (
        State(f"sqlite:///{folder / 'state.db'}"),
        TileStore(folder / "tiles"),
        SystemClock(),
    )
    state.migrate()
    opt_in(state, ALPHA)
    yesterday = clock.now().date() - timedelta(days=1)
    store_fleet(state, tiles, ALPHA, cpu=[QUIET, BUSY], last=yesterday)
    analyze(state, tiles, clock, workers=1)
    now, counted = clock.now(), Counted(9, 1.5, 2, (0.5, 5.0), 0.1)
    with state.reading() as connection:
        advice = advice_of(by_savings(connection)[0])
    assert advice is not None
    decide(state, clock, advice.recommendation_id, Action.ACCEPT, "ada")
    with state.writing() as connection:
        waiting = {one.event_id: [WEBHOOK] for one in outbox.unaddressed(connection)}
        outbox.address(connection, waiting, now)
        save_score(connection, Score("run", now, now, 3, 3, 0, 0, 0, counted, counted, ()))
    state.close()
    return folder


@pytest.fixture(scope="module")
def worker(folder: Path) -> Iterator[str]:
    """Address of a worker that has done its jobs."""
    jobs = ("--job", "analysis", "--job", "enrollment")
    words = ("worker", "--port", "0", *jobs, "--data-dir", str(folder))
    with running(*words, schedule_analysis="5s") as process:
        lines: list[str] = []
        while "analysis:" not in (line := process.err.readline()):
            assert line, lines
            lines.append(line)
        found = re.search(r"metrics on http://([\d.:]+)/metrics", "".join(lines))
        assert found, lines
        yield found[1]


@pytest.fixture(scope="module")
def served(folder: Path, boto_clients: Clients, stopping: list[Thread]) -> Iterator[Served]:
    """A running server on the folder."""
    settings = load_settings({"data_dir": folder, "port": 0, "auth": "off"}, environment={})
    with serving(settings, boto_clients, stopping) as found:
        yield found


@pytest.fixture(scope="module")
def prometheus(
    served: Served, worker: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A real Prometheus that scrapes a server and a worker as deploy/prometheus says."""
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text()
    places = {"127.0.0.1:8080": ":".join(map(str, served.address)), "127.0.0.1:9465": worker}
    for before, after in places.items():
        assert before in text
        text = text.replace(before, after)
    client = served.client()
    place, scrape = tmp_path_factory.mktemp("prometheus"), text.replace("alerts.yml", str(ALERTS))
    with scraping(place, place / "data", scrape=scrape) as url:

        def is_scraped() -> bool:
            client.get_enrollment_status()
            return bool(answered(url, f"{REQUESTS}_count")) and len(answered(url, "up == 1")) == 2

        wait_until(is_scraped, every_seconds=0.2)
        for _ in range(20):  # Some seconds of calls, so that there are rates.
            client.get_enrollment_status()
            time.sleep(0.2)
        yield url


def answered(url: str, query: str) -> list[dict[str, Any]]:
    with urlopen(f"{url}/api/v1/query?query={quote(query)}", timeout=SECONDS) as answer:
        told = json.load(answer)
    assert told["status"] == "success", told
    result: list[dict[str, Any]] = told["data"]["result"]
    return result


def test_every_query_of_every_panel_answers_a_series(prometheus: str) -> None:
    waiting = dict.fromkeys(QUERIES)

    def all_answer() -> bool:
        for one in list(waiting):
            if figures(answered(prometheus, one[1].replace("$__rate_interval", INTERVAL))):
                del waiting[one]
        return not waiting

    wait_until(all_answer, lambda: waiting, every_seconds=0.5)


def figures(series: list[dict[str, Any]]) -> list[float]:
    """Return the values that are numbers: a rate of nothing is none."""
    return [value for one in series if (value := float(one["value"][1])) == value]


def test_labels_and_figures_are_those_of_the_state(prometheus: str) -> None:
    jobs = answered(prometheus, f"max by (job) ({PREFIX}job_runs_total)")
    findings = answered(prometheus, f"max by (finding) ({PREFIX}recommendations)")

    decided = answered(prometheus, f"max by (state) ({PREFIX}decisions)")
    deliveries = answered(prometheus, f"max by (webhook, state) ({PREFIX}webhook_deliveries_kept)")

    # One was accepted; the new advice and the decision wait for the webhook.
    assert {one["metric"]["state"]: one["value"][1] for one in decided} == {"accepted": "1"}
    assert {
        (one["metric"]["webhook"], one["metric"]["state"]): one["value"][1] for one in deliveries
    } == {(WEBHOOK, "waiting"): "2", (WEBHOOK, "delivered"): "0", (WEBHOOK, "given up"): "0"}
    # The worker's job, not the name of the scrape.
    assert {one["metric"]["job"] for one in jobs} >= {"analysis"}
    # One machine is nearly idle, the other one too busy.
    assert {one["metric"]["finding"]: one["value"][1] for one in findings} == {
        "Overprovisioned": "1",
        "Underprovisioned": "1",
    }


def test_no_alert_is_made_by_a_service_that_works(prometheus: str) -> None:
    with urlopen(f"{prometheus}/api/v1/rules", timeout=SECONDS) as answer:
        groups = json.load(answer)["data"]["groups"]

    assert {one["name"] for one in groups[0]["rules"]} == {one["alert"] for one in RULES}
    for rule in RULES:
        assert answered(prometheus, rule["expr"]) == [], rule["alert"]


def test_panels_of_the_dashboard_stand_beside_each_other() -> None:
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    ids = [panel["id"] for panel in DASHBOARD["panels"]]

    assert len(set(cells)) == len(cells)
    # Grafana's grid has 24 columns.
    assert max(x for x, _ in cells) < 24
    assert len(set(ids)) == len(ids)


def test_every_metric_is_on_the_dashboard() -> None:
    shown = " ".join(query for _, query in QUERIES)

    assert [one.name for one in READINGS if f"{PREFIX}{one.name}" not in shown] == []
    assert f"{REQUESTS}_bucket" in shown


def test_rules_and_configuration_are_well_formed() -> None:
    for kind, path in (("rules", ALERTS), ("config", ALERTS.with_name("prometheus.yml"))):
        command = [program("promtool"), "check", kind, str(path)]
        subprocess.run(command, check=True, capture_output=True)


SCOPE = 'account_id="222222222222", region="us-east-1", resource_type="Ec2Instance"'
REQUESTS_5XX = f'{REQUESTS}_count{{operation="GetEnrollmentStatus", status="503"}}'
REQUESTS_OK = f'{REQUESTS}_count{{operation="GetEnrollmentStatus", status="200"}}'

CASES: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    # Series that make the alert, series that do not, and the moment to look at; samples are as far
    # apart as SPARSE says, or a minute, from 0 on; `a+bxn` is a and n steps of b.
    "ComputeOptimizerDown": (
        {'up{job="compute-optimizer-api", instance="a"}': "0x10"},
        {'up{job="compute-optimizer-api", instance="a"}': "1x4 0 1x10"},
        "8m",
    ),
    "ComputeOptimizerServerErrors": (
        # 10 of 100 calls, and 2 of 100.
        {REQUESTS_5XX: "0+10x60", REQUESTS_OK: "0+90x60"},
        {REQUESTS_5XX: "0+2x60", REQUESTS_OK: "0+98x60"},
        "40m",
    ),
    "ComputeOptimizerSlow": (
        # Half of the calls take between 2.5 and 10 s; and none.
        {f'{REQUESTS}_bucket{{le="2.5"}}': "0+5x60", f'{REQUESTS}_bucket{{le="10.0"}}': "0+10x60",
         f'{REQUESTS}_bucket{{le="+Inf"}}': "0+10x60"},
        {f'{REQUESTS}_bucket{{le="0.1"}}': "0+10x60", f'{REQUESTS}_bucket{{le="+Inf"}}': "0+10x60"},
        "40m",
    ),
    "ComputeOptimizerAdviceIsOld": (
        # As of the beginning: three days old, and one.
        {f"{PREFIX}analysis_as_of_timestamp_seconds{{{SCOPE}}}": "0x1080"},
        {f"{PREFIX}analysis_as_of_timestamp_seconds{{{SCOPE}}}": "172800x1080"},
        "72h",
    ),
    "ComputeOptimizerMetricsAreOld": (
        {f"{PREFIX}newest_sample_timestamp_seconds{{{SCOPE}}}": "0x1080"},
        {f"{PREFIX}newest_sample_timestamp_seconds{{{SCOPE}}}": "200000x1080"},
        "72h",
    ),
    "ComputeOptimizerJobFails": (
        # Three failures in three hours; and one.
        {f'{PREFIX}job_runs_kept{{job="collection", outcome="Failed"}}': "1x180 4x180"},
        {f'{PREFIX}job_runs_kept{{job="collection", outcome="Failed"}}': "1x180 2x180"},
        "6h",
    ),
    "ComputeOptimizerAnalysisMissed": (
        {f'{PREFIX}job_last_start_timestamp_seconds{{job="analysis"}}': "0x1080"},
        {f'{PREFIX}job_last_start_timestamp_seconds{{job="analysis"}}': "172800x1080"},
        "72h",
    ),
    "ComputeOptimizerExportsWait": (
        {f"{PREFIX}exports_unfinished": "1x180"},
        {f"{PREFIX}exports_unfinished": "1x60 0 1x100"},
        "150m",
    ),
}  # fmt: skip

SPARSE = dict.fromkeys(
    (
        "ComputeOptimizerAdviceIsOld",
        "ComputeOptimizerMetricsAreOld",
        "ComputeOptimizerAnalysisMissed",
    ),
    "4m",
)
"""Alerts about days and how far samples and looks at them are apart: less than the five minutes
after which Prometheus finds a sample no more."""


def test_there_is_a_case_for_every_alert() -> None:
    assert set(CASES) == {one["alert"] for one in RULES}


@pytest.mark.parametrize("alert", CASES)
def test_alert_is_made_when_it_should_and_only_then(alert: str, tmp_path: Path) -> None:
    tried = []
    firing, quiet, moment = CASES[alert]
    interval = SPARSE.get(alert, "1m")
    for series, fires in ((firing, True), (quiet, False)):
        given = [{"series": name, "values": values} for name, values in series.items()]
        looked = {"expr": f'count(ALERTS{{alertname="{alert}", alertstate="firing"}}) or vector(0)'}
        expected = [{"labels": "{}", "value": int(fires)}]
        test = {**looked, "eval_time": moment, "exp_samples": expected}
        tried.append({"interval": interval, "input_series": given, "promql_expr_test": [test]})
    path = tmp_path / "tests.yml"
    tests = {"rule_files": [str(ALERTS)], "evaluation_interval": interval, "tests": tried}
    path.write_text(yaml.safe_dump(tests))

    ended = subprocess.run(
        [program("promtool"), "test", "rules", str(path)], capture_output=True, text=True
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
