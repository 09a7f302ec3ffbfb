"""What is legal but wrong in how a program calls."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from compute_optimizer.emulator.faults import drop, garble
from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.emulator.running import emulator
from compute_optimizer.emulator.strict import (
    FILTER_SPELLING,
    FIRST_PAGE,
    LATER_PAGE,
    PAGE_PARAMETERS,
    RULES,
    chosen_rules,
)
from compute_optimizer.errors import InvalidInput
from tests.calling import AFTER_LAST_DAY, Connect, analyze_fleet

INSTANCES = "GetEC2InstanceRecommendations"


@pytest.fixture
def running() -> Iterator[Emulator]:
    with emulator(clock=AFTER_LAST_DAY, frozen=True, strict=True) as one:
        yield one
        one.strict.dismiss()


def broken(running: Emulator) -> list[str]:
    return [one.rule for one in running.strict.violations()]


def page(client: Any, token: str | None = None, **request: Any) -> Any:
    if token is not None:
        request["nextToken"] = token
    return client.get_ec2_instance_recommendations(**request)


def test_three_resources_make_two_pages(running: Emulator, connect: Connect) -> None:
    analyze_fleet(running, 3)
    client = connect(running)
    first = page(client)
    last = page(client, first["nextToken"])

    assert len(first["instanceRecommendations"]) == 2
    assert len(last["instanceRecommendations"]) == 1
    assert "nextToken" not in last
    assert broken(running) == []


def test_a_first_page_was_taken_for_all(running: Emulator, connect: Connect) -> None:
    analyze_fleet(running, 3)
    page(connect(running))

    (found,) = running.strict.violations()
    assert found.rule == FIRST_PAGE
    assert str(found) == (
        f"call 1, {INSTANCES}: the first page was taken for all: ask on with the nextToken of "
        "each answer until an answer has none."
    )


def test_another_listing_of_the_same_does_not_stand_in_for_one(
    running: Emulator, connect: Connect
) -> None:
    analyze_fleet(running, 3)
    client = connect(running)
    first = page(client)
    page(client, first["nextToken"])
    again = page(client)

    assert again["nextToken"] == first["nextToken"]  # while the clock stands still
    (found,) = running.strict.violations()
    assert (found.rule, found.calls) == (FIRST_PAGE, (3,))


def test_a_later_page_was_dropped(running: Emulator, connect: Connect) -> None:
    analyze_fleet(running, 5)
    client = connect(running)
    page(client, page(client)["nextToken"])

    (found,) = running.strict.violations()
    assert (found.rule, found.calls) == (LATER_PAGE, (2,))


def test_an_answer_that_never_arrived_has_no_pages_to_ask_for(
    running: Emulator, connect: Connect
) -> None:
    analyze_fleet(running, 3)
    running.faults.add(drop(INSTANCES, when="middle", times=1))
    client = connect(running, attempts=2)
    first = page(client)
    # By then the clock tells another time, so that tokens differ.
    page(client, first["nextToken"])

    assert len(running.calls(INSTANCES)) == 3
    assert broken(running) == []


def test_a_page_that_was_asked_for_and_never_came_was_not_dropped(
    running: Emulator, connect: Connect
) -> None:
    analyze_fleet(running, 3)
    client = connect(running)
    token = page(client)["nextToken"]
    running.faults.add(drop(INSTANCES))
    with pytest.raises(ConnectionClosedError):
        page(client, token)

    assert broken(running) == []


def test_an_answer_that_was_tried_again_has_no_pages_to_ask_for(connect: Connect) -> None:
    with emulator(clock=AFTER_LAST_DAY, strict=True) as running:
        analyze_fleet(running, 3)
        running.faults.add(garble(INSTANCES, body="", status=503, times=1))
        client = connect(running, attempts=2)
        page(client, page(client)["nextToken"])

        tokens = [(one.answer or {}).get("nextToken") for one in running.calls(INSTANCES)]
        assert tokens[0] != tokens[1]


def test_a_page_was_asked_for_with_other_parameters(running: Emulator, connect: Connect) -> None:
    analyze_fleet(running, 3)
    client = connect(running)
    token = page(client)["nextToken"]
    with pytest.raises(ClientError, match="not valid for this request"):
        page(client, token, filters=[{"name": "Finding", "values": ["Overprovisioned"]}])

    (found,) = running.strict.violations()
    assert (found.rule, found.calls) == (PAGE_PARAMETERS, (1, 2))
    assert "call 2" in found.message
    assert "filters differs from call 1" in found.message


def test_a_page_was_asked_for_by_another_account(running: Emulator, connect: Connect) -> None:
    analyze_fleet(running, 3, "111111111111")
    analyze_fleet(running, 3, "222222222222")
    token = page(connect(running, "111111111111"))["nextToken"]
    with pytest.raises(ClientError):
        page(connect(running, "222222222222"), token)

    (found,) = running.strict.violations()
    assert found.rule == PAGE_PARAMETERS
    assert "the account differs" in found.message


def test_pages_may_be_of_any_size(running: Emulator, connect: Connect) -> None:
    analyze_fleet(running, 3)
    client = connect(running)
    first = page(client, maxResults=1)
    page(client, first["nextToken"], maxResults=1000)

    assert broken(running) == []


@pytest.mark.parametrize(
    ("value", "right"),
    [("OVER_PROVISIONED", "Overprovisioned"), ("overprovisioned", "Overprovisioned")],
)
def test_a_filter_was_spelled_as_answers_are(
    running: Emulator, connect: Connect, value: str, right: str
) -> None:
    analyze_fleet(running, 1)
    filters = [{"name": "Finding", "values": [value]}]
    try:
        page(connect(running), filters=filters)
    except ClientError as error:
        assert "is not valid" in str(error)

    (found,) = running.strict.violations()
    assert found.rule == FILTER_SPELLING
    assert f"{value!r}, which is documented as {right!r}" in found.message


@pytest.mark.parametrize(
    ("call", "name", "values"),
    [
        ("get_ec2_instance_recommendations", "Finding", ["Overprovisioned", "Optimized"]),
        ("get_ec2_instance_recommendations", "tag:OVER_PROVISIONED", ["OPTIMIZED"]),
        (
            "get_license_recommendations",
            "FindingReasonCode",
            ["CloudwatchApplicationInsightsError"],
        ),
        (
            "get_license_recommendations",
            "FindingReasonCode",
            ["CloudWatchApplicationInsightsError"],
        ),
        ("get_rds_database_recommendations", "Idle", ["True"]),
    ],
)
def test_documented_filters_are_right(
    running: Emulator, connect: Connect, call: str, name: str, values: list[str]
) -> None:
    analyze_fleet(running, 1)
    getattr(connect(running), call)(filters=[{"name": name, "values": values}])

    assert broken(running) == []


def test_named_resources_come_on_one_page(running: Emulator, connect: Connect) -> None:
    arns = analyze_fleet(running, 5)
    answer = page(connect(running), instanceArns=arns)

    assert len(answer["instanceRecommendations"]) == 5
    assert broken(running) == []


def test_a_request_has_the_page_that_it_asks_for(running: Emulator, connect: Connect) -> None:
    analyze_fleet(running, 5)

    assert len(page(connect(running), maxResults=5)["instanceRecommendations"]) == 5


def test_a_page_size_that_was_chosen_holds(connect: Connect) -> None:
    with emulator(clock=AFTER_LAST_DAY, strict=True, settings={"page_size": 4}) as running:
        analyze_fleet(running, 4)

        assert len(page(connect(running))["instanceRecommendations"]) == 4


def test_every_listing_pages_small(running: Emulator, connect: Connect) -> None:
    analyze_fleet(running, 1)
    answer = connect(running).get_recommendation_summaries()

    # One summary for each type of resource of the account: more than two.
    assert len(answer["recommendationSummaries"]) == 2
    assert "nextToken" in answer


def test_pages_have_their_usual_size_where_nothing_is_strict(connect: Connect) -> None:
    with emulator(clock=AFTER_LAST_DAY) as running:
        analyze_fleet(running, 3)

        assert len(page(connect(running))["instanceRecommendations"]) == 3


def test_a_block_that_ends_well_raises_what_was_wrong_with_the_calls(connect: Connect) -> None:
    with (
        pytest.raises(AssertionError) as caught,
        emulator(clock=AFTER_LAST_DAY, frozen=True, strict=True) as running,
    ):
        analyze_fleet(running, 3)
        page(connect(running))

    assert str(caught.value).splitlines() == [
        "What the program did is legal, but wrong:",
        f"  - call 1, {INSTANCES}: the first page was taken for all: ask on with the nextToken of "
        "each answer until an answer has none.",
        "Its calls:",
        f"  1. {INSTANCES} by 111111111111 -> ok",
    ]


def test_a_block_that_fails_is_not_told_more(connect: Connect) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        emulator(clock=AFTER_LAST_DAY, strict=True) as running,
    ):
        analyze_fleet(running, 3)
        page(connect(running))
        raise ZeroDivisionError


def test_only_the_chosen_rules_hold(connect: Connect) -> None:
    with emulator(clock=AFTER_LAST_DAY, strict=[FILTER_SPELLING]) as running:
        analyze_fleet(running, 3)
        page(connect(running))

        assert broken(running) == [FIRST_PAGE]  # told, but no reason to fail


def test_rules_are_all_none_or_named() -> None:
    assert chosen_rules(True) == RULES.keys()
    assert chosen_rules(False) == frozenset()
    assert chosen_rules([FIRST_PAGE, LATER_PAGE]) == {FIRST_PAGE, LATER_PAGE}
    assert chosen_rules(FIRST_PAGE) == {FIRST_PAGE}
    with pytest.raises(InvalidInput, match="no rule 'paging'; expected True or some of"):
        chosen_rules(["paging"])
