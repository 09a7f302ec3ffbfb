"""`compute-optimizer recommend`, as somebody types it."""

import json
from typing import Any

import pytest

from tests.cli.conftest import MACHINES, Type
from tests.enrolling import ALPHA, BETA


def told(typed: Type, *words: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(typed("recommend", *words, "--output", "json").out)
    return answer


@pytest.mark.usefixtures("analyzed")
def test_the_table_has_the_largest_savings_first_and_the_total(typed: Type) -> None:
    ended = typed("recommend")

    assert ended.code == 0
    assert ended.out.index("web-0") < ended.out.index("web-1")
    assert "1 overprovisioned, 1 underprovisioned" in ended.out
    assert "Total estimated savings: " in ended.out


def test_json_has_what_programs_need(typed: Type, analyzed: list[str]) -> None:
    answer = told(typed)

    quiet, busy = answer["recommendations"]
    assert (quiet["instanceArn"], busy["instanceArn"]) == tuple(analyzed)
    assert quiet["finding"] == "Overprovisioned"
    assert quiet["currentInstanceType"] == "m5.xlarge"
    assert "CPUUnderprovisioned" in busy["findingReasonCodes"]
    # What costs more is no saving.
    assert busy["estimatedMonthlySavings"] == 0
    assert answer["totalEstimatedMonthlySavings"] == quiet["estimatedMonthlySavings"] > 0


@pytest.mark.usefixtures("analyzed")
@pytest.mark.parametrize(
    "words", [["--account", BETA], ["--region", "eu-west-1"], ["--type", "EbsVolume"]]
)
def test_a_list_that_was_narrowed_to_nothing_does_not_say_that_nothing_was_analyzed(
    typed: Type, words: list[str]
) -> None:
    said = typed("recommend", *words).out

    assert said == (
        "No recommendation fits the given account, region, type and state; leave one of them out.\n"
    )


@pytest.mark.usefixtures("analyzed")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--region", "mars"],
            "--region 'mars' is no Region that the catalog knows, and none with stored resources "
            "(us-east-1); expected one such as us-east-1",
        ),
        (["--account", "12"], "account id '12': expected twelve digits, such as 111111111111"),
        (["--type", "Idle", "--region", "mars"], "--region 'mars' is no Region"),
    ],
)
def test_what_is_no_account_and_no_region_is_refused(
    typed: Type, words: list[str], said: str
) -> None:
    ended = typed("recommend", *words)

    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


@pytest.mark.usefixtures("analyzed")
def test_an_account_of_which_nothing_is_stored_is_warned_of(typed: Type) -> None:
    ended = typed("recommend", "--account", ALPHA, "--account", BETA, "--output", "json")

    assert len(json.loads(ended.out)["recommendations"]) == 2
    assert ended.err == (
        f"warning: no resource of account {BETA} is stored; there are some of {ALPHA}\n"
    )


def test_before_anything_is_stored_no_account_is_warned_of(typed: Type) -> None:
    assert typed("recommend", "--account", ALPHA).err == ""


@pytest.mark.usefixtures("analyzed")
@pytest.mark.parametrize(
    ("words", "number"),
    [
        (["--account", ALPHA], 2),
        (["--account", BETA], 0),
        (["--region", "us-east-1"], 2),
        (["--region", "eu-west-1"], 0),
        (["--region", "eu-west-1", "--region", "us-east-1"], 2),
    ],
)
def test_accounts_and_regions_narrow_the_list(typed: Type, words: list[str], number: int) -> None:
    assert len(told(typed, *words)["recommendations"]) == number


@pytest.mark.usefixtures("analyzed")
def test_the_limit_shortens_the_table_and_not_the_total(typed: Type) -> None:
    shortened, whole = (
        typed("recommend", "--limit", "1").out,
        typed("recommend", "--limit", "0").out,
    )

    assert "web-0" in shortened
    assert "web-1" not in shortened
    assert "web-1" in whole
    assert shortened.splitlines()[-2:] == whole.splitlines()[-2:]


def test_before_the_first_analysis_it_says_what_to_do(typed: Type) -> None:
    ended = typed("recommend")

    assert ended.code == 0
    assert "compute-optimizer analyze" in ended.out
    assert told(typed) == {"recommendations": [], "totalEstimatedMonthlySavings": 0}


@pytest.mark.usefixtures("fleet")
def test_an_analysis_in_vain_is_told_apart_from_none(typed: Type) -> None:
    # The samples begin at midnight, and an instance needs those of 30 hours.
    typed("analyze", "--as-of", "2026-03-01T12:00")

    ended = typed("recommend")

    assert "2 resources analyzed, all without one (2 INSUFFICIENT_METRIC_DATA)" in ended.out
    assert "`compute-optimizer explain`" in ended.out
    # A prediction wants whole days: without one it has no rows, and no table.
    assert "Peaks of the next" not in typed("explain", MACHINES[0]).out
