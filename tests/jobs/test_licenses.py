"""Licenses and their instances: one row and its samples, analyzed in one run as two types."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from compute_optimizer.errors import NotFound
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.explain import explain
from compute_optimizer.jobs.ingest import ImportRequest, ingest
from compute_optimizer.jobs.recommend import by_savings
from compute_optimizer.model.license import LicenseRecommendation
from compute_optimizer.model.metrics import SLOTS_PER_DAY, ShardSamples, Window
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation, Recommendation
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.licenses.analysis import FEATURES
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import current_scopes
from compute_optimizer.store.inventory import place, upsert_resources
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import MANAGEMENT, Desk, opt_in
from tests.licenses import licensed
from tests.records import REGION, arn
from tests.samples import put_samples
from tests.stored_fleets import CPU, LAST_DAY, QUIET, machine

MIDNIGHT = datetime(2026, 3, 15, tzinfo=UTC)


@pytest.fixture
def desk(sqlite_state: State) -> Desk:
    """One account that is opted in and owns nothing."""
    return opt_in(sqlite_state, MANAGEMENT)


def store(desk: Desk, tiles: TileStore, *fleet: Resource) -> None:
    """Store quiet machines over a fortnight, none of which uses a feature of Enterprise."""
    with desk.state.writing() as connection:
        upsert_resources(connection, fleet)
        keys = place(connection, fleet)
    shape = (len(fleet), 14 * SLOTS_PER_DAY)
    series = {CPU: np.full(shape, QUIET, np.float32), FEATURES: np.zeros(shape, np.float32)}
    window = Window(LAST_DAY - timedelta(days=13), LAST_DAY)
    samples = ShardSamples(tuple(one.arn for one in fleet), window, series)
    put_samples(desk.state, tiles, keys[fleet[0].arn], samples)


def found_in(desk: Desk, resource_type: str) -> list[Recommendation]:
    with desk.state.reading() as connection:
        return by_savings(connection, resource_types=[resource_type])


def test_one_run_answers_for_the_instance_and_for_its_license(desk: Desk, tiles: TileStore) -> None:
    store(desk, tiles, machine(0, MANAGEMENT), licensed(1, "m5.xlarge", account=MANAGEMENT))

    tally = analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT).tally

    assert tally.by_type == {
        ("Ec2Instance", "Overprovisioned"): 2,
        ("License", "NotOptimized"): 1,
    }
    (license,) = found_in(desk, "License")
    assert isinstance(license, LicenseRecommendation)
    machines = found_in(desk, "Ec2Instance")
    assert all(isinstance(one, Ec2InstanceRecommendation) for one in machines)
    assert license.resource_arn == arn(1, MANAGEMENT)
    assert license.resource_arn in [one.resource_arn for one in machines]


def test_the_instance_is_explained_whatever_runs_on_it(desk: Desk, tiles: TileStore) -> None:
    store(desk, tiles, licensed(1, "m5.xlarge", account=MANAGEMENT))

    told = explain(desk.state, tiles, desk.clock, arn(1, MANAGEMENT), as_of=MIDNIGHT)

    assert told.finding == "Overprovisioned"


def test_a_fleet_without_licenses_has_no_scope_of_them(desk: Desk, tiles: TileStore) -> None:
    store(desk, tiles, machine(0, MANAGEMENT))

    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT)

    with desk.state.reading() as connection:
        scopes = current_scopes(connection, [MANAGEMENT])
    assert [scope.resource_type for scope in scopes] == ["Ec2Instance"]


def test_a_license_that_has_gone_is_answered_for_with_nothing(desk: Desk, tiles: TileStore) -> None:
    store(desk, tiles, licensed(1, "m5.xlarge", account=MANAGEMENT))
    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT)
    with desk.state.writing() as connection:
        upsert_resources(connection, [machine(1, MANAGEMENT)])

    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT)

    assert found_in(desk, "License") == []
    assert len(found_in(desk, "Ec2Instance")) == 1


def test_licenses_and_their_counts_come_in_with_the_instances(
    desk: Desk, tiles: TileStore, tmp_path: Path
) -> None:
    inventory, metrics = tmp_path / "fleet.csv", tmp_path / "metrics.csv"
    name = arn(1, MANAGEMENT)
    inventory.write_text(
        "arn,type,platform,license_version\n"
        f"{name},m5.xlarge,Windows with SQL Server Enterprise,2019\n"
    )
    # 360 samples of five minutes: 30 hours that end at midnight.
    moments = [MIDNIGHT - timedelta(minutes=5 * number) for number in range(1, 361)]
    told = "mssql_enterprise_features_used,Maximum,0"
    rows = [f"{name},{moment.isoformat()},{told}" for moment in moments]
    metrics.write_text("\n".join(["arn,timestamp,metric,statistic,value", *rows, ""]))
    request = ImportRequest(inventory, (metrics,))

    report = ingest(desk.state, tiles, desk.clock, request)
    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT)

    assert (report.refusals.total, report.samples[FEATURES]) == (0, 360)
    (license,) = found_in(desk, "License")
    assert isinstance(license, LicenseRecommendation)
    assert (license.finding, license.license.version) == ("NotOptimized", "2019")
    assert (license.features_used, license.account_id) == (0.0, MANAGEMENT)
    assert license.resource_arn.split(":")[3] == REGION


def test_a_license_is_explained_beside_its_instance(desk: Desk, tiles: TileStore) -> None:
    both = licensed(1, "m5.xlarge", account=MANAGEMENT)
    store(desk, tiles, both, machine(0, MANAGEMENT))
    analyze(desk.state, tiles, desk.clock, as_of=MIDNIGHT)
    (stored,) = found_in(desk, "License")
    assert isinstance(stored, LicenseRecommendation)

    told = explain(desk.state, tiles, desk.clock, both.arn, as_type="License")
    machine_told = explain(desk.state, tiles, desk.clock, both.arn)

    assert (told.finding, told.finding_reason_codes) == (
        "NotOptimized",
        ("LicenseOverprovisioned",),
    )
    assert told.departures == ()
    assert machine_told.finding == "Overprovisioned"
    # No feature was counted, none is stated, and 4 vCPUs are no more than the 48 of Standard.
    assert [(one.value, one.limit) for one in told.figures] == [(0, 0), (None, 0), (4, 48)]
    first, now = told.choices
    assert (first.configuration, first.rank) == ("SQL Server Standard", 1)
    assert (now.configuration, now.rank) == ("SQL Server Enterprise", None)
    savings = stored.options[0].savings
    assert savings is not None
    assert now.monthly_usd is not None and first.monthly_usd is not None
    assert now.monthly_usd - first.monthly_usd == pytest.approx(savings.monthly_usd)
    with pytest.raises(NotFound, match="of no type License"):
        explain(desk.state, tiles, desk.clock, arn(0, MANAGEMENT), as_type="License")
