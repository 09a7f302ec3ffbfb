"""The page of how the backtests of a fleet moved, its file, and who may look at it."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest

from compute_optimizer.jobs.quality import backtest_fleets
from compute_optimizer.model.backtested import Backtested
from compute_optimizer.store.backtests import backtests_of, save_backtests
from compute_optimizer.store.quality_tables import backtest_history
from tests.backtested import report
from tests.console.conftest import House
from tests.console.visiting import text, words
from tests.records import ACCOUNT, NOW
from tests.stored_fleets import store_fleet

WEEK = timedelta(days=7)
HISTORY = "/console/quality/history"


def keep(house: House, weeks: int = 3, account: str = ACCOUNT) -> None:
    """Keep backtests of volumes in which so many percent were violated as weeks have passed."""
    with house.state.writing() as connection:
        for week in range(1, weeks + 1):
            made = Backtested(account, "EbsVolume", NOW + week * WEEK, 1, 50, 50)
            save_backtests(connection, [replace(made, report=report(week / 100))])


def drawn(page: str, of: str = "history") -> dict[str, list[object]]:
    """Return what the script of a page draws."""
    found = re.search(rf'id="{of}-data">(.*?)</script>', page)
    assert found is not None
    charts: dict[str, list[object]] = json.loads(found[1])
    return charts


def test_the_figures_of_every_backtest_stand_in_the_table_and_in_the_charts(house: House) -> None:
    house.enroll(ACCOUNT)
    keep(house)
    keep(house, 5, "999999999999")
    visit = house.visit()
    visit.sign_in(ACCOUNT)

    page = visit.get(HISTORY)

    assert "EBS volumes: 3 backtests" in words(page)
    assert words(page).index("94.0 % 3.0 %") < words(page).index("98.0 % 1.0 %")
    charts = drawn(text(page))
    assert charts["made"] == [(NOW + week * WEEK).timestamp() for week in (1, 2, 3)]
    # Twice as many of the reductions were violated as of all.
    assert charts["hits"] == pytest.approx([98, 96, 94])
    assert charts["violations"][0] == pytest.approx([1, 0, 20])
    # Of volumes no risk is predicted.
    assert charts["ratios"] == [[None, None, None]] * 3
    assert "ratios-chart" not in text(page)


def test_a_type_without_a_backtest_says_so(house: House) -> None:
    house.enroll(ACCOUNT)
    visit = house.visit()
    visit.sign_in(ACCOUNT)

    assert "EC2 instances: no backtest is kept yet" in words(visit.get(HISTORY))
    assert "EC2 instances: no backtest" in words(visit.get(f"{HISTORY}?type=nonsense"))


def test_the_file_has_every_backtest_that_is_kept(house: House) -> None:
    house.enroll(ACCOUNT)
    keep(house)
    visit = house.visit()
    visit.sign_in(ACCOUNT)

    rows = list(csv.DictReader(io.StringIO(text(visit.get(f"{HISTORY}/export")))))

    assert [row["Violated"] for row in rows] == ["0.01", "0.02", "0.03"]
    assert {row["Type"] for row in rows} == {"EbsVolume"}
    assert rows[0]["Violations expected"] == ""


def test_types_that_a_policy_does_not_show_have_no_history(secured: House) -> None:
    secured.enroll(ACCOUNT)
    keep(secured)
    allowed = ("compute-optimizer:GetRecommendationSummaries", "compute-optimizer:GetEC2*")
    key = secured.new_key(*allowed, account=ACCOUNT)
    visit = secured.visit()
    visit.post(
        "/console/sign-in",
        access_key_id=key.access_key_id,
        secret_access_key=key.secret_access_key,
    )

    assert "EC2 instances: no backtest is kept" in words(visit.get(f"{HISTORY}?type=EbsVolume"))
    assert "EbsVolume" not in text(visit.get(f"{HISTORY}/export"))


def test_a_past_backtest_is_shown_as_it_was_when_it_was_the_newest(house: House) -> None:
    house.enroll(ACCOUNT)
    levels = (10.0, 20.0, 30.0)
    store_fleet(house.state, house.room.tiles, ACCOUNT, cpu=levels, days=28)
    backtest_fleets(house.state, house.room.tiles, house.clock)
    visit = house.visit()
    visit.sign_in(ACCOUNT)
    newest = text(visit.get("/console/quality"))
    with house.state.writing() as connection:
        (last,) = backtests_of(connection, ACCOUNT).values()
        later = replace(last, made_at=last.made_at + WEEK, replayed=2)
        save_backtests(connection, [later])

    address = f"/console/quality/past?type=Ec2Instance&made={quote(last.made_at.isoformat())}"
    assert address.replace("&", "&amp;") in text(visit.get(HISTORY))
    past = visit.get(address)

    assert f"Backtest of {last.made_at:%Y-%m-%d %H:%M} UTC" in words(past)
    # Every table and chart is that of then; only what is measured each day is not.
    assert sections(text(past)) == sections(newest)[:-1]
    assert "3 of 3 instances" in words(past)
    assert drawn(text(past), "quality") == drawn(newest, "quality")
    assert "2 of 3 instances" in words(visit.get("/console/quality"))


def sections(page: str) -> list[str]:
    """Return the parts of a page that tell of one backtest."""
    found = re.findall(r"<section .*?</section>", page, re.DOTALL)
    return [one for one in found if 'id="backtests"' not in one]


@pytest.mark.parametrize(
    "asked",
    [
        "type=EbsVolume&made=yesterday",
        "type=EbsVolume&made=2026-01-01T00%3A00%3A00",
        "type=EbsVolume&made=2020-01-01T00%3A00%3A00%2B00%3A00",
        "type=EbsVolume&made=0001-01-01T00%3A00%3A00%2B05%3A00",
        "type=EbsVolume",
    ],
)
def test_a_backtest_that_is_not_kept_says_so(house: House, asked: str) -> None:
    house.enroll(ACCOUNT)
    keep(house)
    visit = house.visit()
    visit.sign_in(ACCOUNT)

    response = visit.get(f"/console/quality/past?{asked}")

    assert response.status == 404
    assert "choose one of the history" in words(response)


def test_a_backtest_of_an_earlier_release_has_figures_and_no_page(house: House) -> None:
    house.enroll(ACCOUNT)
    keep(house)
    with house.state.writing() as connection:
        connection.execute(backtest_history.update().values(shown=None))
    visit = house.visit()
    visit.sign_in(ACCOUNT)

    assert "EBS volumes: 3 backtests" in words(visit.get(HISTORY))
    assert "/console/quality/past" not in text(visit.get(HISTORY))
