"""Outcomes: what applied advice has saved and hurt, beside what was predicted."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from sqlalchemy import update

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.jobs.outcomes import keep_outcomes, kept_outcomes, outcomes
from compute_optimizer.jobs.replay import replayed_type, with_changes
from compute_optimizer.model.decision import Configuration, Decision
from compute_optimizer.model.ebs_volume import EbsVolume
from compute_optimizer.model.metrics import SLOTS_PER_DAY, Matrix, ShardSamples, Window
from compute_optimizer.model.outcome import ELAPSED, RUNNING, Outcome, totals_of
from compute_optimizer.model.resource import (
    EBS_VOLUME,
    EC2_INSTANCE,
    LAMBDA_FUNCTION,
    LICENSE,
    Resource,
)
from compute_optimizer.resources.configured import IN_USE
from compute_optimizer.resources.functions.failures import ERRORS
from compute_optimizer.resources.functions.use import INVOCATIONS
from compute_optimizer.store import inventory
from compute_optimizer.store.decision_tables import applied_changes
from compute_optimizer.store.decisions import applied_ones, save_applied
from compute_optimizer.store.inventory import place
from tests.deciding import Office
from tests.enrolling import ALPHA, BETA, START
from tests.functions import function
from tests.records import REGION
from tests.samples import put_samples
from tests.stored_fleets import CPU, MEMORY
from tests.volumes import use, volume

FUNCTIONS = replayed_type("LambdaFunction")
FORTNIGHT = timedelta(days=14)
FIRST = START.date()
SEEN_SLOT = 78
"""Of the day of START, 06:30: the first slot after the change."""


@pytest.fixture
def here(copied_office: Office) -> Office:
    """Two quiet machines; what was advised for the first is followed at START."""
    copied_office.follow(0)
    return copied_office


def go_on(here: Office, cpu: Matrix | float, memory: Matrix | float = 20.0, days: int = 15) -> None:
    """Store what the first machine did from the day of the change on, and let that time pass."""
    window = Window(FIRST, FIRST + timedelta(days=days - 1))
    shape = (1, days * SLOTS_PER_DAY)
    series = {
        key: np.broadcast_to(np.asarray(values, np.float32), shape).copy()
        for key, values in ((CPU, cpu), (MEMORY, memory))
    }
    one = here.fleet[0]
    with here.state.reading() as connection:
        key = place(connection, [one])[one.arn]
    put_samples(here.state, here.tiles, key, ShardSamples((one.arn,), window, series))
    here.desk.clock.moment = START + FORTNIGHT


def came(here: Office) -> Outcome:
    (found,) = outcomes(here.state, here.tiles, here.desk.clock)
    return found


def steady(level: float = 30.0, days: int = 15) -> Matrix:
    return np.full((1, days * SLOTS_PER_DAY), level, np.float32)


def test_savings_are_the_difference_of_prices_over_the_hours_since(here: Office) -> None:
    go_on(here, 30.0)

    found = came(here)

    promised = found.applied.advice.prediction
    assert promised.current_monthly_usd is not None
    assert promised.advised_monthly_usd is not None
    # 14 days are 336 hours, a month 730.
    saved = (promised.current_monthly_usd - promised.advised_monthly_usd) / 730 * 336
    assert (found.hours, found.hours_are) == (336.0, RUNNING)
    assert found.realized_savings_usd == pytest.approx(saved)
    assert found.predicted_savings_usd == pytest.approx(saved)


def test_a_machine_that_ran_half_of_the_time_saved_half(here: Office) -> None:
    cpu = steady()
    cpu[:, SEEN_SLOT + 7 * SLOTS_PER_DAY :] = np.nan
    go_on(here, cpu)

    found = came(here)

    assert found.hours == 168.0
    assert found.realized_savings_usd is not None
    assert found.predicted_savings_usd is not None
    assert found.realized_savings_usd == pytest.approx(found.predicted_savings_usd / 2)


def test_without_samples_all_hours_count_and_nothing_is_judged(here: Office) -> None:
    here.desk.clock.moment = START + FORTNIGHT

    found = came(here)

    assert (found.hours, found.hours_are) == (336.0, ELAPSED)
    assert (found.violated, found.unjudged_because) == (None, "it sent nothing since")


def test_what_keeps_away_from_its_ceiling_is_not_violated(here: Office) -> None:
    go_on(here, 98.0)

    found = came(here)

    assert (found.violated, found.complete, found.judged_days) == (False, True, 14.0)


# 14 days have 4,032 slots, of which 0.1 % are 4: the fifth at the ceiling is one too many.
@pytest.mark.parametrize(("slots", "violated"), [(4, False), (5, True)])
def test_the_event_comes_where_cpu_is_at_its_ceiling_too_often(
    here: Office, slots: int, violated: bool
) -> None:
    cpu = steady()
    cpu[:, 1000 : 1000 + slots] = 99.5
    go_on(here, cpu)

    assert came(here).violated is violated


@pytest.mark.parametrize(("level", "violated"), [(98.5, False), (99.5, True)])
def test_memory_may_not_reach_its_ceiling_once(here: Office, level: float, violated: bool) -> None:
    types = load_instance_types()
    advised = str(here_advised(here)["instanceType"])
    memory_of = types.memory_mib[[types.index[name] for name in (advised, "m5.xlarge")]]
    assert memory_of[0] < memory_of[1]  # or it could not hurt
    memory = steady(20.0)
    memory[:, 2000] = level
    go_on(here, 30.0, memory)

    assert came(here).violated is violated


def here_advised(here: Office) -> Configuration:
    return came(here).applied.advice.advised


def test_what_was_before_the_change_and_after_the_fortnight_does_not_count(here: Office) -> None:
    cpu = steady(days=20)
    cpu[:, :SEEN_SLOT] = 100.0
    cpu[:, SEEN_SLOT + 14 * SLOTS_PER_DAY :] = 100.0
    go_on(here, cpu, days=20)
    here.desk.clock.tick(days=5)

    assert came(here).violated is False


def test_before_14_days_are_over_it_says_how_far_it_looked(here: Office) -> None:
    go_on(here, 30.0)
    here.desk.clock.moment = START + timedelta(days=7)

    found = came(here)

    assert (found.violated, found.complete, found.judged_days) == (False, False, 7.0)
    assert totals_of([found]).verdicts.judged == 0


def test_a_change_that_was_undone_counts_until_then(here: Office) -> None:
    go_on(here, 30.0)
    here.desk.clock.moment = START + timedelta(days=3)
    here.change(0, instance_type="m5.xlarge")
    here.desk.clock.moment = START + FORTNIGHT

    found = came(here)

    assert found.until == START + timedelta(days=3)
    assert found.hours == 72.0
    assert (found.complete, found.judged_days) == (False, 3.0)


def test_a_machine_that_is_gone_is_counted_and_not_judged(here: Office) -> None:
    with here.state.writing() as connection:
        inventory.remove_others(connection, (ALPHA, REGION, EC2_INSTANCE), ())
    here.desk.clock.moment = START + FORTNIGHT

    found = came(here)

    assert found.unjudged_because == "the resource is not in the inventory any more"
    assert found.realized_savings_usd is not None


def test_a_change_that_hurt_and_was_undone_counts_once_its_fortnight_is_over(here: Office) -> None:
    go_on(here, 100.0)
    here.desk.clock.moment = START + timedelta(days=3)
    here.change(0, instance_type="m5.xlarge")

    assert (came(here).violated, came(here).complete) == (True, False)
    here.desk.clock.moment = START + FORTNIGHT
    assert (came(here).violated, came(here).complete) == (True, True)


def test_where_a_machine_was_hurt_is_told(here: Office) -> None:
    cpu = steady()
    cpu[:, 1000:1100] = 100.0
    go_on(here, cpu)

    found = came(here)

    assert found.violated_in == ("CPU",)
    assert set(found.violated_in) <= set(found.smaller_in)
    # Machines here send CPU and memory only.
    assert "NetworkBandwidth" not in found.violated_in


GP2 = {"volumeType": "gp2", "sizeGib": 500, "iops": 1500, "throughputMibps": 250}
GP3 = {"volumeType": "gp3", "sizeGib": 500, "iops": 3000, "throughputMibps": 125}


def followed(here: Office, resource: Resource, **changes: Any) -> Decision:
    """Store a resource and that advice for it was followed at START."""
    with here.state.reading() as connection:
        (machine,) = applied_ones(connection, {ALPHA})
    advice = replace(
        machine.advice,
        recommendation_id=f"rec-{1:020x}",
        resource_arn=resource.arn,
        prediction=replace(machine.advice.prediction, violation_risk=None),
        **changes,
    )
    applied = replace(machine, advice=advice, before=advice.current)
    with here.state.writing() as connection:
        inventory.upsert_resources(connection, [resource])
        save_applied(connection, applied)
    return applied


def disk_of(here: Office) -> EbsVolume:
    one = replace(volume(7, "gp3", 500), account_id=ALPHA)
    followed(here, one, resource_type=EBS_VOLUME, current=GP2, advised=GP3)
    return one


def go_on_reading(here: Office, disk: EbsVolume, mibps: float) -> None:
    window = Window(FIRST, FIRST + timedelta(days=14))
    shape = (1, 15 * SLOTS_PER_DAY)
    series = {
        key: np.broadcast_to(np.asarray(values, np.float32), shape).copy()
        for key, values in use(100, mibps).items()
    }
    with here.state.reading() as connection:
        key = place(connection, [disk])[disk.arn]
    put_samples(here.state, here.tiles, key, ShardSamples((disk.arn,), window, series))
    here.desk.clock.moment = START + FORTNIGHT


def of_type(here: Office, name: str) -> Outcome:
    (found,) = (one for one in outcomes_of(here) if one.applied.advice.resource_type == name)
    return found


# 99 % of the 125 MiB/s of gp3 are 123.75; gp2 of 500 GiB had 250.
@pytest.mark.parametrize(("mibps", "violated"), [(124.0, True), (123.0, False)])
def test_a_volume_is_judged_by_its_own_limits_without_a_predicted_risk(
    here: Office, mibps: float, violated: bool
) -> None:
    go_on_reading(here, disk_of(here), mibps)

    found = of_type(here, EBS_VOLUME)

    assert (found.violated, found.complete) == (violated, True)
    assert (found.smaller_in, found.violation_risk) == (("Throughput",), None)
    assert found.violated_in == (("Throughput",) if violated else ())
    assert found.hours_are == ELAPSED
    verdicts = totals_of([found]).verdicts
    assert (verdicts.judged, verdicts.predicted, verdicts.expected_violations) == (1, 0, 0.0)


# Before, 2 of 10 calls in each slot failed; 0.1 % more is forgiven, and so is what may be chance.
@pytest.mark.parametrize(("failed", "violated"), [(2, False), (3, True)])
def test_a_function_with_less_memory_is_judged_by_what_fails_of_its_calls(
    here: Office, failed: int, violated: bool
) -> None:
    worker = replace(function("worker", 512), account_id=ALPHA)
    more, less = {"memorySize": 1024}, {"memorySize": 512}
    followed(here, worker, resource_type=LAMBDA_FUNCTION, current=more, advised=less)
    errors = np.full((1, 30 * SLOTS_PER_DAY), failed, np.float32)
    # The change may have been made up to a day before it was noticed, so that day does not count.
    errors[:, : 14 * SLOTS_PER_DAY + SEEN_SLOT] = 2
    errors[:, 14 * SLOTS_PER_DAY + SEEN_SLOT : 15 * SLOTS_PER_DAY] = 9
    series = {INVOCATIONS: np.full_like(errors, 10), ERRORS: errors}
    window = Window(FIRST - timedelta(days=15), FIRST + timedelta(days=14))
    with here.state.reading() as connection:
        key = place(connection, [worker])[worker.arn]
    put_samples(here.state, here.tiles, key, ShardSamples((worker.arn,), window, series))
    here.desk.clock.moment = START + FORTNIGHT

    found = of_type(here, LAMBDA_FUNCTION)

    assert (found.violated, found.complete) == (violated, True)
    assert found.violated_in == (("Errors",) if violated else ())
    # Nobody sent its memory, and nobody throttles.
    assert found.unseen_in == ("Memory", "Throttles")
    # The backtest tells so of what was followed, and of its type only.
    told = with_changes({}, here.state, here.tiles, here.desk.clock, FUNCTIONS)["changes"]
    assert (told["made"], told["judged"], told["violated"]) == (1, 1, int(violated))
    assert told["by_dimension"] == {"Errors": {"judged": 1, "violated": int(violated)}}


def test_what_sent_nothing_of_what_became_smaller_is_not_judged(here: Office) -> None:
    disk = disk_of(here)
    here.desk.clock.moment = START + FORTNIGHT

    assert of_type(here, EBS_VOLUME).unjudged_because == "it sent nothing since"
    go_on_reading(here, disk, float("nan"))
    found = of_type(here, EBS_VOLUME)
    assert (found.violated, found.unseen_in) == (None, ("Throughput",))
    assert found.unjudged_because == "it sent nothing of what became smaller"


def test_a_license_has_no_capacity_to_be_judged(here: Office) -> None:
    go_on(here, 30.0)
    changes = {"current": {"edition": "Enterprise"}, "advised": {"edition": "Standard"}}
    followed(here, here.fleet[1], resource_type=LICENSE, **changes)

    found = of_type(here, LICENSE)

    assert found.realized_savings_usd is not None
    assert found.unjudged_because == "such a change leaves every capacity as it was"


def stopped(here: Office) -> Decision:
    one = replace(here.fleet[1], state="stopped")
    configurations = {"current": {IN_USE: True}, "advised": {IN_USE: False}}
    return followed(here, one, resource_type="EC2Instance", idle=True, **configurations)


def test_what_was_stopped_and_stays_so_is_not_violated(here: Office) -> None:
    stopped(here)
    here.desk.clock.moment = START + FORTNIGHT

    found = of_type(here, "EC2Instance")

    assert (found.violated, found.complete, found.judged_days) == (False, True, 14.0)


# Within 14 days counts; the day after them does not.
@pytest.mark.parametrize(("days", "violated"), [(3, True), (15, False)])
def test_what_is_used_again_within_a_fortnight_was_not_idle(
    here: Office, days: int, violated: bool
) -> None:
    applied = stopped(here)
    here.desk.clock.moment = START + timedelta(days=20)
    again = replace(applied, ended_at=START + timedelta(days=days), became={IN_USE: True})
    with here.state.writing() as connection:
        save_applied(connection, again)

    found = of_type(here, "EC2Instance")

    assert (found.violated, found.complete) == (violated, True)


def test_what_was_deleted_cannot_be_used_again_and_says_so(here: Office) -> None:
    stopped(here)
    with here.state.writing() as connection:
        inventory.remove_others(connection, (ALPHA, REGION, EC2_INSTANCE), [here.fleet[0].arn])
    here.desk.clock.moment = START + FORTNIGHT

    found = of_type(here, "EC2Instance")

    assert (found.violated, found.complete) == (None, False)
    assert found.unjudged_because == "it is not there any more, so it cannot be used again"


def outcomes_of(here: Office, accounts: list[str] | None = None) -> list[Outcome]:
    return outcomes(here.state, here.tiles, here.desk.clock, accounts)


def test_only_accounts_that_are_asked_for_and_opted_in_are_told(here: Office) -> None:
    assert len(outcomes_of(here, [ALPHA])) == 1
    assert outcomes_of(here, [BETA]) == []

    here.desk.opt_out(ALPHA)
    assert outcomes_of(here) == []


def test_totals_hold_what_came_against_what_was_expected(here: Office) -> None:
    go_on(here, 30.0)
    found = came(here)
    risk = found.violation_risk
    assert risk is not None
    hurt, unknown = replace(found, violated=True), replace(found, realized_savings_usd=None)

    totals = totals_of([found, hurt, unknown, replace(found, violated=None)])

    assert (totals.changes, totals.without_price) == (4, 1)
    verdicts = totals.verdicts
    assert (verdicts.judged, verdicts.violations) == (3, 1)
    assert (verdicts.predicted, verdicts.violations_of_predicted) == (3, 1)
    assert verdicts.expected_violations == pytest.approx(3 * risk)
    assert found.realized_savings_usd is not None
    assert totals.realized_savings_usd == pytest.approx(3 * found.realized_savings_usd)


def test_nothing_applied_has_no_outcome(copied_office: Office) -> None:
    quiet = copied_office

    assert outcomes_of(quiet) == []


def test_what_was_kept_is_told_with_its_moment_until_the_change_is_another(here: Office) -> None:
    go_on(here, 30.0)
    account = here.fleet[0].account_id
    assert kept_outcomes(here.state, here.tiles, here.desk.clock, {account}) == ([came(here)], None)
    kept = came(here)
    assert keep_outcomes(here.state, here.tiles, here.desk.clock) == 1
    judged_at = here.desk.clock.now()
    here.desk.clock.moment += timedelta(days=3)

    # What was kept is told as it was, though three more days have passed.
    found = kept_outcomes(here.state, here.tiles, here.desk.clock, {account})
    assert found == ([kept], judged_at)
    assert kept_outcomes(here.state, here.tiles, here.desk.clock, {"999999999999"}) == ([], None)
    with here.state.writing() as connection:
        (applied,) = applied_ones(connection, {account})
        ended = replace(applied, ended_at=here.desk.clock.now())
        change = applied_changes.c.applied_at == applied.applied_at
        body = msgspec.json.encode(ended)
        connection.execute(update(applied_changes).where(change).values(body=body))

    ((fresh,), moment) = kept_outcomes(here.state, here.tiles, here.desk.clock, {account})
    assert (fresh.until, moment) == (here.desk.clock.now(), None)
