"""Webhooks: the file that lists them, and the delivery of what the outbox holds.

webhooks:
  - name: chat
    url_environment: SLACK_WEBHOOK_URL
    format: slack
    events: [new, applied]
  - name: tickets
    url: https://tickets.example.com/hooks/rightsizing
    secret_file: tickets.secret
"""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from sqlalchemy import Connection

from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Clock
from compute_optimizer.model.event import (
    GIVEN_UP_AFTER,
    LONGEST_WAIT,
    Attempt,
    EventName,
    next_attempt,
)
from compute_optimizer.sinks.webhooks import Receiver, check_url, key_of, post
from compute_optimizer.sources.yaml_files import EntryName, read_yaml, repeated
from compute_optimizer.store import State, outbox
from compute_optimizer.store.outbox import Delivery
from compute_optimizer.views.webhook_payloads import PAYLOADS, SLACK

MOST_AT_ONCE = 100
"""Deliveries to one webhook in one run of the job; the rest is due at the next."""

MOST_THREADS = 8
"""Webhooks that are told at once."""

NO_LONGER_LISTED = "the file of webhooks does not list it any more"
GONE = "the receiver answered 410 Gone: it wants nothing any more"

Fence = Callable[[Connection], None]


class WebhookEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry as it is written."""

    name: EntryName
    url: str = ""
    url_file: str = ""
    url_environment: str = ""
    """Where the URL itself is a secret, as those of Slack are."""
    secret_file: str = ""
    secret_environment: str = ""
    events: Annotated[tuple[EventName, ...], msgspec.Meta(min_length=1)] = tuple(EventName)
    format: Literal["json", "slack"] = "json"
    accounts: tuple[str, ...] = ()
    """Whose events; empty for those of all."""
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=60)] = 10.0
    allow_http: bool = False


class WebhooksFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    webhooks: tuple[WebhookEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Webhook:
    """One entry, checked, with what it read."""

    name: str
    receiver: Receiver
    events: frozenset[EventName]
    format: str
    accounts: frozenset[str]

    def wants(self, name: EventName, account_id: str) -> bool:
        """Whether it is told of an event of an account."""
        return name in self.events and (not self.accounts or account_id in self.accounts)


@dataclass(frozen=True, slots=True)
class DeliveryRun:
    """What one run of the delivery came to."""

    delivered: int
    failed: int
    given_up: int
    failures: tuple[str, ...]
    """Of each webhook that failed, its name and why."""


def read_webhooks(path: str) -> tuple[Webhook, ...]:
    """Return the webhooks that a file lists, none where no file is named.

    Raises InvalidInput that names the webhook at fault and shows neither URL nor secret.
    """
    if not path:
        return ()
    file = Path(path).expanduser()
    entries = read_yaml(file, WebhooksFile).webhooks
    if twice := repeated(Counter(one.name for one in entries)):
        raise InvalidInput(f"{file}: the webhook {twice!r} is listed more than once")
    return tuple(_checked(file, one) for one in entries)


def has_deliveries(state: State, clock: Clock) -> bool:
    """Whether anything is to be addressed or delivered; two short reads."""
    with state.reading() as connection:
        return outbox.has_unaddressed(connection) or outbox.has_due(connection, clock.now())


def deliver(
    state: State,
    clock: Clock,
    webhooks: Sequence[Webhook],
    owner_tags: tuple[str, ...],
    fence: Fence = lambda connection: None,
    check: Callable[[], None] = lambda: None,
) -> DeliveryRun:
    """Address new events to the webhooks that want them, and deliver what is due.

    At least once: what a killed process had sent and not put on record is sent again, under the
    same id. After a failure the rest for the same receiver is left to the next run, so that one
    that is away costs one timeout each time. `check` is called between, and may raise to stop.
    """
    _address(state, clock, webhooks, fence)
    with ThreadPoolExecutor(MOST_THREADS, "webhook") as pool:
        waiting = [
            pool.submit(_deliver_to, state, clock, one, owner_tags, fence, check)
            for one in webhooks
        ]
        found = [one.result() for one in waiting]
    dropped = _drop_unlisted(state, clock, webhooks, fence)
    return DeliveryRun(
        delivered=sum(one.delivered for one in found),
        failed=sum(one.failed for one in found),
        given_up=sum(one.given_up for one in found) + dropped,
        failures=tuple(text for one in found for text in one.failures),
    )


def _address(state: State, clock: Clock, webhooks: Sequence[Webhook], fence: Fence) -> None:
    while True:
        with state.writing() as connection:
            fence(connection)
            events = outbox.unaddressed(connection)
            if not events:
                return
            now = clock.now()
            outbox.address(
                connection,
                {
                    # What waited for a worker for too long is no news any more.
                    one.event_id: []
                    if one.occurred_at < now - GIVEN_UP_AFTER
                    else [to.name for to in webhooks if to.wants(one.name, one.account_id)]
                    for one in events
                },
                now,
            )


def _deliver_to(
    state: State,
    clock: Clock,
    webhook: Webhook,
    owner_tags: tuple[str, ...],
    fence: Fence,
    check: Callable[[], None],
) -> DeliveryRun:
    with state.reading() as connection:
        due = outbox.due_deliveries(connection, webhook.name, clock.now(), MOST_AT_ONCE)
    for done, one in enumerate(due):
        check()
        attempt = _attempt(clock, webhook, one, owner_tags)
        given_up = _record(state, clock, webhook, one, attempt, fence)
        if attempt.error:
            told = f"{webhook.name} ({webhook.receiver.place}): {attempt.error}"
            return DeliveryRun(done, 1, given_up, (told,))
    return DeliveryRun(len(due), 0, 0, ())


def _attempt(clock: Clock, webhook: Webhook, one: Delivery, owner_tags: tuple[str, ...]) -> Attempt:
    payload = PAYLOADS[webhook.format](one.event, owner_tags)
    body = msgspec.json.encode(payload)
    return post(webhook.receiver, one.event.event_id, body, clock.now())


def _record(
    state: State, clock: Clock, webhook: Webhook, one: Delivery, attempt: Attempt, fence: Fence
) -> int:
    """Put an attempt on record and return how many deliveries were given up with it."""
    now = clock.now()
    with state.writing() as connection:
        fence(connection)
        if not attempt.error:
            outbox.delivered(connection, one, now)
            return 0
        if attempt.gone:
            outbox.failed(connection, one, now, GONE, None)
            return 1 + outbox.give_up(connection, webhook.name, now, GONE)
        again = next_attempt(one.event.occurred_at, one.attempts + 1, attempt.retry_after, now)
        outbox.failed(connection, one, now, attempt.error, again)
        if attempt.retry_after:
            # The receiver asked for a pause, not for this message to come later.
            outbox.hold_back(connection, webhook.name, now + min(attempt.retry_after, LONGEST_WAIT))
        return 0 if again else 1


def _drop_unlisted(state: State, clock: Clock, webhooks: Sequence[Webhook], fence: Fence) -> int:
    """Give up what waits for webhooks that are no longer listed."""
    with state.reading() as connection:
        unlisted = outbox.waiting_webhooks(connection) - {one.name for one in webhooks}
    if not unlisted:
        return 0
    with state.writing() as connection:
        fence(connection)
        now = clock.now()
        return sum(
            outbox.give_up(connection, name, now, NO_LONGER_LISTED) for name in sorted(unlisted)
        )


def _checked(file: Path, entry: WebhookEntry) -> Webhook:
    try:
        url = _read_once(file, "url", entry.url, entry.url_file, entry.url_environment)
        if url is None:
            raise InvalidInput("has no url; give url, url_file or url_environment")
        receiver = Receiver(
            check_url(url, allow_http=entry.allow_http),
            _key(file, entry),
            timedelta(seconds=entry.timeout_seconds),
        )
    except InvalidInput as error:
        raise InvalidInput(f"{file}: webhook {entry.name!r}: {error}") from None
    return Webhook(
        entry.name, receiver, frozenset(entry.events), entry.format, frozenset(entry.accounts)
    )


def _key(file: Path, entry: WebhookEntry) -> bytes:
    secret = _read_once(file, "secret", "", entry.secret_file, entry.secret_environment)
    if secret is not None:
        return key_of(secret)
    if entry.format == SLACK:
        return b""  # Slack verifies nothing: whoever knows the URL may post.
    raise InvalidInput(
        "has no secret to sign with; give secret_file or secret_environment, with at least 24 "
        "random bytes, such as of `openssl rand -base64 32`"
    )


def _read_once(file: Path, what: str, plain: str, named_file: str, variable: str) -> str | None:
    """Return what is written in one of three places; None where none is named."""
    if sum(map(bool, (plain, named_file, variable))) > 1:
        raise InvalidInput(f"says its {what} more than once; give one place")
    if named_file:
        path = file.absolute().parent / Path(named_file).expanduser()
        try:
            found = path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{what}_file {path} cannot be read: {_reason(error)}") from None
        place = f"{what}_file {path}"
    elif variable:
        found, place = os.environ.get(variable, "").strip(), f"environment variable {variable}"
    else:
        return plain or None
    if not found or not found.isprintable():
        raise InvalidInput(f"{place} is empty, or holds more than one line of text")
    return found


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or "is no UTF-8 text"
