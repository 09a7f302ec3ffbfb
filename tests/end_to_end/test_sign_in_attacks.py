"""Whoever tries to sign in with something else than a request of their own: nobody gets in.

Each attempt is refused with a reason and leaves an audit line, and no secret is written anywhere.
"""

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from itertools import islice
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from typing import Any

import pytest
from botocore.credentials import Credentials

from compute_optimizer.api.errors import RequestRefused
from compute_optimizer.api.server import SIGN_INS_WAITING
from compute_optimizer.api.sign_in import sts as sts_client
from compute_optimizer.api.sign_in.endpoints import StsEndpoint
from compute_optimizer.api.sign_in.exchange import Attempt, sign_in
from compute_optimizer.api.sign_in.presigned import Presigned
from compute_optimizer.store.access_keys import list_access_keys
from tests.end_to_end.conftest import SERVER_NAME, Served
from tests.end_to_end.raw import Answer
from tests.end_to_end.signing_in import ROLE, allow, ask, send
from tests.sts import NONCE, QUERY, Sts, certificate, listening, presigned, tls

OURS = ("compute_optimizer", "uvicorn", "asyncio")
"""Loggers of the server; clients of the tests log what they like."""

INVALID, REJECTED, SILENT = "InvalidIdentityToken", "IDPRejectedClaim", "IDPCommunicationError"


@pytest.fixture
def operator(host: Served, sts: Sts) -> Credentials:
    """Credentials of a role that a rule lets in."""
    allow(host)
    return sts.session_of(ROLE)


@pytest.fixture(autouse=True)
def nothing_secret_is_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """See to it that neither the audit log nor the program's log repeats what was sent."""
    caplog.set_level(logging.DEBUG)
    yield
    written = [path.read_text() for path in tmp_path.glob("*.jsonl")]
    logged = (*caplog.get_records("setup"), *caplog.get_records("call"))
    ours = (one for one in logged if one.name.startswith(OURS))
    written += [f"{one.getMessage()} {one.exc_text}" for one in ours]
    for secret in ("Signature=", "Security-Token=", "Credential=", QUERY):
        assert secret not in "".join(written)


def assert_refused(host: Served, answer: Answer, status: int, code: str, text: str) -> None:
    """The answer says why, an audit line says so, and there is no session."""
    said = answer.error["message"]
    assert (answer.status, answer.code) == (status, code), said
    assert text in said
    line = host.audit_lines()[-1]
    assert (line["operation"], line["outcome"]) == ("SignIn", code)
    assert line["parameters"]["reason"] == said
    assert "access_key_id" not in line
    with host.state.reading() as connection:
        assert list_access_keys(connection, sessions=True) == []


# What STS finds out


def altered(url: str, old: str, new: str) -> str:
    assert old in url
    return url.replace(old, new)


def test_a_request_that_was_altered_is_refused_by_sts(
    host: Served, sts: Sts, operator: Credentials
) -> None:
    url = presigned(sts.url, operator, SERVER_NAME, expires=299)

    answer = ask(host, altered(url, "X-Amz-Expires=299", "X-Amz-Expires=300"))

    assert_refused(host, answer, 403, REJECTED, "(SignatureDoesNotMatch)")


def test_a_request_for_another_server_under_this_ones_name_is_refused_by_sts(
    host: Served, sts: Sts, operator: Credentials
) -> None:
    answer = ask(host, presigned(sts.url, operator, "other.example.com"), server=SERVER_NAME)

    assert_refused(host, answer, 403, REJECTED, "(SignatureDoesNotMatch)")


def test_a_request_under_another_nonce_is_refused_by_sts(
    host: Served, sts: Sts, operator: Credentials
) -> None:
    answer = ask(host, presigned(sts.url, operator, SERVER_NAME), nonce="another-one-0123456789")

    assert_refused(host, answer, 403, REJECTED, "(SignatureDoesNotMatch)")


@pytest.mark.parametrize(
    "nonce", ["", "short", "a" * 65, "with spaces and more", "x\r\nhost: a-a-a"]
)
def test_a_nonce_that_is_none_is_refused_unasked(
    host: Served, sts: Sts, operator: Credentials, nonce: str
) -> None:
    answer = ask(host, presigned(sts.url, operator, SERVER_NAME), nonce=nonce)

    assert_refused(host, answer, 400, INVALID, "nonce: expected")
    assert sts.asked == []


def test_a_key_that_aws_does_not_know_is_refused_by_sts(host: Served, sts: Sts) -> None:
    allow(host)
    made_up = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")

    answer = ask(host, presigned(sts.url, made_up, SERVER_NAME))

    assert_refused(host, answer, 403, REJECTED, "(InvalidClientTokenId)")


def test_a_request_that_sts_refused_may_be_tried_by_its_owner(
    host: Served, sts: Sts, operator: Credentials
) -> None:
    url = presigned(sts.url, operator, SERVER_NAME)
    ask(host, altered(url, "X-Amz-Expires=300", "X-Amz-Expires=299"))

    assert ask(host, url).status == 200, "who guesses a signature does not use it up"


# What is refused before STS is asked


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"server": None}, "x-compute-optimizer-sign-in"),
        ({"header": "x-another-server"}, "x-compute-optimizer-sign-in"),
        ({"service": "iam"}, "scoped to the service sts"),
        ({"query": "Action=GetSessionToken&Version=2011-06-15"}, "Action: expected GetCaller"),
        ({"query": f"{QUERY}&DurationSeconds=900"}, "has a parameter that"),
        ({"query": "Action=GetCallerIdentity"}, "lacks Version"),
        ({"expires": 301}, "X-Amz-Expires: expected 1 to 300"),
        ({"expires": 0}, "X-Amz-Expires: expected 1 to 300"),
    ],
    ids=str,
)
def test_a_request_of_another_form_is_refused_unasked(
    host: Served, sts: Sts, operator: Credentials, wrong: dict[str, Any], text: str
) -> None:
    given = {"server": SERVER_NAME} | wrong

    answer = ask(host, presigned(sts.url, operator, **given))

    assert_refused(host, answer, 400, INVALID, text)
    assert sts.asked == []


def test_a_request_for_another_server_is_refused_unasked(
    host: Served, sts: Sts, operator: Credentials
) -> None:
    other = "other.example.com"

    answer = ask(host, presigned(sts.url, operator, other), server=other)

    assert_refused(host, answer, 400, INVALID, f"this one is {SERVER_NAME}")
    assert sts.asked == []


@pytest.mark.parametrize(
    ("ahead", "text"),
    [
        ({"minutes": 5, "seconds": 1}, "has expired; here it is"),
        ({"minutes": -6}, "is of the future; here it is"),
        ({"days": -3650}, "is of the future; here it is"),
    ],
    ids=str,
)
def test_a_request_of_another_time_is_refused_unasked(
    host: Served, sts: Sts, operator: Credentials, ahead: dict[str, float], text: str
) -> None:
    url = presigned(sts.url, operator, SERVER_NAME)
    host.clock.advance(**ahead)

    assert_refused(host, ask(host, url), 400, INVALID, text)
    assert sts.asked == []


def test_no_other_host_is_ever_asked(host: Served, sts: Sts, operator: Credentials) -> None:
    good = presigned(sts.url, operator, SERVER_NAME)
    port = sts.url.rpartition(":")[2]
    for place in (
        "http://sts.amazonaws.com",
        f"http://127.0.0.1:{int(port) + 1}",
        f"http://localhost:{port}",
        f"http://user:secret@127.0.0.1:{port}",
        f"{sts.url}@sts.example.com",
        f"{sts.url}/elsewhere",
        f"//127.0.0.1:{port}",
        "https://169.254.169.254",
    ):
        answer = ask(host, good.replace(sts.url, place))

        assert_refused(host, answer, 400, INVALID, "does not begin with an endpoint of STS")
    assert sts.asked == []
    assert "user:secret" not in host.settings.audit_file.read_text()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b'{"url": "https://sts.amazonaws.com/"}',
        b'{"url": 1, "server": "optimizer.example.com", "nonce": ""}',
        b'{"url": "", "server": "optimizer.example.com", "nonce": "", "rule": "mine"}',
        b'{"url": "\\ud800", "server": "optimizer.example.com", "nonce": ""}',
        b"[" * 15_000,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_body_that_is_no_request_to_sign_in_is_refused(host: Served, body: bytes) -> None:
    assert_refused(host, send(host, body), 400, INVALID, "The body must be JSON")


def test_an_oversized_body_is_refused_unread(host: Served, sts: Sts) -> None:
    answer = send(host, b" " * (16 * 1024 + 1))

    assert_refused(host, answer, 413, "RequestEntityTooLargeException", "larger than 16384 bytes")


def test_another_method_is_refused(host: Served) -> None:
    answer = send(host, b"", method="GET")

    assert_refused(host, answer, 400, "MalformedHttpRequestException", "with POST, not GET")


def test_a_source_that_comes_too_often_is_held_back(serve: Callable[..., Served], sts: Sts) -> None:
    served = serve(auth="on", sign_in_names=SERVER_NAME, sign_ins_per_minute=2.0)
    for _ in range(2):
        ask(served, "")

    small, large = ask(served, ""), send(served, b" " * 20_000)

    assert [one.status for one in (small, large)] == [429, 429]
    assert int(small.headers["x-amz-retry-after"]) > 1000
    assert len(served.audit_lines()) == 2, "whoever is held back does not fill the disk"


# An STS that is not what it should be

LONG_SECONDS = 240.0
"""As no STS of these tests is waited for."""

Handler = Callable[[BaseHTTPRequestHandler], None]


def says(status: int, body: bytes, **headers: str) -> Handler:
    """Return a handler that answers the same to everybody."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def drips(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte of the answer now and then."""
    for letter in b"HTTP/1.1 200 OK\r\nx-slow: " + b"a" * int(LONG_SECONDS / 0.1):
        handler.wfile.write(bytes([letter]))
        sleep(0.1)


def waits(_: BaseHTTPRequestHandler) -> None:
    """Send nothing for a while."""
    sleep(LONG_SECONDS)


def handling(answer: Handler) -> type[BaseHTTPRequestHandler]:
    """Return the class of a handler."""

    class Handling(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                answer(self)
            except OSError:
                self.close_connection = True  # The peer went away, as it should.

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handling


def asked_of(served: Served, url: str) -> Answer:
    """Ask to sign in with a request that goes to an STS of the test."""
    someone = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    return ask(served, presigned(url, someone, SERVER_NAME))


Hosting = Callable[[str], Served]


@pytest.fixture
def hosting(serve: Callable[..., Served]) -> Hosting:
    """Serve with an STS of the test, and a rule."""

    def start(url: str) -> Served:
        served = serve(auth="on", sign_in_names=SERVER_NAME, sign_in_sts_endpoints=url)
        allow(served)
        return served

    return start


IDENTITY = (
    b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    b"<GetCallerIdentityResult><Arn>arn:aws:sts::111111111111:assumed-role/Operator/eve</Arn>"
    b"<UserId>AROA:eve</UserId><Account>111111111111</Account></GetCallerIdentityResult>"
    b"</GetCallerIdentityResponse>"
)


def test_the_identity_of_these_tests_would_be_let_in(hosting: Hosting) -> None:
    with listening(handling(says(200, IDENTITY))) as url:
        assert asked_of(hosting(url), url).status == 200


def test_an_identity_of_another_partition_than_the_endpoints_is_not_believed(
    host: Served, sts: Sts, operator: Credentials
) -> None:
    desk = host.door.sign_in
    assert desk is not None
    chinese = replace(desk, endpoints={sts.url: StsEndpoint(sts.url, "aws-cn")})
    url = presigned(sts.url, operator, SERVER_NAME)
    body = json.dumps({"url": url, "server": SERVER_NAME, "nonce": NONCE}).encode()

    with pytest.raises(RequestRefused, match="of another partition") as raised:
        sign_in(chinese, Attempt(body, "127.0.0.1", host.clock.now()))

    assert raised.value.code == SILENT
    assert sign_in(desk, Attempt(body, "127.0.0.1", host.clock.now())), "it was not used up"


def test_a_redirect_is_not_followed(hosting: Hosting) -> None:
    seen: list[str] = []

    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.path)
        says(200, IDENTITY)(handler)

    with (
        listening(handling(elsewhere)) as target,
        listening(handling(says(302, b"", location=f"{target}/?{QUERY}"))) as url,
    ):
        served = hosting(url)
        answer = asked_of(served, url)

    assert_refused(served, answer, 503, SILENT, "STS answered with status 302")
    assert seen == []


@pytest.mark.parametrize("slow", [waits, drips])
def test_a_slow_sts_is_not_waited_for(
    hosting: Hosting, monkeypatch: pytest.MonkeyPatch, slow: Handler
) -> None:
    monkeypatch.setattr(sts_client, "ANSWER_SECONDS", 0.3)
    with listening(handling(slow)) as url:
        served = hosting(url)
        begun = monotonic()
        answer = asked_of(served, url)
        took = monotonic() - begun

    assert_refused(served, answer, 503, SILENT, "did not answer at http://127.0.0.1")
    assert took < LONG_SECONDS / 2


@pytest.mark.parametrize(
    ("status", "body", "code", "text"),
    [
        (200, b"<html>Welcome</html>", 503, "does not say who signed"),
        (200, b'{"Arn": "arn:aws:iam::111111111111:root"}', 503, "does not say who signed"),
        (200, IDENTITY + b" " * 16 * 1024, 503, "too long to be one"),
        (500, IDENTITY, 503, "answered with status 500"),
        (429, IDENTITY, 503, "answered with status 429"),
        (403, IDENTITY, 403, "STS did not accept the presigned request:"),
        (403, b"<Code>Se&cret</Code>", 403, "STS did not accept the presigned request:"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_an_answer_that_sts_does_not_give_lets_nobody_in(
    hosting: Hosting, status: int, body: bytes, code: int, text: str
) -> None:
    with listening(handling(says(status, body))) as url:
        served = hosting(url)
        answer = asked_of(served, url)

    assert_refused(served, answer, code, SILENT if code == 503 else REJECTED, text)


def test_an_sts_that_cannot_be_reached_lets_nobody_in(hosting: Hosting) -> None:
    with listening(handling(waits)) as url:
        pass  # It is gone now.
    served = hosting(url)

    assert_refused(served, asked_of(served, url), 503, SILENT, "did not answer at")


def test_an_sts_without_a_trusted_certificate_lets_nobody_in(
    hosting: Hosting, tmp_path: Path
) -> None:
    seen: list[str] = []
    unknown = tls(certificate(tmp_path, "127.0.0.1"))
    with listening(handling(lambda handler: seen.append(handler.path)), unknown) as url:
        served = hosting(url)

        assert_refused(served, asked_of(served, url), 503, SILENT, "did not answer at https://")
    assert seen == []


def test_a_defect_on_the_way_tells_nobody_what_was_sent(
    host: Served,
    sts: Sts,
    operator: Credentials,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(connection: object, presigned: Presigned, header: str) -> None:
        raise RuntimeError(presigned.query)

    monkeypatch.setattr(sts_client, "_exchange", fail)

    answer = ask(host, presigned(sts.url, operator, SERVER_NAME))

    assert_refused(host, answer, 500, "InternalServerException", "An internal error occurred.")
    (logged,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert "failed: RuntimeError" in logged.getMessage()
    assert "in ask_sts" in logged.getMessage(), "where it happened"


def test_a_slow_sts_makes_no_queue_and_holds_up_no_other_call(
    serve: Callable[..., Served],
) -> None:
    more, release = 4, Event()

    def holds(_: BaseHTTPRequestHandler) -> None:
        release.wait(LONG_SECONDS)

    with listening(handling(holds)) as url, ThreadPoolExecutor(SIGN_INS_WAITING + more) as pool:
        served = serve(auth="on", sign_in_names=SERVER_NAME, sign_in_sts_endpoints=url)
        client = served.signed_client(served.new_key())
        asking = [pool.submit(asked_of, served, url) for _ in range(SIGN_INS_WAITING + more)]
        refused = islice(as_completed(asking), more)
        at_once = [one.result().status for one in refused]
        meanwhile = client.get_enrollment_status()["status"]
        release.set()
        statuses = sorted(one.result().status for one in asking)

    assert (at_once, meanwhile) == ([429] * more, "Inactive")
    assert statuses == [429] * more + [503] * SIGN_INS_WAITING
