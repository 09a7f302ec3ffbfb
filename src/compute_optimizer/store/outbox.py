"""The outbox: events in the transaction that made them, and how telling them to webhooks goes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, update

from compute_optimizer.model.event import DeliveryState, Event
from compute_optimizer.store.decision_tables import webhook_deliveries as deliveries
from compute_optimizer.store.decision_tables import webhook_events as events

MOST_ADDRESSED = 1_000
"""Events addressed at once: each is one short row for each webhook."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Event).decode


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event that a webhook is to be told of."""

    event: Event
    webhook: str
    attempts: int
    """That were made."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How telling goes for one webhook."""

    webhook: str
    waiting: int
    delivered: int
    """In the last 30 days, as is the next."""
    given_up: int
    oldest_waiting: datetime | None
    """When the oldest event that waits occurred."""
    last_error: str | None
    """Of the newest delivery that failed and waits or was given up."""


def put(connection: Connection, event: Event) -> None:
    """Put an event into the outbox, in the transaction that makes it true."""
    row = {
        "event_id": event.event_id,
        "account_id": event.account_id,
        "occurred_at": event.occurred_at,
        "addressed": False,
        "body": _encode(event),
    }
    connection.execute(insert(events).values(row))


def unaddressed(connection: Connection) -> list[Event]:
    """Return events that nobody has addressed yet, the oldest first, at most MOST_ADDRESSED."""
    query = select(events.c.body).where(events.c.addressed.is_(False))
    rows = connection.execute(query.order_by(events.c.occurred_at).limit(MOST_ADDRESSED))
    return [_decode(body) for body in rows.scalars()]


def has_unaddressed(connection: Connection) -> bool:
    """Return whether any event waits for its addressees."""
    query = select(events.c.event_id).where(events.c.addressed.is_(False)).limit(1)
    return connection.execute(query).first() is not None


def address(
    connection: Connection, addressees: Mapping[str, Collection[str]], now: datetime
) -> None:
    """Make a delivery of each event for each of its webhooks; an event may have none."""
    rows = [
        {
            "event_id": event_id,
            "webhook": webhook,
            "state": DeliveryState.WAITING.value,
            "attempts": 0,
            "due_at": now,
            "changed_at": now,
        }
        for event_id, webhooks in addressees.items()
        for webhook in webhooks
    ]
    if rows:
        connection.execute(insert(deliveries), rows)
    named = events.c.event_id.in_(list(addressees))
    connection.execute(update(events).where(named).values(addressed=True))


def due_deliveries(
    connection: Connection, webhook: str, now: datetime, limit: int
) -> list[Delivery]:
    """Return what a webhook is to be told now, in the order in which it happened."""
    join = deliveries.join(events, deliveries.c.event_id == events.c.event_id)
    query = select(events.c.body, deliveries.c.attempts).select_from(join)
    query = query.where(deliveries.c.webhook == webhook, *_due(now))
    rows = connection.execute(query.order_by(events.c.occurred_at).limit(limit))
    return [Delivery(_decode(body), webhook, attempts) for body, attempts in rows]


def has_due(connection: Connection, now: datetime) -> bool:
    """Return whether any delivery is due."""
    return (
        connection.execute(select(deliveries.c.event_id).where(*_due(now)).limit(1)).first()
        is not None
    )


def delivered(connection: Connection, one: Delivery, now: datetime) -> None:
    """Note that the receiver took it."""
    _change(connection, one, DeliveryState.DELIVERED, now, now, None)


def failed(
    connection: Connection, one: Delivery, now: datetime, error: str, again: datetime | None
) -> None:
    """Note why an attempt failed and when the next is due; None to give up."""
    state = DeliveryState.GIVEN_UP if again is None else DeliveryState.WAITING
    _change(connection, one, state, now, again or now, error)


def give_up(connection: Connection, webhook: str, now: datetime, error: str) -> int:
    """Give up all that waits for a webhook; return how much that was."""
    waiting = deliveries.c.webhook == webhook, deliveries.c.state == DeliveryState.WAITING.value
    values = {"state": DeliveryState.GIVEN_UP.value, "changed_at": now, "error": error}
    return connection.execute(update(deliveries).where(*waiting).values(values)).rowcount


def hold_back(connection: Connection, webhook: str, until: datetime) -> None:
    """Leave all that waits for a webhook alone until a moment."""
    waiting = deliveries.c.webhook == webhook, deliveries.c.state == DeliveryState.WAITING.value
    earlier = deliveries.c.due_at < until
    connection.execute(update(deliveries).where(*waiting, earlier).values(due_at=until))


def waiting_webhooks(connection: Connection) -> set[str]:
    """Return the webhooks for which something waits."""
    waiting = deliveries.c.state == DeliveryState.WAITING.value
    return set(connection.execute(select(deliveries.c.webhook).where(waiting).distinct()).scalars())


def backlogs(connection: Connection) -> list[Backlog]:
    """Return how telling goes for every webhook that has a delivery on record, by name."""
    by_state: dict[str, dict[DeliveryState, int]] = {}
    columns = deliveries.c.webhook, deliveries.c.state
    for webhook, state, count in connection.execute(
        select(*columns, func.count()).group_by(*columns)
    ):
        by_state.setdefault(webhook, {})[DeliveryState(state)] = count
    oldest = _oldest_waiting(connection)
    return [
        Backlog(
            webhook,
            counts.get(DeliveryState.WAITING, 0),
            counts.get(DeliveryState.DELIVERED, 0),
            counts.get(DeliveryState.GIVEN_UP, 0),
            oldest.get(webhook),
            _last_error(connection, webhook),
        )
        for webhook, counts in sorted(by_state.items())
    ]


def remove_events_before(connection: Connection, moment: datetime) -> int:
    """Forget events from before a moment with their deliveries; return how many."""
    old = select(events.c.event_id).where(events.c.occurred_at < moment)
    connection.execute(delete(deliveries).where(deliveries.c.event_id.in_(old)))
    return connection.execute(delete(events).where(events.c.occurred_at < moment)).rowcount


def remove_events_of(connection: Connection, account_id: str) -> None:
    """Forget every event of an account with its deliveries."""
    own = select(events.c.event_id).where(events.c.account_id == account_id)
    connection.execute(delete(deliveries).where(deliveries.c.event_id.in_(own)))
    connection.execute(delete(events).where(events.c.account_id == account_id))


def _due(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return deliveries.c.state == DeliveryState.WAITING.value, deliveries.c.due_at <= now


def _change(
    connection: Connection,
    one: Delivery,
    state: DeliveryState,
    now: datetime,
    due_at: datetime,
    error: str | None,
) -> None:
    same = and_(deliveries.c.event_id == one.event.event_id, deliveries.c.webhook == one.webhook)
    values = {
        "state": state.value,
        "attempts": one.attempts + 1,
        "due_at": due_at,
        "changed_at": now,
        "error": error,
    }
    connection.execute(update(deliveries).where(same).values(values))


def _oldest_waiting(connection: Connection) -> dict[str, datetime]:
    join = deliveries.join(events, deliveries.c.event_id == events.c.event_id)
    oldest = func.min(events.c.occurred_at).label("oldest")
    query = select(deliveries.c.webhook, oldest).select_from(join)
    waiting = deliveries.c.state == DeliveryState.WAITING.value
    rows = connection.execute(query.where(waiting).group_by(deliveries.c.webhook))
    return {row.webhook: row.oldest for row in rows}


def _last_error(connection: Connection, webhook: str) -> str | None:
    failing = deliveries.c.webhook == webhook, deliveries.c.error.is_not(None)
    query = select(deliveries.c.error).where(*failing)
    found: str | None = connection.execute(
        query.order_by(deliveries.c.changed_at.desc()).limit(1)
    ).scalar()
    return found
