"""Deciding on advice: what is kept, logged and told, and what nobody may decide."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from compute_optimizer.errors import Conflict, InvalidInput, NotFound
from compute_optimizer.jobs import decisions
from compute_optimizer.jobs.purge import purge_opted_out
from compute_optimizer.jobs.recommend import by_savings
from compute_optimizer.model.decision import Action, Said, State, decided, entry_of
from compute_optimizer.model.event import EventName
from compute_optimizer.store import State as Store
from compute_optimizer.store.analysis_runs import remove_recommendations_of
from compute_optimizer.store.decisions import find_decision, log_of, save_decision
from compute_optimizer.store.inventory import upsert_resources
from compute_optimizer.store.tiles import TileStore
from tests.deciding import ADA, BOB, Office, office
from tests.enrolling import ALPHA, BETA

TAGS = ("Owner", "Team")
NOBODY = f"rec-{0:020x}"


@pytest.fixture
def here(copied_office: Office) -> Office:
    return copied_office


def stands(here: Office) -> list[decisions.Standpoint]:
    with here.state.reading() as connection:
        found = sorted(by_savings(connection), key=lambda one: one.resource_arn)
        now = here.desk.clock.now()
        return decisions.standpoints(connection, found, now, TAGS)


def test_accepted_advice_is_kept_logged_and_told(state: Store, tmp_path: Path) -> None:
    """On every database."""
    here = office(state, TileStore(tmp_path / "tiles"))
    here.forget_events()
    advice = here.advice()

    done = decisions.decide(
        here.state, here.desk.clock, advice.recommendation_id, Action.ACCEPT, ADA, "on it"
    )

    assert (done.state, done.changed_by, done.note) == (State.ACCEPTED, ADA, "on it")
    found = decisions.dossier(here.state, here.desk.clock, advice.recommendation_id, TAGS)
    assert (found.decision, found.state, found.advised_now) == (done, State.ACCEPTED, True)
    assert found.decision.advice == advice
    (entry,) = found.log
    assert (entry.number, entry.actor, entry.action) == (1, ADA, "accepted")
    assert (entry.before, entry.after) == (State.OPEN, State.ACCEPTED)
    (event,) = here.events()
    assert (event.name, event.account_id, event.actor) == (EventName.ACCEPTED, ALPHA, ADA)
    assert event.decision == done


def test_the_log_keeps_who_did_what_in_order(here: Office) -> None:
    name = here.advice().recommendation_id
    clock = here.desk.clock
    decisions.decide(here.state, clock, name, Action.ACCEPT, ADA)
    decisions.decide(here.state, clock, name, Action.DISMISS, BOB, "needs a window")
    decisions.decide(here.state, clock, name, Action.REOPEN, ADA)
    decisions.decide(
        here.state, clock, name, Action.SNOOZE, BOB, until=clock.now() + timedelta(days=7)
    )

    with here.state.reading() as connection:
        log = log_of(connection, name)

    assert [(one.number, one.actor, one.action) for one in log] == [
        (1, ADA, "accepted"),
        (2, BOB, "dismissed"),
        (3, ADA, "reopened"),
        (4, BOB, "snoozed"),
    ]
    assert log[1].note == "needs a window"
    assert log[3].until == clock.now() + timedelta(days=7)


def test_what_is_snoozed_is_open_again_when_the_time_has_come(here: Office) -> None:
    name, clock = here.advice().recommendation_id, here.desk.clock
    decisions.decide(
        here.state, clock, name, Action.SNOOZE, ADA, until=clock.now() + timedelta(days=7)
    )
    assert [one.state for one in stands(here)] == [State.SNOOZED, State.OPEN]

    clock.tick(days=7)

    assert [one.state for one in stands(here)] == [State.OPEN, State.OPEN]
    with here.state.reading() as connection:
        now = clock.now()
        (woken,) = decisions.listed(connection, now, states=[State.OPEN])
        assert decisions.listed(connection, now, states=[State.SNOOZED]) == []
    assert (woken[0].recommendation_id, woken[1]) == (name, State.OPEN)


def test_a_decision_stays_with_the_same_advice_of_the_next_analysis(here: Office) -> None:
    before = here.advice()
    decisions.decide(
        here.state, here.desk.clock, before.recommendation_id, Action.DISMISS, ADA, "batch"
    )
    here.desk.clock.tick(hours=2)
    here.analyze()

    assert here.advice().recommendation_id == before.recommendation_id
    assert [one.state for one in stands(here)] == [State.DISMISSED, State.OPEN]


def test_deciding_takes_the_prediction_of_the_current_analysis(here: Office) -> None:
    name, clock = here.advice().recommendation_id, here.desk.clock
    decisions.assign(here.state, clock, name, ADA, "web")
    clock.tick(hours=2)
    here.analyze()

    done = decisions.decide(here.state, clock, name, Action.ACCEPT, ADA)

    assert done.advice.prediction.as_of == clock.now()


def test_advice_of_nobody_cannot_be_decided(here: Office) -> None:
    with pytest.raises(NotFound, match=f"there is no recommendation {NOBODY}"):
        decisions.decide(here.state, here.desk.clock, NOBODY, Action.ACCEPT, ADA)
    with pytest.raises(InvalidInput, match="is no id of a recommendation"):
        decisions.decide(here.state, here.desk.clock, "web-1", Action.ACCEPT, ADA)


def test_whoever_sees_other_accounts_only_decides_nothing_here(here: Office) -> None:
    name = here.advice().recommendation_id

    with pytest.raises(NotFound):
        decisions.decide(here.state, here.desk.clock, name, Action.ACCEPT, ADA, accounts=[BETA])
    with pytest.raises(NotFound):
        decisions.dossier(here.state, here.desk.clock, name, TAGS, accounts=[BETA])
    decisions.decide(here.state, here.desk.clock, name, Action.ACCEPT, ADA, accounts=[ALPHA])


def test_a_decision_of_an_account_that_opted_out_cannot_be_seen_and_goes_with_its_data(
    here: Office,
) -> None:
    name, clock = here.advice().recommendation_id, here.desk.clock
    decisions.assign(here.state, clock, name, ADA, "web")
    decisions.decide(here.state, clock, name, Action.ACCEPT, ADA)
    here.desk.opt_out(ALPHA)
    with pytest.raises(NotFound):
        decisions.dossier(here.state, clock, name, TAGS)

    purge_opted_out(here.state, here.tiles, clock, timedelta())

    with here.state.reading() as connection:
        assert find_decision(connection, name) is None
        assert log_of(connection, name) == []
    assert here.events() == []


def test_of_two_who_decide_at_once_one_is_refused(state: Store, tmp_path: Path) -> None:
    """On every database: both have read the same log."""
    here = office(state, TileStore(tmp_path / "tiles"))
    name, clock = here.advice().recommendation_id, here.desk.clock
    first = decisions.decide(here.state, clock, name, Action.ACCEPT, ADA)
    with here.state.reading() as connection:
        read = find_decision(connection, name)
    assert read is not None
    decisions.decide(here.state, clock, name, Action.DISMISS, BOB, "no")

    stale = Said(ADA, clock.now())
    after = decided(first, Action.REOPEN, stale)
    entry = entry_of(first, after, 2, Action.REOPEN, stale)
    for before in (read, replace(read, entries=0)):
        with (
            pytest.raises(Conflict, match="decided by somebody else at the same moment"),
            here.state.writing() as connection,
        ):
            save_decision(connection, before, after, entry)

    with here.state.reading() as connection:
        assert [one.action for one in log_of(connection, name)] == ["accepted", "dismissed"]


def test_what_is_not_advised_any_more_can_be_dismissed_and_not_accepted(here: Office) -> None:
    name, clock = here.advice().recommendation_id, here.desk.clock
    decisions.decide(here.state, clock, name, Action.ACCEPT, ADA)
    decisions.decide(here.state, clock, name, Action.REOPEN, ADA)
    # As after an analysis that has nothing to advise.
    with here.state.writing() as connection:
        remove_recommendations_of(connection, ALPHA)

    with pytest.raises(Conflict, match="is not advised any more"):
        decisions.decide(here.state, clock, name, Action.ACCEPT, ADA)
    assert (
        decisions.decide(here.state, clock, name, Action.DISMISS, ADA, "over").state
        is State.DISMISSED
    )


def test_the_owner_is_who_was_assigned_or_else_whom_a_tag_names(here: Office) -> None:
    tagged = replace(here.fleet[0], tags={"Team": "shop"})
    with here.state.writing() as connection:
        upsert_resources(connection, [tagged])
    here.analyze()
    name, clock = here.advice().recommendation_id, here.desk.clock
    assert [one.owner for one in stands(here)] == ["shop", ""]

    decisions.assign(here.state, clock, name, ADA, "  web team ")
    found = decisions.dossier(here.state, clock, name, TAGS)
    assert (found.owner, found.assigned, found.state) == ("web team", True, State.OPEN)
    assert [one.owner for one in stands(here)] == ["web team", ""]
    assert found.log[-1].owner == "web team"

    decisions.assign(here.state, clock, name, ADA, "")
    assert [one.owner for one in stands(here)] == ["shop", ""]


def test_an_owner_stays_when_something_else_is_advised(here: Office) -> None:
    name, clock = here.advice().recommendation_id, here.desk.clock
    decisions.assign(here.state, clock, name, ADA, "web")
    here.change(0, instance_type="m5.4xlarge")
    here.analyze()

    assert here.advice().recommendation_id == name or stands(here)[0].owner == "web"
    assert stands(here)[0].owner == "web"


def test_decisions_are_listed_by_account_and_state_the_last_first(here: Office) -> None:
    one, two = (here.advice(number).recommendation_id for number in (0, 1))
    clock = here.desk.clock
    decisions.decide(here.state, clock, one, Action.ACCEPT, ADA)
    clock.tick()
    decisions.decide(here.state, clock, two, Action.DISMISS, ADA, "no")

    def listed(**wanted: object) -> list[str]:
        with here.state.reading() as connection:
            found = decisions.listed(connection, clock.now(), **wanted)  # type: ignore[arg-type] # as given
        return [decision.recommendation_id for decision, _ in found]

    assert listed() == [two, one]
    assert listed(states=[State.ACCEPTED]) == [one]
    assert listed(accounts=[BETA]) == []
