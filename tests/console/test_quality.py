"""The page of quality: backtests of what the visitor sees, and who may ask for one."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from compute_optimizer.console.pages.quality import CLASSES
from compute_optimizer.console.words import risk
from compute_optimizer.jobs.quality import backtest_fleets, backtest_requested
from compute_optimizer.model.backtested import DEMO, QueuedBacktest
from compute_optimizer.model.forecast import AccountScore, Counted, Score
from compute_optimizer.model.metrics import SLOTS_PER_DAY, ShardSamples, Window
from compute_optimizer.resources.functions.failures import ERRORS
from compute_optimizer.store.backtests import (
    backtests_of,
    find_request,
    note_progress,
    request_backtest,
    save_backtests,
)
from compute_optimizer.store.forecasts import save_score
from compute_optimizer.store.inventory import place, upsert_resources
from tests.console.conftest import House
from tests.console.visiting import text, words
from tests.functions import function, runs
from tests.records import ACCOUNT, NOW
from tests.samples import put_samples
from tests.stored_fleets import LAST_DAY, store_fleet

NONE = Counted(0, 0.0, 0, (0.0, 0.0), None)


def measured(house: House, days: int) -> None:
    house.enroll(ACCOUNT)
    store_fleet(house.state, house.room.tiles, ACCOUNT, cpu=(10.0, 20.0, 30.0), days=days)
    backtest_fleets(house.state, house.room.tiles, house.clock)


def test_harm_and_savings_stand_beside_those_of_other_rules(house: House) -> None:
    measured(house, 28)
    visit = house.visit()
    visit.sign_in(ACCOUNT)
    page = words(visit.get("/console/quality"))

    assert "3 of 3 instances" in page
    assert "1 test window of 14 days" in page
    for rule in ("default this advice", "keep", "vpa", "kubecost", "oracle with hindsight"):
        assert rule in page
    assert "Very low (0)" in page
    assert 'id="quality-data"' in text(visit.get("/console/quality"))


def test_too_little_data_is_said(house: House) -> None:
    measured(house, 27)
    visit = house.visit()
    visit.sign_in(ACCOUNT)

    page = words(visit.get("/console/quality"))

    assert "Too little data to test EC2 instances" in page
    assert "has 27 days of samples; a backtest needs 14 days" in page
    assert "not tested yet" in words(visit.get("/console/quality?type=EbsVolume"))


def test_a_backtest_is_asked_for_and_made_by_the_worker(house: House) -> None:
    measured(house, 28)
    visit = house.visit()
    visit.sign_in(ACCOUNT)
    response = visit.send("/console/quality")
    assert (response.status, response.headers["location"]) == (303, "/console/quality")
    page = text(visit.get("/console/quality"))
    assert "waits for the worker" in page
    assert "Test again now" not in page

    backtest_requested(house.state, house.room.tiles, house.clock)

    assert "Test again now" in text(visit.get("/console/quality"))
    assert '"backtest request"' in house.audit


def test_who_waits_sees_how_far_it_is(house: House) -> None:
    measured(house, 28)
    visit = house.visit()
    visit.sign_in(ACCOUNT)
    request = QueuedBacktest(ACCOUNT, NOW, "somebody")
    with house.state.writing() as connection:
        request_backtest(connection, request)
        note_progress(connection, request, "EbsVolume", 3, 12)

    page = words(visit.get("/console/quality"))

    # Volumes are the second of the five types.
    assert "Being tested: EBS volumes, 25 % done, type 2 of 5" in page
    assert "being tested" in page
    assert "Test again now" not in page


def test_the_demo_says_what_its_own_test_waits_for(house: House) -> None:
    house.enroll(ACCOUNT)
    with house.state.writing() as connection:
        request_backtest(connection, QueuedBacktest(ACCOUNT, NOW, DEMO))
    visit = house.visit()
    visit.sign_in(ACCOUNT)

    assert "once four weeks of the demo are generated" in words(visit.get("/console/quality"))


def test_scores_of_other_accounts_are_not_told(house: House) -> None:
    measured(house, 27)
    mine, other = (AccountScore(one, 40, 2.5, 3) for one in (ACCOUNT, "999999999999"))
    day = NOW - timedelta(days=20)
    with house.state.writing() as connection:
        for run, scores in (("a", (mine, other)), ("b", (other,)), ("c", ())):
            score = Score(run, day, NOW, 80, 80, 0, 0, 0, NONE, NONE, (), scores)
            save_score(connection, score)
    visit = house.visit()
    visit.sign_in(ACCOUNT)

    page = words(visit.get("/console/quality"))

    # Only the account's own options: 40, of which 2.5 were expected and 3 came.
    assert f"{day.date()} 40 2.5 3" in page
    assert page.count(str(day.date())) == 1


def run_functions(house: House, days: int, failing: float) -> None:
    """Store two functions; in the last two weeks so many more of 100 calls fail of the first."""
    house.enroll(ACCOUNT)
    fleet = [replace(function(name, 1024), account_id=ACCOUNT) for name in ("worker", "other")]
    shape = (len(fleet), days * SLOTS_PER_DAY)
    series = {
        key: np.broadcast_to(np.asarray(values, np.float32), shape).copy()
        for key, values in runs(100, 200.0, 300.0).items()
    }
    series[ERRORS] = np.ones(shape, np.float32)
    series[ERRORS][0, -14 * SLOTS_PER_DAY :] += failing
    window = Window(LAST_DAY - timedelta(days=days - 1), LAST_DAY)
    with house.state.writing() as connection:
        upsert_resources(connection, fleet)
        key = place(connection, fleet)[fleet[0].arn]
    samples = ShardSamples(tuple(one.arn for one in fleet), window, series)
    put_samples(house.state, house.room.tiles, key, samples)
    backtest_fleets(house.state, house.room.tiles, house.clock)


def test_of_functions_it_tells_what_failed_without_a_change_and_after_real_ones(
    house: House,
) -> None:
    run_functions(house, 28, failing=2.0)
    visit = house.visit()
    visit.sign_in(ACCOUNT)

    page = words(visit.get("/console/quality?type=LambdaFunction"))

    # Errors of one of two rose from 1 to 3 %; nobody counts throttles.
    assert "Errors 2 1 50.0 %" in page
    assert "Throttles 0 0" in page
    assert "What came of the advice that was followed 0 changes so far" in page


def test_a_backtest_of_an_earlier_version_is_shown_without_what_it_does_not_tell(
    house: House,
) -> None:
    run_functions(house, 28, failing=0.0)
    with house.state.writing() as connection:
        last = backtests_of(connection, ACCOUNT)["LambdaFunction"]
        report = {name: told for name, told in last.report.items() if name != "changes"}
        del report["overall"]["failures"]
        save_backtests(connection, [replace(last, report=report)])
    visit = house.visit()
    visit.sign_in(ACCOUNT)

    page = words(visit.get("/console/quality?type=LambdaFunction"))

    assert "what the advice would have done" in page
    assert "failed more often" not in page
    assert "that was followed" not in page


def test_who_may_only_read_sees_and_starts_nothing(secured: House) -> None:
    measured(secured, 28)
    key = secured.new_key("compute-optimizer:Get*", account=ACCOUNT)
    visit = secured.visit()
    visit.post(
        "/console/sign-in",
        access_key_id=key.access_key_id,
        secret_access_key=key.secret_access_key,
    )

    page = text(visit.get("/console/quality"))

    assert "oracle" in page
    assert "Test again now" not in page
    assert visit.send("/console/quality").status == 403
    with secured.state.reading() as connection:
        assert find_request(connection, ACCOUNT) is None


def test_risk_classes_are_called_as_lists_call_their_risks() -> None:
    assert [one.partition(" (")[0] for one in CLASSES] == [
        risk(float(score)).partition(" (")[0] for score in range(5)
    ]
