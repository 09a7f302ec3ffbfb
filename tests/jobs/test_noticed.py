"""What the inventory shows: advice that was followed, undone, or overtaken."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from compute_optimizer.jobs import decisions
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.collect import collect
from compute_optimizer.jobs.collect_run import CollectRequest
from compute_optimizer.jobs.ingest import ImportRequest, ingest
from compute_optimizer.jobs.noticed import notice_changes
from compute_optimizer.model.decision import (
    NOTICED,
    Action,
    Advice,
    Decision,
    Said,
    State,
    entry_of,
)
from compute_optimizer.model.event import EventName
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.store import State as Store
from compute_optimizer.store import inventory
from compute_optimizer.store.decisions import (
    Kept,
    applied_ones,
    decisions_of,
    log_of,
    save_decision,
)
from compute_optimizer.store.tiles import TileStore
from tests.collecting import ArraySource
from tests.deciding import ADA, Office, office
from tests.enrolling import ALPHA
from tests.records import REGION


@pytest.fixture
def here(copied_office: Office) -> Office:
    copied_office.forget_events()
    return copied_office


def decision_on(here: Office, advice: Advice) -> Decision | None:
    with here.state.reading() as connection:
        return decisions_of(connection, [advice.recommendation_id]).get(advice.recommendation_id)


def state_of(here: Office, advice: Advice) -> State | None:
    found = decision_on(here, advice)
    return found.state if found else None


def applied(here: Office) -> list[Decision]:
    with here.state.reading() as connection:
        return applied_ones(connection)


def test_accepted_advice_that_was_followed_is_applied(state: Store, tmp_path: Path) -> None:
    """On every database, with the prediction as it was accepted and what the machine was before."""
    here = office(state, TileStore(tmp_path / "tiles"))
    here.forget_events()
    advice, clock = here.advice(), here.desk.clock
    accepted = decisions.decide(
        here.state, clock, advice.recommendation_id, Action.ACCEPT, ADA, "tonight"
    )
    seen = clock.tick(hours=8)

    assert here.follow(0) == 1

    (one,) = applied(here)
    assert (one.state, one.applied_at, one.ended_at) == (State.APPLIED, seen, None)
    assert one.advice == accepted.advice
    assert one.before == {"instanceType": "m5.xlarge"}
    assert one.became == advice.advised
    with here.state.reading() as connection:
        last = log_of(connection, advice.recommendation_id)[-1]
    assert (last.actor, last.action, last.before) == (NOTICED, "applied", State.ACCEPTED)
    assert [event.name for event in here.events()] == [EventName.ACCEPTED, EventName.APPLIED]


def test_advice_on_which_nobody_decided_is_applied_as_well(here: Office) -> None:
    advice = here.advice()

    here.follow(0)

    assert state_of(here, advice) is State.APPLIED
    assert len(applied(here)) == 1


def test_advice_is_applied_once(here: Office) -> None:
    here.follow(0)

    assert here.change(0, name="renamed") == 0
    assert len(applied(here)) == 1


def test_a_change_to_something_else_supersedes_and_says_to_what(here: Office) -> None:
    advice = here.advice()
    decisions.decide(here.state, here.desk.clock, advice.recommendation_id, Action.ACCEPT, ADA)

    here.change(0, instance_type="c5.4xlarge")

    found = decision_on(here, advice)
    assert found is not None
    assert (found.state, found.became) == (State.SUPERSEDED, {"instanceType": "c5.4xlarge"})
    assert found.note == "the resource became instanceType c5.4xlarge"
    assert here.events()[-1].name is EventName.SUPERSEDED
    assert applied(here) == []


def test_advice_on_which_nobody_decided_is_overtaken_in_silence(here: Office) -> None:
    advice = here.advice()

    here.change(0, instance_type="c5.4xlarge")

    assert state_of(here, advice) is State.SUPERSEDED
    assert here.events() == []


def test_other_changes_of_a_resource_settle_nothing(here: Office) -> None:
    advice = here.advice()

    assert here.change(0, name="renamed", state="stopped") == 0
    assert state_of(here, advice) is None


def test_a_machine_that_is_gone_supersedes_what_was_decided_and_nothing_else(here: Office) -> None:
    first, second = here.advice(0), here.advice(1)
    decisions.decide(here.state, here.desk.clock, first.recommendation_id, Action.ACCEPT, ADA)

    with here.state.writing() as connection:
        gone = inventory.remove_others(connection, (ALPHA, REGION, EC2_INSTANCE), ())
        assert notice_changes(connection, gone, here.desk.clock.now()) == 1

    found = decision_on(here, first)
    assert found is not None
    assert (found.state, found.became) == (State.SUPERSEDED, None)
    assert state_of(here, second) is None


def test_what_was_undone_is_over_and_open_again_once_it_is_advised_again(here: Office) -> None:
    advice, clock = here.advice(), here.desk.clock
    here.follow(0)
    undone = clock.tick(days=2)

    here.change(0, instance_type="m5.xlarge")

    assert state_of(here, advice) is State.SUPERSEDED
    (once,) = applied(here)
    assert (once.ended_at, once.became) == (undone, {"instanceType": "m5.xlarge"})

    here.analyze()
    assert here.advice().recommendation_id == advice.recommendation_id
    assert state_of(here, advice) is State.OPEN
    # Followed a second time, it counts a second time.
    clock.tick(days=1)
    here.follow(0)
    assert [one.ended_at for one in applied(here)] == [None, undone]


def test_of_two_pieces_of_advice_that_come_true_at_once_the_accepted_one_counts(
    here: Office,
) -> None:
    """The other one stands for advice of an earlier analysis that came to the same type."""
    advice, clock = here.advice(), here.desk.clock
    decisions.decide(here.state, clock, advice.recommendation_id, Action.ACCEPT, ADA)
    twin = replace(advice, recommendation_id=f"rec-{7:020x}")
    with here.state.writing() as connection:
        opened = replace(Decision(twin), changed_at=clock.now())
        said = Said(ADA, clock.now())
        entry = entry_of(opened, opened, 1, Action.REOPEN, said)
        save_decision(connection, Kept(opened, 0), opened, entry)

    here.follow(0)

    assert state_of(here, advice) is State.APPLIED
    assert state_of(here, twin) is State.SUPERSEDED
    assert [one.recommendation_id for one in applied(here)] == [advice.recommendation_id]


def test_an_analysis_notices_what_no_import_told(here: Office) -> None:
    advice = here.advice()
    decisions.decide(here.state, here.desk.clock, advice.recommendation_id, Action.ACCEPT, ADA)
    changed = replace(here.fleet[0], instance_type=str(advice.advised["instanceType"]))
    with here.state.writing() as connection:
        inventory.upsert_resources(connection, [changed])
    assert state_of(here, advice) is State.ACCEPTED

    here.analyze()

    assert state_of(here, advice) is State.APPLIED


def test_an_import_notices_what_it_brings_in(here: Office, tmp_path: Path) -> None:
    advice = here.advice()
    file = tmp_path / "fleet.csv"
    file.write_text(
        "resource_type,arn,account_id,region,instance_type\n"
        f"Ec2Instance,{here.fleet[0].arn},{ALPHA},{REGION},{advice.advised['instanceType']}\n"
    )

    ingest(here.state, here.tiles, here.desk.clock, ImportRequest(inventory=file))

    assert state_of(here, advice) is State.APPLIED


def test_collecting_notices_what_changed_and_what_is_gone(here: Office) -> None:
    clock, (first, second) = here.desk.clock, (here.advice(0), here.advice(1))
    for advice in (first, second):
        decisions.decide(here.state, clock, advice.recommendation_id, Action.ACCEPT, ADA)
    changed = replace(here.fleet[0], instance_type=str(first.advised["instanceType"]))
    since = clock.now() - timedelta(days=1)

    collect(here.state, here.tiles, clock, ArraySource([changed], since, {}), CollectRequest(since))

    assert state_of(here, first) is State.APPLIED
    gone = decision_on(here, second)
    assert gone is not None
    assert (gone.state, gone.note) == (State.SUPERSEDED, "the resource is gone")


def test_new_advice_is_told_once_with_its_sum(copied_office: Office) -> None:
    here = copied_office
    (event,) = here.events()
    assert (event.name, event.account_id) == (EventName.NEW, ALPHA)
    assert event.new is not None
    assert event.new.count == 2
    saved = [here.advice(number).prediction.savings_monthly_usd or 0 for number in (0, 1)]
    assert event.new.savings_monthly_usd == pytest.approx(sum(saved))
    assert {one.resource_arn for one in event.new.largest} == {one.arn for one in here.fleet}

    here.forget_events()
    here.analyze()
    assert here.events() == []

    # A larger machine gets other advice or the same: only another id is news.
    former = here.advice().recommendation_id
    here.change(0, instance_type="m5.4xlarge")
    here.forget_events()
    here.analyze()
    news = [one.new.count for one in here.events() if one.new]
    assert news == ([] if here.advice().recommendation_id == former else [1])


def test_a_look_at_the_past_is_no_news(copied_office: Office) -> None:
    here = copied_office
    here.forget_events()
    here.desk.clock.tick(days=3)
    past = here.desk.clock.now() - timedelta(days=2)
    here.change(0, instance_type="m5.4xlarge")
    here.forget_events()
    analyze(here.state, here.tiles, here.desk.clock, as_of=past, workers=1)

    assert here.events() == []
