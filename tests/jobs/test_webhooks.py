"""Webhooks: the file, who is told, and deliveries to a real server that fails in every way."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from compute_optimizer.errors import Conflict, InvalidInput
from compute_optimizer.jobs import decisions
from compute_optimizer.jobs.job_kinds import JOB_KINDS
from compute_optimizer.jobs.retention import Retention, retain
from compute_optimizer.jobs.webhooks import (
    MOST_AT_ONCE,
    DeliveryRun,
    Webhook,
    deliver,
    has_deliveries,
    read_webhooks,
)
from compute_optimizer.jobs.worker import Worker, look
from compute_optimizer.model.decision import Action, Advice, Decision, Prediction
from compute_optimizer.model.event import Event, EventName
from compute_optimizer.model.job_run import Outcome
from compute_optimizer.sinks.webhooks import Receiver
from compute_optimizer.store import State, outbox
from compute_optimizer.store.outbox import Backlog
from compute_optimizer.store.tiles import TileStore
from tests.answering import Answer, Answering, answering
from tests.deciding import ADA, office
from tests.enrolling import ALPHA, BETA, Desk, HandClock
from tests.workers import worker_on

KEY = b"k" * 32
TOLD_TO_NOBODY = DeliveryRun(0, 0, 0, ())
KINDS = {kind.name: kind for kind in JOB_KINDS}


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as here:
        here.otherwise = lambda _: Answer(b"ok")
        yield here


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def webhook(server: Answering, name: str = "tickets", **changes: Any) -> Webhook:
    # Nobody here keeps silent, so that this only has to be more than a busy machine takes.
    receiver = Receiver(f"{server.url}/{name}", KEY, timedelta(seconds=30))
    return replace(Webhook(name, receiver, frozenset(EventName), "json", frozenset()), **changes)


def event(
    number: int, clock: HandClock, name: EventName = EventName.ACCEPTED, account: str = ALPHA
) -> Event:
    advice = Advice(
        f"rec-{number:020x}",
        account,
        "us-east-1",
        "Ec2Instance",
        f"arn:aws:ec2:us-east-1:{account}:instance/i-{number}",
        f"web-{number}",
        "Overprovisioned",
        {"instanceType": "m5.xlarge"},
        {"instanceType": "m5.large"},
        "m5.xlarge",
        "m5.large",
        Prediction(clock.now()),
    )
    return Event(f"event-{number}", name, account, clock.now(), ADA, Decision(advice))


def put(state: State, *events: Event) -> None:
    with state.writing() as connection:
        for one in events:
            outbox.put(connection, one)


def backlog(state: State) -> dict[str, Backlog]:
    with state.reading() as connection:
        return {one.webhook: one for one in outbox.backlogs(connection)}


def told(server: Answering) -> list[str]:
    """Return the ids that the server was sent, in order."""
    return [one.headers["webhook-id"] for one in server.asked]


def test_events_are_delivered_once_in_order(
    state: State, clock: HandClock, server: Answering
) -> None:
    """On every database."""
    put(state, event(1, clock))
    clock.tick()
    put(state, event(2, clock))
    assert has_deliveries(state, clock)

    assert deliver(state, clock, [webhook(server)], ()) == DeliveryRun(2, 0, 0, ())

    assert told(server) == ["event-1", "event-2"]
    assert json.loads(server.asked[0].body)["recommendation"]["name"] == "web-1"
    assert not has_deliveries(state, clock)
    assert deliver(state, clock, [webhook(server)], ()) == TOLD_TO_NOBODY
    assert backlog(state)["tickets"] == Backlog("tickets", 0, 2, 0, None, None)


def test_each_webhook_gets_the_events_and_accounts_that_it_wants(
    sqlite_state: State, clock: HandClock, server: Answering
) -> None:
    put(
        sqlite_state,
        event(1, clock, EventName.ACCEPTED),
        event(2, clock, EventName.APPLIED),
        event(3, clock, EventName.APPLIED, BETA),
    )
    webhooks = [
        webhook(server, "applied", events=frozenset({EventName.APPLIED})),
        webhook(server, "beta", accounts=frozenset({BETA})),
    ]

    deliver(sqlite_state, clock, webhooks, ())

    got = sorted((one.path, one.headers["webhook-id"]) for one in server.asked)
    assert got == [("/applied", "event-2"), ("/applied", "event-3"), ("/beta", "event-3")]


def test_a_webhook_that_is_added_later_is_not_told_of_what_was_before(
    sqlite_state: State, clock: HandClock, server: Answering
) -> None:
    put(sqlite_state, event(1, clock))
    deliver(sqlite_state, clock, [], ())

    deliver(sqlite_state, clock, [webhook(server)], ())

    assert told(server) == []


def test_a_failure_is_tried_again_later_and_later_under_the_same_id(
    state: State, clock: HandClock, server: Answering
) -> None:
    """On every database: 30 s after the first, 60 s after the second failure."""
    put(state, event(1, clock))
    server.answers = [Answer(b"down", 503), Answer(b"down", 500)]
    webhooks = [webhook(server)]

    failed = deliver(state, clock, webhooks, ())
    assert (failed.failed, failed.given_up) == (1, 0)
    assert failed.failures == (f"tickets ({server.url}): answers 503: down",)
    clock.tick(seconds=29)
    assert not has_deliveries(state, clock)
    clock.tick(seconds=1)
    assert deliver(state, clock, webhooks, ()).failed == 1
    clock.tick(seconds=59)
    assert not has_deliveries(state, clock)
    clock.tick(seconds=1)
    assert deliver(state, clock, webhooks, ()).delivered == 1

    assert told(server) == ["event-1"] * 3
    stamps = [int(one.headers["webhook-timestamp"]) for one in server.asked]
    assert [later - stamps[0] for later in stamps] == [0, 30, 90]


def test_after_a_failure_the_rest_for_the_same_receiver_waits_and_others_do_not(
    sqlite_state: State, clock: HandClock, server: Answering
) -> None:
    put(sqlite_state, event(1, clock), event(2, clock))
    server.otherwise = lambda asked: Answer(code=500 if asked.path == "/away" else 200)

    found = deliver(sqlite_state, clock, [webhook(server, "away"), webhook(server, "here")], ())

    assert (found.delivered, found.failed) == (2, 1)
    assert sorted(one.path for one in server.asked) == ["/away", "/here", "/here"]
    assert backlog(sqlite_state)["away"].waiting == 2


def test_a_receiver_may_ask_for_more_time(
    sqlite_state: State, clock: HandClock, server: Answering
) -> None:
    put(sqlite_state, event(1, clock))
    server.answers = [Answer(code=429, headers={"Retry-After": "600"})]
    deliver(sqlite_state, clock, [webhook(server)], ())

    clock.tick(seconds=599)
    assert not has_deliveries(sqlite_state, clock)
    clock.tick(seconds=1)
    assert has_deliveries(sqlite_state, clock)


def test_a_receiver_that_asks_for_more_time_gets_nothing_else_that_waits(
    state: State, clock: HandClock, server: Answering
) -> None:
    """On every database."""
    put(state, event(1, clock), event(2, clock))
    busy = Answer(code=429, headers={"Retry-After": "600"})
    server.otherwise = lambda asked: busy if asked.path == "/tickets" else Answer(b"ok")
    to = [webhook(server), webhook(server, "other")]
    deliver(state, clock, to, ())
    clock.tick(seconds=599)
    deliver(state, clock, to, ())

    assert sorted(one.path for one in server.asked) == ["/other", "/other", "/tickets"]
    clock.tick(seconds=1)
    server.otherwise = lambda _: Answer(b"ok")
    assert deliver(state, clock, to, ()).delivered == 2


def test_after_three_days_an_event_is_given_up(
    sqlite_state: State, clock: HandClock, server: Answering
) -> None:
    put(sqlite_state, event(1, clock))
    server.otherwise = lambda _: Answer(b"down", 503)
    assert deliver(sqlite_state, clock, [webhook(server)], ()).given_up == 0
    clock.tick(days=3)

    assert deliver(sqlite_state, clock, [webhook(server)], ()).given_up == 1

    clock.tick(days=1)
    assert not has_deliveries(sqlite_state, clock)
    found = backlog(sqlite_state)["tickets"]
    assert (found.waiting, found.given_up, found.last_error) == (0, 1, "answers 503: down")


def test_a_receiver_that_is_gone_gets_nothing_of_what_waits(
    sqlite_state: State, clock: HandClock, server: Answering
) -> None:
    put(sqlite_state, event(1, clock), event(2, clock), event(3, clock))
    server.answers = [Answer(code=410)]

    assert deliver(sqlite_state, clock, [webhook(server)], ()).given_up == 3

    clock.tick(days=1)
    assert deliver(sqlite_state, clock, [webhook(server)], ()) == TOLD_TO_NOBODY
    assert told(server) == ["event-1"]
    assert "410 Gone" in (backlog(sqlite_state)["tickets"].last_error or "")


def test_what_waits_for_a_webhook_that_is_listed_no_longer_is_given_up(
    sqlite_state: State, clock: HandClock, server: Answering
) -> None:
    put(sqlite_state, event(1, clock))
    server.answers = [Answer(code=500)]
    deliver(sqlite_state, clock, [webhook(server)], ())

    assert deliver(sqlite_state, clock, [], ()).given_up == 1
    assert backlog(sqlite_state)["tickets"].waiting == 0


def test_events_that_waited_for_a_worker_for_too_long_are_no_news(
    sqlite_state: State, clock: HandClock, server: Answering
) -> None:
    put(sqlite_state, event(1, clock))
    clock.tick(days=3, seconds=1)

    assert deliver(sqlite_state, clock, [webhook(server)], ()) == TOLD_TO_NOBODY


def test_one_run_does_not_go_on_for_ever(
    sqlite_state: State, clock: HandClock, server: Answering
) -> None:
    put(sqlite_state, *(event(number, clock) for number in range(MOST_AT_ONCE + 1)))

    assert deliver(sqlite_state, clock, [webhook(server)], ()).delivered == MOST_AT_ONCE
    assert has_deliveries(sqlite_state, clock)
    assert deliver(sqlite_state, clock, [webhook(server)], ()).delivered == 1


def test_what_was_sent_by_a_process_that_lost_its_lease_is_sent_again(
    sqlite_state: State, clock: HandClock, server: Answering
) -> None:
    """At least once: the id says that it is the same."""
    put(sqlite_state, event(1, clock))
    calls = 0

    def lost(connection: Connection) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:  # addressing takes two transactions, the second of which finds nothing
            raise Conflict("the lease was given to another process")

    with pytest.raises(Conflict):
        deliver(sqlite_state, clock, [webhook(server)], (), lost)
    assert deliver(sqlite_state, clock, [webhook(server)], ()).delivered == 1

    assert told(server) == ["event-1", "event-1"]


def test_an_event_and_what_made_it_true_come_together_or_not_at_all(
    sqlite_state: State, tmp_path: Path
) -> None:
    here = office(sqlite_state, TileStore(tmp_path / "tiles"))
    here.forget_events()
    name, clock = here.advice().recommendation_id, here.desk.clock

    with pytest.raises(InvalidInput):
        decisions.decide(here.state, clock, name, Action.DISMISS, ADA, "")
    assert here.events() == []


def test_events_go_with_their_retention(
    sqlite_state: State, clock: HandClock, server: Answering, tmp_path: Path
) -> None:
    put(sqlite_state, event(1, clock))
    deliver(sqlite_state, clock, [webhook(server)], ())
    clock.tick(days=30)
    tiles = TileStore(tmp_path / "tiles")
    assert retain(sqlite_state, tiles, clock, Retention(400)).events == 0
    clock.tick()

    assert retain(sqlite_state, tiles, clock, Retention(400)).events == 1
    assert backlog(sqlite_state) == {}


@pytest.fixture
def worker(sqlite_state: State, server: Answering, tmp_path: Path) -> Worker:
    one = worker_on(sqlite_state, Desk(sqlite_state).clock, tmp_path, webhooks="10s")
    return replace(one, webhooks=(webhook(server),))


def test_the_worker_delivers_and_says_what_failed(worker: Worker, server: Answering) -> None:
    clock = worker.clock
    assert isinstance(clock, HandClock)
    put(worker.state, event(1, clock))
    found = look(worker, KINDS["webhooks"])
    assert (found.outcome, found.detail) == (Outcome.SUCCEEDED, {"delivered": 1, "givenUp": 0})

    clock.tick(seconds=10)
    put(worker.state, event(2, clock))
    server.answers = [Answer(b"no", 401)]
    found = look(worker, KINDS["webhooks"])
    assert found.outcome is Outcome.FAILED
    assert found.exit_code == 6
    assert found.error == (
        f"0 delivered, 1 failed, 0 given up; tickets ({server.url}): answers 401: no"
    )
    # The next look is by the schedule: a receiver that is away does not hold up the others.
    assert found.again == clock.now() + timedelta(seconds=10)


# The file


def written(folder: Path, text: str) -> str:
    file = folder / "webhooks.yaml"
    file.write_text(text)
    return str(file)


def test_no_file_means_no_webhook() -> None:
    assert read_webhooks("") == ()


def test_the_file_tells_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tickets.secret").write_text("s" * 32 + "\n")
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/T0/B0/hidden")
    path = written(
        tmp_path,
        f"""
webhooks:
  - name: chat
    url_environment: SLACK_WEBHOOK_URL
    format: slack
    events: [new, applied]
  - name: tickets
    url: https://tickets.example.com/hooks
    secret_file: tickets.secret
    accounts: ["{ALPHA}"]
    timeout_seconds: 3
""",
    )

    chat, tickets = read_webhooks(path)

    assert chat.receiver == Receiver(
        "https://hooks.slack.com/services/T0/B0/hidden", b"", timedelta(seconds=10)
    )
    assert (chat.format, chat.events) == ("slack", frozenset({EventName.NEW, EventName.APPLIED}))
    assert tickets.receiver == Receiver(
        "https://tickets.example.com/hooks", b"s" * 32, timedelta(seconds=3)
    )
    assert tickets.events == frozenset(EventName)
    assert tickets.wants(EventName.NEW, ALPHA)
    assert not tickets.wants(EventName.NEW, BETA)
    assert "hidden" not in repr(chat)


SECRET = "secret_environment: HOOK_SECRET"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (f"name: a\n    {SECRET}", "webhook 'a': has no url"),
        ("name: a\n    url: https://example.com", "webhook 'a': has no secret to sign with"),
        ("name: a\n    url_file: missing", "webhook 'a': url_file .*missing cannot be read"),
        ("name: a\n    url_environment: NOT_SET", "environment variable NOT_SET is empty"),
        ("name: a\n    url: https://x\n    url_file: y", "says its url more than once"),
        (f"name: a\n    url: http://10.0.0.7\n    {SECRET}", "plain http"),
        ("name: a\n    url: https://x\n    events: [told]", "Invalid enum value 'told'"),
        ("name: a\n    url: https://x\n    events: []", "length >= 1"),
        ("name: a\n    url: https://x\n    format: teams", "Invalid enum value 'teams'"),
        ("name: a\n    secret: 1234", "unknown field `secret`"),
        ("name: a b", "matching regex"),
        ('name: "a\\n"', "matching regex"),
    ],
)
def test_a_wrong_entry_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, why: str
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "s" * 32)

    with pytest.raises(InvalidInput, match=why):
        read_webhooks(written(tmp_path, f"webhooks:\n  - {entry}\n"))


def test_a_name_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", "s" * 32)
    entry = f"  - name: a\n    url: https://example.com\n    {SECRET}\n"

    with pytest.raises(InvalidInput, match="the webhook 'a' is listed more than once"):
        read_webhooks(written(tmp_path, f"webhooks:\n{entry}{entry}"))


def test_no_error_shows_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", "too-short")
    entry = f"name: a\n    url: https://example.com\n    {SECRET}"

    with pytest.raises(InvalidInput, match="expected at least 24 random ones") as refused:
        read_webhooks(written(tmp_path, f"webhooks:\n  - {entry}\n"))
    assert "too-short" not in str(refused.value)
