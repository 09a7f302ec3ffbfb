"""One signed message to a real server: what it gets, and what is made of its answers."""

import hmac
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.sinks.webhooks import Receiver, check_url, key_of, post, signed_headers
from tests.answering import Answer, Answering, answering

AT = datetime(2026, 3, 15, 6, 30, tzinfo=UTC)
KEY = b"k" * 32
BODY = b'{"version":"1"}'
PATH = "/services/T000/B000/secret-part"


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as here:
        here.otherwise = lambda _: Answer(b"ok")
        yield here


AT_ONCE_SECONDS = 60.0
"""Less than the answers of slow receivers would take; a busy machine adds seconds."""


def receiver(server: Answering, seconds: float = 5.0, key: bytes = KEY) -> Receiver:
    return Receiver(server.url + PATH, key, timedelta(seconds=seconds))


def test_the_receiver_can_verify_what_it_gets(server: Answering) -> None:
    attempt = post(receiver(server), "event-1", BODY, AT)

    assert (attempt.code, attempt.error) == (200, "")
    (asked,) = server.asked
    assert (asked.path, asked.body) == (PATH, BODY)
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["webhook-id"] == "event-1"
    # 2026-03-15 06:30 UTC is 1,773,556,200 s after 1970.
    assert asked.headers["webhook-timestamp"] == "1773556200"
    # Standard Webhooks: id, timestamp and body with dots between.
    signed = b"event-1.1773556200." + BODY
    expected = b64encode(hmac.new(KEY, signed, sha256).digest()).decode()
    assert asked.headers["webhook-signature"] == f"v1,{expected}"


def test_the_example_of_standard_webhooks_has_its_signature() -> None:
    """The known answer that the libraries of Standard Webhooks are tested with."""
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)

    headers = signed_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_without_a_key_nothing_is_signed(server: Answering) -> None:
    post(receiver(server, key=b""), "event-1", BODY, AT)

    assert "webhook-signature" not in server.asked[0].headers


@pytest.mark.parametrize(
    ("answer", "error", "gone"),
    [
        (Answer(b"no such\n channel", 404), "answers 404: no such channel", False),
        (Answer(b"", 500), "answers 500", False),
        (Answer(b"", 410), "answers 410", True),
        (
            Answer(b"", 302, {"Location": "http://127.0.0.1:1/elsewhere"}),
            "answers 302: redirects, which is not followed",
            False,
        ),
        (
            Answer(b"", 308, {"Location": "http://127.0.0.1:1/elsewhere"}),
            "answers 308: redirects, which is not followed",
            False,
        ),
    ],
)
def test_a_refusal_says_what_the_receiver_said(
    server: Answering, answer: Answer, error: str, gone: bool
) -> None:
    server.answers = [answer]

    attempt = post(receiver(server), "event-1", BODY, AT)

    assert (attempt.code, attempt.error, attempt.gone) == (answer.code, error, gone)
    assert len(server.asked) == 1


def test_a_refusal_shows_only_its_beginning_in_one_line(server: Answering) -> None:
    server.answers = [Answer(b"\x1b[31m" + b"x" * 10_000, 500)]

    attempt = post(receiver(server), "event-1", BODY, AT)

    assert len(attempt.error) < 250
    assert attempt.error.isprintable()


@pytest.mark.parametrize(
    ("asked", "wait"),
    [("120", 120), ("-5", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("9" * 30, None)],
)
def test_a_receiver_may_ask_to_wait(server: Answering, asked: str, wait: int | None) -> None:
    server.answers = [Answer(b"", 429, {"Retry-After": asked})]

    found = post(receiver(server), "event-1", BODY, AT).retry_after

    assert found == (None if wait is None else timedelta(seconds=wait))


def test_a_silent_receiver_is_left_after_the_timeout(server: Answering) -> None:
    server.answers = [Answer(seconds_before=600.0)]
    began = time.monotonic()

    attempt = post(receiver(server, 0.3), "event-1", BODY, AT)

    assert attempt.error == "no answer within 0.3 s"
    assert time.monotonic() - began < AT_ONCE_SECONDS


def test_a_receiver_that_drips_its_answer_is_left_as_well(server: Answering) -> None:
    """A timeout of the socket alone would begin anew with each byte."""
    # Of a refusal 200 bytes are read: 80 s.
    server.answers = [Answer(b"x" * 6_000, 500, seconds_per_byte=0.4)]
    began = time.monotonic()

    attempt = post(receiver(server, 1.0), "event-1", BODY, AT)

    assert attempt.error
    assert time.monotonic() - began < AT_ONCE_SECONDS


def test_where_nobody_listens_the_reason_is_told_without_the_url(server: Answering) -> None:
    gone = Receiver("http://127.0.0.1:9" + PATH, KEY, timedelta(seconds=2))

    attempt = post(gone, "event-1", BODY, AT)

    assert "refused" in attempt.error
    assert "secret-part" not in attempt.error
    assert "secret-part" not in repr(gone)
    assert repr(KEY) not in repr(gone)
    assert gone.place == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/a?b=c",
        "https://10.0.0.7:8443/hook",
        "http://127.0.0.1:8080/hook",
        "http://localhost/hook",
        "http://[::1]/hook",
    ],
)
def test_urls_that_need_no_permission(url: str) -> None:
    assert check_url(url, allow_http=False) == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://10.0.0.7/hook", "plain http"),
        ("http://localhost.example.com/hook", "plain http"),
        ("ftp://example.com/hook", "expected https"),
        ("https:///hook", "expected https"),
        ("https://example.com:port/hook", "expected https"),
        ("https://exämple.com/hook", "expected https"),
        ("https://example.com/a b", "spaces"),
        ("https://example.com/a\r\nX: y", "spaces"),
        ("https://example.com/hook#part", "fragment"),
        ("https://user:password@example.com/hook", "names a user"),
    ],
)
def test_urls_that_are_refused_are_not_shown(url: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as refused:
        check_url(url, allow_http=False)

    assert url not in str(refused.value)


def test_plain_http_beyond_this_machine_needs_a_word() -> None:
    assert check_url("http://10.0.0.7/hook", allow_http=True) == "http://10.0.0.7/hook"


def test_secrets_are_base64_after_their_prefix_or_taken_as_they_are() -> None:
    assert key_of("whsec_" + b64encode(KEY).decode()) == KEY
    assert key_of("x" * 24) == b"x" * 24
    for wrong in ("short", "whsec_", "whsec_???", "x" * 23):
        with pytest.raises(InvalidInput) as refused:
            key_of(wrong)
        assert wrong not in str(refused.value)
