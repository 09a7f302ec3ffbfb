"""When deliveries are tried again, and of what nobody is told."""

from datetime import datetime, timedelta

import pytest

from compute_optimizer.model.decision import Action, Said, State
from compute_optimizer.model.event import EVENT_OF, EventName, event_of, next_attempt
from tests.decisions import NOW, in_state


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 30), (2, 60), (3, 120), (10, 15_360), (11, 21_600), (99, 21_600)]
)
def test_each_wait_is_twice_the_one_before_and_never_over_six_hours(
    attempts: int, seconds: int
) -> None:
    assert next_attempt(NOW, attempts, None, NOW) == NOW + timedelta(seconds=seconds)


def test_a_receiver_can_ask_for_more_and_not_for_less_nor_for_ever() -> None:
    def wait(asked: timedelta) -> datetime | None:
        return next_attempt(NOW, 1, asked, NOW)

    assert wait(timedelta(minutes=10)) == NOW + timedelta(minutes=10)
    assert wait(timedelta(seconds=1)) == NOW + timedelta(seconds=30)
    assert wait(timedelta(days=30)) == NOW + timedelta(hours=6)


def test_after_three_days_there_is_no_next_attempt() -> None:
    """As many as 21: after 11 waits, 8.5 and 6 h in all, 9 more of 6 h fit into 72 h."""
    now: datetime | None = NOW
    attempts = 0
    while now is not None:
        attempts += 1
        last, now = now, next_attempt(NOW, attempts, None, now)

    assert attempts == 21
    assert last <= NOW + timedelta(days=3)


def test_every_event_but_new_comes_of_an_action_and_assigning_is_told_to_nobody() -> None:
    assert set(EVENT_OF.values()) == set(EventName) - {EventName.NEW}
    assert event_of(Action.ASSIGN, in_state(State.OPEN), Said("ada", NOW)) is None
    assert event_of(Action.ADVISE_AGAIN, in_state(State.OPEN), Said("ada", NOW)) is None
