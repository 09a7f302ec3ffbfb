"""What a simulation says of a tiny fleet, by hand, and of the stored recommendations."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from compute_optimizer.backtest import fleet as trace
from compute_optimizer.backtest.grid import BOTH, WIRE_GRID, Grid, points_of
from compute_optimizer.backtest.options import ec2_options
from compute_optimizer.backtest.trial import make_trial
from compute_optimizer.backtest.what_if import excess_harm
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.engine.usage import MEMORY_METRIC, choose_series
from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.recommend import by_savings
from compute_optimizer.jobs.simulate import simulate
from compute_optimizer.jobs.simulated_fleets import (
    Shard,
    SimulatedFleet,
    imported_fleet,
    traced_fleet,
    within,
)
from compute_optimizer.model.metrics import Window, look_back
from compute_optimizer.model.preferences import AWS_ARM64, CURRENT
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation, RecommendationOption
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS
from compute_optimizer.resources.ec2.what_if import (
    DEFAULT_POINT,
    advice,
    decisions_at,
    measured_over,
)
from compute_optimizer.sources.traces import read_trace
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore
from tests import fleets
from tests.enrolling import ALPHA, BETA, Desk
from tests.stored_fleets import BUSY, QUIET, store_fleet

DAY = timedelta(days=1)
M5 = Grid(includes=(("m5",),))
HOURS = 730


def held(cpu: Sequence[np.ndarray], memory: Sequence[np.ndarray], days: int) -> SimulatedFleet:
    """Return m5.xlarges with these samples, as of the end of the days."""
    resources = tuple(fleets.instance(row, "m5.xlarge") for row in range(len(cpu)))
    series = {fleets.CPU: np.stack(cpu), fleets.MEMORY: np.stack(memory)}
    samples = fleets.shard(resources, series, days)
    return SimulatedFleet(
        "by hand", fleets.AS_OF, samples.window, (Shard(resources, partial(within, samples)),)
    )


def level(percent: float, days: int) -> np.ndarray:
    return np.full(days * 288, percent)


def quiet_and_busy(days: int) -> SimulatedFleet:
    cpu = [level(QUIET, days), level(BUSY, days)]
    return held(cpu, [level(20, days)] * 2, days)


def test_cost_and_savings_by_hand() -> None:
    # Two m5.xlarges, 0.192 USD an hour each. Quiet: 0.4 vCPUs and 3.2 GiB, so m5.large (0.096).
    # Busy: 3.8 vCPUs; with a fifth of headroom 4.75, so m5.2xlarge (0.384); without, it stays.
    grid = replace(M5, cpu_headrooms=(0.2, 0.0))

    report = simulate(quiet_and_busy(9), (grid,))

    with_headroom, without = report["points"]
    for point in (with_headroom, without):
        assert point["cost_now"] == pytest.approx(2 * 0.192 * HOURS)
    assert with_headroom["cost_after"] == pytest.approx((0.096 + 0.384) * HOURS)
    assert with_headroom["savings"] == pytest.approx(-0.096 * HOURS)
    assert with_headroom["savings_share"] == pytest.approx(-0.25)
    assert without["cost_after"] == pytest.approx((0.096 + 0.192) * HOURS)
    assert without["savings_share"] == pytest.approx(0.25)


def test_architectures_choose_among_the_same_options() -> None:
    # On Graviton m6g.medium (1.3 vCPUs of m5, 4 GiB, 0.0385) carries the quiet one, and
    # m6g.xlarge (5.3 vCPUs, 0.154) the busy one; of both worlds each is the cheapest.
    grid = Grid(architectures=(CURRENT, AWS_ARM64, BOTH), includes=(("m5", "m6g"),))

    report = simulate(quiet_and_busy(9), (grid,))

    after = {point["architecture"]: point["cost_after"] for point in report["points"]}
    assert after[CURRENT] == pytest.approx((0.096 + 0.384) * HOURS)
    assert after[AWS_ARM64] == pytest.approx((0.0385 + 0.154) * HOURS)
    assert after[BOTH] == pytest.approx(after[AWS_ARM64])


def test_changes_are_counted_against_the_default_preferences() -> None:
    # By default a quiet m5.xlarge gets a burstable type, a busy one a c7i-flex.
    grid = Grid(includes=((), ("m5",)), cpu_headrooms=(0.2, 0.0))

    report = simulate(quiet_and_busy(9), (grid,))

    changed = {
        (point["cpu_headroom"], tuple(point["include"])): point["changed"]
        for point in report["points"]
    }
    assert changed[0.2, ()] == 0
    assert changed[0.2, ("m5",)] == 2
    # Without headroom the busy one is not under any more.
    assert changed[0.0, ()] >= 1
    assert [point["default"] for point in report["points"]] == [True, False, False, False]


def test_changes_can_be_counted_against_other_preferences() -> None:
    grid = Grid(includes=(("m5",),), cpu_headrooms=(0.2, 0.0))
    (with_headroom, without) = points_of((grid,))

    report = simulate(quiet_and_busy(9), (grid,), compared_with=without)

    # As by hand above: without headroom the busy one stays, with it m5.2xlarge; the quiet one
    # becomes m5.large in either case.
    assert [point["changed"] for point in report["points"]] == [1, 0]
    assert report["points"][0]["cpu_headroom"] == with_headroom.preferences.cpu_headroom


def spiked(usual: float, spikes: int, spike: float) -> np.ndarray:
    """Return 15 days that end in 5 days with spikes at their beginning."""
    found = level(usual, 15)
    found[10 * 288 : 10 * 288 + spikes] = spike
    return found


def test_violations_by_hand() -> None:
    # The last third of 15 days: 1,440 intervals, 1.44 are forgiven, of memory none. All get
    # m5.large (2 vCPUs, 8 GiB): 60 % of a m5.xlarge are 2.4 vCPUs or 9.6 GiB.
    clipped = level(QUIET, 15)
    clipped[:50] = 99.5  # 50 of 2,880 samples before the origin: 1.7 %, not scored.
    cpu = [spiked(QUIET, n, 60) for n in (0, 1, 2, 0)]
    memory = [spiked(20, n, 60) for n in (0, 0, 0, 1)]

    report = simulate(held([*cpu, clipped], [*memory, level(20, 15)], 15), (M5,))

    (point,) = report["points"]
    assert report["origin"] == (fleets.AS_OF.date() - 5 * DAY).isoformat()
    assert report["test_days"] == 5
    assert report["tested"] == 4
    assert point["violated"] == 2
    assert point["violations"] == 0.5
    assert point["pareto"] is True


def test_advice_that_is_tested_knows_nothing_of_the_test_window() -> None:
    # At 60 % for the last 5 of 15 days nobody would recommend a m5.large; before them, anybody.
    report = simulate(held([spiked(QUIET, 5 * 288, 60)], [level(20, 15)], 15), (M5,))

    (point,) = report["points"]
    assert point["violated"] == 1
    assert point["savings"] == 0


def test_of_points_that_cost_the_same_the_one_that_hurts_less_is_pareto() -> None:
    # Usually 1.5 vCPUs, later 2.2. Before the origin m5.large (2 vCPUs) is advised without headroom
    # and with a fifth (1.9), but not with three tenths (2.1). Today the spikes, 100 of 4,032
    # samples, are in the P99.5: nobody would get less than a m5.xlarge, whatever the headroom.
    fleet = held([spiked(37.5, 100, 55)], [level(20, 15)], 15)

    report = simulate(fleet, (replace(M5, cpu_headrooms=(0.0, 0.2, 0.3)),))

    rows = [(p["savings"], p["violations"], p["pareto"]) for p in report["points"]]
    assert rows == [(0, 1.0, False), (0, 1.0, False), (0, 0.0, True)]


def test_few_days_leave_violations_empty_and_say_so() -> None:
    report = simulate(quiet_and_busy(9), (M5,))

    (point,) = report["points"]
    assert report["origin"] is None and report["tested"] is None
    assert point["violations"] is None and point["violated"] is None and point["pareto"] is None
    assert "9 days of samples are too few" in report["notes"][0]


def test_an_origin_may_be_named() -> None:
    fleet = quiet_and_busy(9)

    report = simulate(fleet, (M5,), fleet.days.last)

    assert report["test_days"] == 1 and report["tested"] == 2
    for outside in (fleet.days.first, fleet.days.last + DAY):
        with pytest.raises(InvalidInput, match="leaves no day to learn from or none to test on"):
            simulate(fleet, (M5,), outside)


def test_look_backs_beyond_the_data_are_explained() -> None:
    # 15 days; the last 5 are the test.
    week, fortnight, month = (
        simulate(quiet_and_busy(15), (replace(M5, lookbacks=(days,)),))["notes"]
        for days in (7, 14, 32)
    )

    assert week == []
    assert [note[:10] for note in fortnight] == ["Violations"]
    assert "at most the 10 days before the origin" in fortnight[0]
    assert [note[:10] for note in month] == ["Look-backs", "Violations"]
    assert "beyond 15 days" in month[0]


def test_instances_without_a_price_are_counted_and_cost_nothing() -> None:
    fleet = quiet_and_busy(9)
    (shard,) = fleet.shards
    unknown = replace(shard.resources[1], instance_type="no.such")
    fleet = replace(fleet, shards=(replace(shard, resources=(shard.resources[0], unknown)),))

    report = simulate(fleet, (M5,))

    assert (report["resources"], report["judged"], report["unpriced"]) == (2, 1, 1)
    assert report["points"][0]["cost_now"] == pytest.approx(0.192 * HOURS)


def test_the_grid_of_the_wire_has_27_points_and_the_default_among_them() -> None:
    report = simulate(quiet_and_busy(9), (WIRE_GRID,))

    assert len(report["points"]) == 27
    assert [point["changed"] for point in report["points"] if point["default"]] == [0]


def test_progress_counts_every_point_of_both_passes() -> None:
    seen: list[tuple[int, int]] = []

    simulate(
        quiet_and_busy(15),
        (replace(M5, percentiles=(90.0, 99.5)),),
        progress=lambda doing, done, total: seen.append((done, total)),
    )

    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_default_point_is_what_is_stored(sqlite_state: State, tmp_path: Path) -> None:
    desk, tiles = Desk(sqlite_state), TileStore(tmp_path / "tiles")
    for account in (ALPHA, BETA):
        desk.opt_in(account)
    desk.settle()
    for account, levels in ((ALPHA, (3.0, 10.0, 37.0, 60.0, 95.0)), (BETA, (20.0, 81.0))):
        store_fleet(desk.state, tiles, account, cpu=levels, days=16)
    analyze(desk.state, tiles, desk.clock)
    with desk.state.reading() as connection:
        stored = [
            one for one in by_savings(connection) if isinstance(one, Ec2InstanceRecommendation)
        ]

    fleet = imported_fleet(desk.state, tiles, desk.clock)
    report = simulate(fleet, (WIRE_GRID,))

    (default,) = (point for point in report["points"] if point["default"])
    assert len(stored) == report["judged"] == 7
    assert default["cost_now"] == pytest.approx(7 * 0.192 * HOURS)
    assert default["cost_after"] == pytest.approx(
        sum(first_option(one).hourly_usd or 0.0 for one in stored) * HOURS
    )
    assert advised(fleet) == {one.resource_arn: first_option(one).instance_type for one in stored}


def first_option(recommendation: Ec2InstanceRecommendation) -> RecommendationOption:
    """Return the first option for unchanged architectures."""
    return next(one for one in recommendation.options if one.architecture_pool == CURRENT)


def advised(fleet: SimulatedFleet) -> dict[str, str]:
    """Return the first options of the default point, from tails for all values of the wire."""
    types, points = load_instance_types(), points_of([WIRE_GRID])
    found: dict[str, str] = {}
    for shard in fleet.shards:
        samples = shard.read(look_back(fleet.as_of, 14))
        measured = measured_over(shard.resources, samples, types, 14, points)
        decisions = decisions_at(measured, DEFAULT_POINT)
        places = advice(shard.resources, measured, decisions, (CURRENT,)).type_index
        for resource, place in zip(shard.resources, places, strict=True):
            found[resource.arn] = types.names[place]
    return found


def test_harm_is_what_the_backtest_counts(shared: Path) -> None:
    # The same machines, window and options through both ways: from a trace's absolute demand,
    # and from percentages of what is provisioned.
    path = shared / "traces" / "bitbrains_rnd_5min_aug2013.parquet"
    options = ec2_options(load_instance_types(), (trace.CPU, trace.MEMORY))
    trial = make_trial(read_trace(path).of((trace.CPU, trace.MEMORY)), options, origin=14)
    (shard,) = traced_fleet(path).shards
    own = np.array([(one.vcpus, one.memory_mib) for one in shard.resources], np.float64)
    tested = choose_series(
        shard.read(Window(date(2013, 8, 15), date(2013, 8, 28))), ("CPUUtilization", MEMORY_METRIC)
    )

    harm = excess_harm(tested, DIMENSIONS[:2], own, options.capacity)

    assert trial.harm.excess.sum() > 100
    np.testing.assert_array_equal(harm[trial.resources], trial.harm.excess)


def test_caps_on_risk_stand_beside_the_rule() -> None:
    grids = (M5, replace(M5, risk_caps=(0.01, 0.2, 1.0), incidents_usd=(0.0,)))

    rule, *capped = simulate(quiet_and_busy(15), grids)["points"]

    assert (rule["profile"], rule["risk_cap"]) == ("published", None)
    assert [one["risk_cap"] for one in capped] == [0.01, 0.2, 1.0]
    assert {one["profile"] for one in capped} == {"calibrated"}
    # Where a violation costs nothing a higher cap never costs more.
    costs = [one["cost_after"] for one in capped]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > costs[-1]
