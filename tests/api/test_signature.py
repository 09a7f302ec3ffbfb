"""botocore signs, this program verifies."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import digest
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from compute_optimizer.api import signature
from compute_optimizer.api.errors import RequestRefused
from compute_optimizer.api.messages import Request
from compute_optimizer.api.signature import Authorization, Credential
from compute_optimizer.shapes import MissingAuthenticationToken

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # The secret of AWS's own documentation.
SKEW = timedelta(seconds=300)

JSON_HEADERS = {
    "X-Amz-Target": "ComputeOptimizerService.GetEnrollmentStatus",
    "Content-Type": "application/x-amz-json-1.0",
}
CBOR_HEADERS = {
    "smithy-protocol": "rpc-v2-cbor",
    "Accept": "application/cbor",
    "Content-Type": "application/cbor",
}
CBOR_PATH = "/service/ComputeOptimizerService/operation/GetEnrollmentStatus"


def sign(
    path: str = "/",
    body: bytes = b"{}",
    headers: dict[str, str] = JSON_HEADERS,
    token: str | None = None,
    host: str = "127.0.0.1:4599",
) -> Request:
    """Sign with botocore and return the request as it arrives here."""
    request = AWSRequest(method="POST", url=f"http://{host}{path}", data=body, headers=headers)
    auth = SigV4Auth(Credentials(KEY_ID, SECRET, token), "compute-optimizer", "us-east-1")
    auth.add_auth(request)
    prepared = request.prepare()
    received = {
        name.lower().encode(): value if isinstance(value, bytes) else value.strip().encode()
        for name, value in prepared.headers.items()
    }
    received.setdefault(b"host", host.encode())
    raw_path, _, query = path.partition("?")
    return Request("POST", raw_path.encode(), query.encode(), received, body, "127.0.0.1")


def verify(request: Request, secret: str = SECRET, now: datetime | None = None) -> Authorization:
    """Run every check in the order in which the front door does."""
    authorization, claimed = signature.read_authorization(request.headers)
    credential = authorization.credential
    signature.check_scope(credential, "compute-optimizer")
    now = now or datetime.now(UTC)  # botocore signs with the machine's clock
    signed_at = signature.check_time(credential, request.headers, now, SKEW)
    signature.check_signed_headers(authorization.signed_headers, request.headers)
    key = signature.derive_signing_key(secret, authorization.scope)
    signature.check_signature(request, authorization, claimed, signed_at, key)
    return authorization


@contextmanager
def refused(code: str, match: str | None = None) -> Iterator[pytest.ExceptionInfo[RequestRefused]]:
    with pytest.raises(RequestRefused, match=match) as raised:
        yield raised
    assert raised.value.code == code


def with_header(request: Request, name: bytes, value: bytes) -> Request:
    return replace(request, headers={**request.headers, name: value})


def without_header(request: Request, name: bytes) -> Request:
    kept = {key: value for key, value in request.headers.items() if key != name}
    return replace(request, headers=kept)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({}, id="json"),
        pytest.param({"body": b""}, id="json, empty body"),
        pytest.param({"path": CBOR_PATH, "body": b"\xa0", "headers": CBOR_HEADERS}, id="cbor"),
        pytest.param({"token": "FQoGZXIvYXdzEJr//////////wEaDExample=="}, id="session token"),
        pytest.param({"host": "compute-optimizer.example:80"}, id="default port left out"),
        pytest.param({"path": "/co/prefix"}, id="path prefix"),
        pytest.param({"path": "/a//b/./c/../d/"}, id="path that is normalised"),
        pytest.param({"path": "/sp%20ace/tilde~/plus+"}, id="path that is encoded twice"),
        pytest.param({"path": "/?b=2&a=1&a=0&empty=&flag"}, id="query"),
        pytest.param({"path": "/?q=a%20b%2Fc~d"}, id="query that is encoded"),
        pytest.param(
            {"headers": JSON_HEADERS | {"X-Amz-User-Agent": "  two   spaces  inside "}},
            id="spaces are folded",
        ),
        pytest.param(
            {"headers": JSON_HEADERS | {"X-Amz-Content-SHA256": sha256(b"{}").hexdigest()}},
            id="body hash sent along",
        ),
        pytest.param(
            {"headers": JSON_HEADERS | {"amz-sdk-request": "attempt=1; max=3"}},
            id="more headers signed",
        ),
        pytest.param(
            {"headers": JSON_HEADERS | {"x-100%b": "of %b", "x-%%": "%"}}, id="percent signs"
        ),
        pytest.param(
            {"headers": JSON_HEADERS | {"Date": "Sun, 22 Nov 2026 21:44:20 GMT"}},
            id="date header",
        ),
    ],
)
def test_what_botocore_signs_is_accepted(arguments: dict[str, Any]) -> None:
    request = sign(**arguments)
    if request.headers[b"host"].endswith(b":80"):
        request = with_header(request, b"host", b"compute-optimizer.example")

    authorization = verify(request)

    assert authorization.credential.access_key_id == KEY_ID
    assert authorization.credential.region == "us-east-1"


def test_commas_without_spaces_separate_the_parts_too() -> None:
    request = sign()
    tight = request.headers[b"authorization"].replace(b", ", b",")

    verify(with_header(request, b"authorization", tight))


SIGNED = sign(token="a-session-token")


@pytest.mark.parametrize(
    "tampered",
    [
        pytest.param(replace(SIGNED, method="PUT"), id="method"),
        pytest.param(replace(SIGNED, raw_path=b"/other"), id="path"),
        pytest.param(replace(SIGNED, query_string=b"a=1"), id="query"),
        pytest.param(replace(SIGNED, body=b'{"status":"Active"}'), id="body"),
        pytest.param(with_header(SIGNED, b"host", b"127.0.0.1:4600"), id="host"),
        pytest.param(
            with_header(SIGNED, b"x-amz-target", b"ComputeOptimizerService.UpdateEnrollmentStatus"),
            id="operation",
        ),
        pytest.param(with_header(SIGNED, b"x-amz-security-token", b"another"), id="token"),
        pytest.param(with_header(SIGNED, b"content-type", b"application/json"), id="content type"),
        pytest.param(without_header(SIGNED, b"content-type"), id="signed header removed"),
        pytest.param(
            with_header(SIGNED, b"x-amz-content-sha256", b"UNSIGNED-PAYLOAD"), id="unsigned payload"
        ),
        pytest.param(
            with_header(SIGNED, b"x-amz-content-sha256", sha256(b"[]").hexdigest().encode()),
            id="hash of another body",
        ),
        pytest.param(
            with_header(
                SIGNED,
                b"authorization",
                SIGNED.headers[b"authorization"].replace(b"us-east-1", b"eu-west-1"),
            ),
            id="Region",
        ),
        pytest.param(
            with_header(
                SIGNED, b"authorization", SIGNED.headers[b"authorization"][:-64] + b"0" * 64
            ),
            id="signature",
        ),
        pytest.param(
            with_header(SIGNED, b"authorization", SIGNED.headers[b"authorization"][:-1]),
            id="signature cut short",
        ),
        pytest.param(
            with_header(SIGNED, b"authorization", SIGNED.headers[b"authorization"] + "é".encode()),
            id="signature beyond ASCII",
        ),
    ],
)
def test_any_change_after_signing_is_noticed(tampered: Request) -> None:
    with refused("InvalidSignatureException", match="does not match the signature"):
        verify(tampered)


def test_another_secret_is_noticed() -> None:
    with refused("InvalidSignatureException", match="does not match the signature"):
        verify(sign(), secret=SECRET[:-1] + "Z")


@pytest.mark.parametrize(
    ("name", "without"),
    [
        pytest.param("host", "content-type;x-amz-date;x-amz-target", id="host"),
        pytest.param("x-amz-date", "content-type;host;x-amz-target", id="date"),
        pytest.param("x-amz-target", "content-type;host;x-amz-date", id="operation"),
    ],
)
def test_headers_that_decide_must_be_signed(name: str, without: str) -> None:
    request = sign()
    everything = b"content-type;host;x-amz-date;x-amz-target"
    header = request.headers[b"authorization"].replace(everything, without.encode())

    with refused("InvalidSignatureException", match=f"'{name}' must be a 'SignedHeader'"):
        verify(with_header(request, b"authorization", header))


def test_a_session_token_must_be_signed() -> None:
    with refused("InvalidSignatureException", match="'x-amz-security-token' must be"):
        verify(with_header(sign(), b"x-amz-security-token", b"smuggled"))


def test_a_request_without_a_signature_has_no_authentication_token() -> None:
    with pytest.raises(MissingAuthenticationToken, match="Missing Authentication Token"):
        verify(without_header(sign(), b"authorization"))


PREFIX = "AWS4-HMAC-SHA256 "
CREDENTIAL = "Credential=AKID/20261122/us-east-1/compute-optimizer/aws4_request"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer abc",
        "AWS4-ECDSA-P256-SHA256 " + CREDENTIAL + ", SignedHeaders=host, Signature=00",
        PREFIX + CREDENTIAL + ", SignedHeaders=host",
        PREFIX + CREDENTIAL + ", Signature=00",
        PREFIX + "SignedHeaders=host, Signature=00",
        PREFIX + "Credential=AKID/20261122/us-east-1, SignedHeaders=host, Signature=00",
        PREFIX + "Credential=//us-east-1/x/aws4_request, SignedHeaders=host, Signature=00",
        PREFIX + CREDENTIAL + ", SignedHeaders=Host, Signature=00",
        PREFIX + CREDENTIAL + ", SignedHeaders=host;;x-amz-date, Signature=00",
        PREFIX + CREDENTIAL + ", SignedHeaders=host;a b, Signature=00",
        "Signature=",
        PREFIX + CREDENTIAL + f", SignedHeaders=host;{'x' * 4096}, Signature=00",
    ],
)
def test_an_unreadable_authorization_is_incomplete(header: str) -> None:
    with refused("IncompleteSignature"):
        signature.read_authorization({b"authorization": header.encode()})


def test_a_scope_that_ends_otherwise_is_refused() -> None:
    header = PREFIX + CREDENTIAL.replace("aws4", "aws5") + ", SignedHeaders=host, Signature=00"
    with refused("InvalidSignatureException", match="scoped to end in 'aws4_request'"):
        signature.read_authorization({b"authorization": header.encode()})


def test_a_scope_of_another_service_is_refused() -> None:
    credential = Credential(KEY_ID, "20261122", "us-east-1", "ec2")
    with refused("InvalidSignatureException", match="correct service: 'compute-optimizer'"):
        signature.check_scope(credential, "compute-optimizer")


NOW = datetime(2026, 11, 22, 21, 44, 20, tzinfo=UTC)
TODAY = Credential(KEY_ID, "20261122", "us-east-1", "compute-optimizer")


@pytest.mark.parametrize("seconds", [-300, -299, 0, 300])
def test_a_clock_within_the_skew_is_accepted(seconds: int) -> None:
    headers = {b"x-amz-date": b"20261122T214420Z"}

    signed_at = signature.check_time(TODAY, headers, NOW + timedelta(seconds=seconds), SKEW)

    assert signed_at == "20261122T214420Z"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(
            301,
            "Signature expired: 20261122T214420Z is now earlier than 20261122T214421Z "
            "(20261122T214921Z - 5 min.)",
            id="too old",
        ),
        pytest.param(
            -301,
            "Signature not yet current: 20261122T214420Z is still later than 20261122T214419Z "
            "(20261122T213919Z + 5 min.)",
            id="from the future",
        ),
    ],
)
def test_a_clock_beyond_the_skew_is_refused_in_words_that_sdks_know(
    seconds: int, text: str
) -> None:
    headers = {b"x-amz-date": b"20261122T214420Z"}

    with refused("InvalidSignatureException") as raised:
        signature.check_time(TODAY, headers, NOW + timedelta(seconds=seconds), SKEW)

    assert raised.value.message == text


@pytest.mark.parametrize("day", ["20261121", "2026", "20261122T21"])
def test_the_day_of_the_scope_must_be_the_day_of_the_request(day: str) -> None:
    scoped = replace(TODAY, date=day)
    with refused("InvalidSignatureException", match=f"'{day}' != '20261122'"):
        signature.check_time(scoped, {b"x-amz-date": b"20261122T214420Z"}, NOW, SKEW)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param({b"x-amz-date": b"2026-11-22T21:44:20Z"}, id="another format"),
        pytest.param({b"x-amz-date": b"20261322T214420Z"}, id="month 13"),
        pytest.param({b"x-amz-date": b"\xff"}, id="not text"),
        pytest.param({b"date": b"yesterday"}, id="Date that is none"),
        pytest.param({b"date": b"Fri, 31 Dec 9999 23:59:59 -0100"}, id="Date beyond the calendar"),
    ],
)
def test_a_date_that_cannot_be_read_is_incomplete(headers: dict[bytes, bytes]) -> None:
    with refused("IncompleteSignature"):
        signature.check_time(TODAY, headers, NOW, SKEW)


def test_a_date_header_without_a_zone_is_utc() -> None:
    headers = {b"date": b"Sun, 22 Nov 2026 21:44:20 -0000"}
    assert signature.check_time(TODAY, headers, NOW, SKEW) == "20261122T214420Z"


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 400])
def test_a_signing_key_signs_as_hmac_does_and_again_the_same(length: int) -> None:
    key, message = bytes(range(32)), b"x" * length
    prepared = signature.SigningKey(key)

    expected = digest(key, message, "sha256").hex().encode()

    assert [prepared.signed(message), prepared.signed(message)] == [expected, expected]
