"""`compute-optimizer analyze`, as somebody types it."""

import json

import pytest

from compute_optimizer.cli.analyze import counted_types
from compute_optimizer.model.resource import EBS_VOLUME, EC2_INSTANCE, ECS_SERVICE
from tests.cli.conftest import Type
from tests.enrolling import ALPHA, BETA

LAST_DAY = "2026-03-14"
"""Of the stored samples."""


@pytest.mark.parametrize(
    ("types", "words"),
    [
        ([], "no resources"),
        ([EC2_INSTANCE], "2 instances"),
        ([EBS_VOLUME, EC2_INSTANCE], "2 volumes and 2 instances"),
        ([EBS_VOLUME, ECS_SERVICE, EC2_INSTANCE], "2 volumes, 2 services and 2 instances"),
    ],
)
def test_what_was_analyzed_is_listed_as_people_list_things(types: list[str], words: str) -> None:
    assert counted_types({name: {"Optimized": 2} for name in types}) == words


@pytest.mark.usefixtures("fleet")
def test_the_table_tells_how_many_of_what_and_the_savings(typed: Type) -> None:
    ended = typed("analyze", "--as-of", LAST_DAY)

    assert ended.code == 0
    assert "Analyzed 2 instances of 1 account, 2026-03-01 to 2026-03-14" in ended.out
    lines = [line.split() for line in ended.out.splitlines()]
    assert ["Overprovisioned", "1"] in lines
    assert ["Underprovisioned", "1"] in lines
    assert "Estimated monthly savings: " in ended.out


@pytest.mark.usefixtures("fleet")
def test_json_tells_the_same_to_programs(typed: Type) -> None:
    ended = typed("analyze", "--as-of", LAST_DAY, "--output", "json")

    told = json.loads(ended.out)
    assert told["asOf"] == "2026-03-15T00:00:00+00:00"
    assert (told["lookBackFirstDay"], told["lookBackLastDay"]) == ("2026-03-01", "2026-03-14")
    assert told["accounts"] == [ALPHA]
    assert told["resources"] == 2
    assert told["findings"] == {"Overprovisioned": 1, "Underprovisioned": 1}
    assert told["errors"] == {}
    assert told["estimatedMonthlySavings"] > 0
    assert told["seconds"] > 0


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("given", "as_of"),
    [
        ("2026-03-13T06:00", "2026-03-13T06:00:00+00:00"),
        ("2026-03-13T06:00:00+02:00", "2026-03-13T04:00:00+00:00"),
        ("2026-03-13", "2026-03-14T00:00:00+00:00"),
    ],
)
def test_as_of_takes_moments_in_utc_and_days_to_their_end(
    typed: Type, given: str, as_of: str
) -> None:
    ended = typed("analyze", "--as-of", given, "--output", "json")

    assert json.loads(ended.out)["asOf"] == as_of


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    "given", ["yesterday", "2999-01-01", "9999-12-31", "0001-01-01", "0001-01-01T00:00+14:00", ""]
)
def test_a_moment_that_cannot_be_is_wrong_input(typed: Type, given: str) -> None:
    ended = typed("analyze", "--as-of", given)

    assert ended.code == 2
    assert "as of" in ended.err or "--as-of" in ended.err
    assert "expected" in ended.err


@pytest.mark.usefixtures("fleet")
def test_samples_outside_the_period_alone_are_wrong_input_with_the_way_out(typed: Type) -> None:
    # The samples are of 2026; the machine's clock is past their two weeks.
    ended = typed("analyze")

    assert ended.code == 2
    assert f"analyze with --as-of {LAST_DAY}" in ended.err
    assert ended.out == ""


def test_without_an_opted_in_account_it_is_a_conflict(typed: Type) -> None:
    ended = typed("analyze")

    assert ended.code == 4
    assert "opt in" in ended.err


@pytest.mark.usefixtures("fleet")
def test_an_account_that_is_not_opted_in_is_a_conflict(typed: Type) -> None:
    ended = typed("analyze", "--account", BETA)

    assert ended.code == 4
    assert BETA in ended.err
