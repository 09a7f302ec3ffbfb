"""Decisions: ids that stay, what may follow what, and what is refused."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from compute_optimizer.errors import Conflict, InvalidInput
from compute_optimizer.model.decision import (
    MOST_NOTE_CHARACTERS,
    TRANSITIONS,
    WHAT_TO_DO,
    Action,
    Decision,
    Said,
    State,
    check_id,
    check_owner,
    decided,
    entry_of,
    owner_by_tags,
    recommendation_id,
)
from tests.decisions import ADVICE, ARN, HERE, ID, LATER, NOW, in_state

SAID = Said("ada", NOW, "because", LATER)


def test_the_id_stays_while_the_same_is_advised_in_any_order_of_its_members() -> None:
    one = recommendation_id(*HERE, {"cpuUnits": 256, "memoryMib": 512})

    assert one == recommendation_id(*HERE, {"memoryMib": 512, "cpuUnits": 256})
    assert check_id(one) == one


@pytest.mark.parametrize("place", range(4))
def test_the_id_is_another_for_another_account_region_resource_and_type(place: int) -> None:
    account, region, arn, resource_type = (
        f"{part}x" if number == place else part for number, part in enumerate(HERE)
    )

    assert recommendation_id(account, region, arn, resource_type, ADVICE.advised) != ID


def test_the_id_is_another_where_another_thing_is_advised() -> None:
    assert recommendation_id(*HERE, {"instanceType": "t3.large"}) != ID


def test_parts_of_an_id_do_not_run_into_each_other() -> None:
    one = recommendation_id("1", "2x", "arn", "type", {})

    assert one != recommendation_id("12", "x", "arn", "type", {})


@pytest.mark.parametrize(
    "text",
    ["", "rec-", ID[:-1], ID + "0", ID.upper(), ID.removeprefix("rec-"), "rec-" + "g" * 20, ARN],
)
def test_what_is_no_id_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no id of a recommendation; expected rec- and 20"):
        check_id(text)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("state", State)
def test_every_action_in_every_state_leads_on_or_is_a_conflict_that_says_what_to_do(
    action: Action, state: State
) -> None:
    before = in_state(state)
    step = TRANSITIONS[action]
    if state not in step.before:
        with pytest.raises(Conflict) as refused:
            decided(before, action, SAID)
        assert WHAT_TO_DO[state] in str(refused.value)
        assert f"is {state.value}, so it cannot be {step.past}" in str(refused.value)
        return

    after = decided(before, action, SAID)

    assert after.state is (step.after or state)
    assert after.advice == ADVICE


def test_the_paths_that_people_take_are_these() -> None:
    """By hand, so that a row of the table cannot change unseen."""
    open_ones = {State.OPEN, State.SNOOZED}
    assert TRANSITIONS[Action.ACCEPT].before == open_ones | {State.DISMISSED}
    assert TRANSITIONS[Action.DISMISS].before == open_ones | {State.ACCEPTED}
    assert TRANSITIONS[Action.SNOOZE].before == open_ones | {State.ACCEPTED, State.DISMISSED}
    assert TRANSITIONS[Action.REOPEN].before == {State.SNOOZED, State.ACCEPTED, State.DISMISSED}
    assert TRANSITIONS[Action.APPLY].before == open_ones | {State.ACCEPTED, State.DISMISSED}
    assert {one for one in Action if TRANSITIONS[one].needs_advice} == {
        Action.ACCEPT,
        Action.SNOOZE,
    }


def test_a_snooze_ends_by_the_clock() -> None:
    snoozed = decided(Decision(ADVICE), Action.SNOOZE, SAID)

    assert snoozed.state_at(LATER - timedelta(seconds=1)) is State.SNOOZED
    assert snoozed.state_at(LATER) is State.OPEN
    # Then it is decided on like anything open, and the log says so.
    awake = Said("eve", LATER)
    accepted = decided(snoozed, Action.ACCEPT, awake)
    assert entry_of(snoozed, accepted, 2, Action.ACCEPT, awake).before is State.OPEN
    assert accepted.snoozed_until is None
    with pytest.raises(Conflict, match="is open, so it cannot be reopened"):
        decided(snoozed, Action.REOPEN, awake)


@pytest.mark.parametrize("until", [None, NOW, NOW - timedelta(days=1)])
def test_a_snooze_needs_a_moment_to_come(until: datetime | None) -> None:
    with pytest.raises(InvalidInput, match="expected a moment after 2026-03-15 06:30"):
        decided(Decision(ADVICE), Action.SNOOZE, replace(SAID, until=until))


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_dismissal_needs_a_reason(reason: str) -> None:
    with pytest.raises(InvalidInput, match="Give a reason"):
        decided(Decision(ADVICE), Action.DISMISS, replace(SAID, note=reason))


def test_a_note_has_an_end() -> None:
    longest = replace(SAID, note="x" * MOST_NOTE_CHARACTERS)
    assert decided(Decision(ADVICE), Action.ACCEPT, longest).note == longest.note

    with pytest.raises(InvalidInput, match=r"2,001 characters; at most 2,000"):
        decided(Decision(ADVICE), Action.ACCEPT, replace(SAID, note=longest.note + "x"))


def test_an_owner_is_one_line() -> None:
    assert check_owner("  team web ") == "team web"
    assert check_owner("") == ""
    for wrong in ("a\nb", "x" * 257):
        with pytest.raises(InvalidInput, match="expected one line of at most 256"):
            check_owner(wrong)


def test_the_first_tag_that_says_something_names_the_owner() -> None:
    names = ("Owner", "Team")

    assert owner_by_tags({"Team": "web", "Owner": " "}, names) == "web"
    assert owner_by_tags({"Team": "web", "Owner": "ada"}, names) == "ada"
    assert owner_by_tags({"owner": "ada"}, names) == ""
