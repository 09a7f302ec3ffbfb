"""One server over HTTP: who asks, what is tried again, and what is refused."""

import ssl
import time
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from compute_optimizer.errors import InvalidInput, SourceUnavailable
from compute_optimizer.interfaces import SystemClock
from compute_optimizer.sources.prometheus import connection
from compute_optimizer.sources.prometheus.configuration import (
    BasicAuth,
    Secret,
    ServerEntry,
    Tls,
)
from compute_optimizer.sources.prometheus.connection import Server, TooMuch
from tests.answering import EMPTY, Answer, Answering, answering


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    monkeypatch.setattr(connection, "FIRST_WAIT_SECONDS", 0.01)
    with answering() as server:
        yield server


def ask(there: Answering, **entry: Any) -> bytes:
    return Server(ServerEntry(there.url, **entry)).ask("query", {"query": "up"})


def refused(code: int, error: str) -> Answer:
    return Answer(f'{{"status":"error","error":"{error}"}}'.encode(), code)


def test_a_question_is_sent_as_a_form(there: Answering) -> None:
    assert ask(there) == EMPTY

    assert [(one.call, one.parameters["query"]) for one in there.asked] == [("query", "up")]


def test_a_tenant_is_named(there: Answering) -> None:
    ask(there, tenant="team-a")

    assert there.asked[0].headers["x-scope-orgid"] == "team-a"


def test_a_token_is_read_from_a_file(there: Answering, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\n")

    ask(there, bearer_token=Secret(file=str(token)))

    assert there.asked[0].headers["authorization"] == "Bearer s3cret"


def test_a_password_is_read_from_the_environment(
    there: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROM_PASSWORD", "pass")

    ask(there, basic_auth=BasicAuth("user", Secret(environment="PROM_PASSWORD")))

    # base64 of user:pass
    assert there.asked[0].headers["authorization"] == "Basic dXNlcjpwYXNz"


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (Secret(), "either a file or an environment variable"),
        (Secret(file="a", environment="B"), "either a file or an environment variable"),
        (Secret(file="not-there"), "not-there cannot be read: No such file"),
        (Secret(environment="NOT_SET_ANYWHERE"), "NOT_SET_ANYWHERE is empty"),
    ],
)
def test_a_secret_that_cannot_be_read_is_named(secret: Secret, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        Server(ServerEntry("http://127.0.0.1:1", bearer_token=secret))


def test_no_error_tells_a_secret(there: Answering, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret")
    there.answers += [refused(401, "who are you")]

    with pytest.raises(SourceUnavailable, match="refuses who asks") as raised:
        ask(there, bearer_token=Secret(file=str(token)))

    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again(there: Answering, code: int) -> None:
    there.answers += [refused(code, "try later"), refused(code, "try later")]

    assert ask(there) == EMPTY
    assert len(there.asked) == 3


def test_a_server_is_given_the_time_that_it_asks_for(there: Answering) -> None:
    there.answers += [Answer(b"", 429, {"Retry-After": "1"})]
    begun = time.monotonic()

    assert ask(there) == EMPTY
    assert time.monotonic() - begun >= 1


def test_a_server_that_stays_in_trouble_is_given_up(there: Answering) -> None:
    there.answers += [refused(500, "broken")] * 2

    with pytest.raises(SourceUnavailable, match="answers 500: broken, also after 2 attempts"):
        ask(there, attempts=2)
    assert len(there.asked) == 2


def test_a_server_that_is_not_there_is_named() -> None:
    with answering() as gone:
        url = gone.url

    with pytest.raises(SourceUnavailable, match=f"{url}: .*refused.*after 1 attempts"):
        Server(ServerEntry(url, attempts=1)).ask("query", {"query": "up"})


def test_an_answer_that_breaks_off_is_asked_for_again(there: Answering) -> None:
    there.answers += [Answer(EMPTY[:20], promised=len(EMPTY))]

    assert ask(there) == EMPTY
    assert len(there.asked) == 2


def test_an_answer_that_trickles_is_not_waited_for(there: Answering) -> None:
    # 63 bytes of half a second each would take half a minute, and no byte is late by itself.
    there.answers += [Answer(seconds_per_byte=0.5)]

    with pytest.raises(TooMuch, match="takes longer than 1 s") as raised:
        ask(there, timeout="1s")
    assert raised.value.timed_out
    assert len(there.asked) == 1


def test_an_answer_that_does_not_begin_is_not_waited_for(there: Answering) -> None:
    there.answers += [Answer(seconds_before=600.0)]

    with pytest.raises(TooMuch, match="no answer in time") as raised:
        ask(there, timeout="1s")
    assert raised.value.timed_out


def test_a_refusal_whose_text_does_not_come_is_told_by_its_code(there: Answering) -> None:
    there.answers += [Answer(b"why", 503, seconds_per_byte=600.0)]

    with pytest.raises(SourceUnavailable, match="answers 503, also after 1 attempts"):
        ask(there, timeout="1s", attempts=1)


def test_an_answer_that_is_too_large_is_not_taken(there: Answering) -> None:
    there.answers += [Answer(b" " * (2**20 + 1))]

    with pytest.raises(TooMuch, match="larger than 1 MiB"):
        ask(there, max_answer_mib=1)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        # Prometheus 2.42: web/api/v1/api.go and promql/engine.go.
        (400, "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing"),
        (422, "query processing would load too many samples into memory in query execution"),
        (503, "query timed out in expression evaluation"),
        # VictoriaMetrics: app/vmselect/netstorage.
        (422, "cannot select more than -search.maxSamplesPerQuery=1000 samples; possible"),
        # Mimir's limits, and what proxies say.
        (422, "the query exceeded the maximum number of chunks (limit: 2000000 chunks)"),
        (413, ""),
    ],
)
def test_a_question_that_is_too_large_is_told_apart(
    there: Answering, code: int, error: str
) -> None:
    there.answers += [refused(code, error)]

    with pytest.raises(TooMuch):
        ask(there)
    assert len(there.asked) == 1


def test_a_question_that_nobody_understands_is_the_users(there: Answering) -> None:
    there.answers += [refused(400, "invalid parameter query: 1:4: parse error")]

    with pytest.raises(InvalidInput, match=r"does not understand the query: .*parse error"):
        ask(there)


def test_an_address_that_leads_elsewhere_is_told(there: Answering) -> None:
    there.answers += [Answer(b"404 page not found", 404)]

    with pytest.raises(SourceUnavailable, match=r"answers 404: 404 page not found; its url leads"):
        ask(there)


def test_no_redirect_is_followed(there: Answering) -> None:
    there.answers += [Answer(b"", 302, {"Location": "http://127.0.0.1:9/elsewhere"})]

    with pytest.raises(SourceUnavailable, match="answers 302"):
        ask(there)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate and key of 127.0.0.1, which signs itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = SystemClock().now()
    address = x509.IPAddress(ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    form = PrivateFormat.PKCS8, NoEncryption()
    both = tmp_path_factory.mktemp("tls") / "both.pem"
    both.write_bytes(key.private_bytes(Encoding.PEM, *form) + signed.public_bytes(Encoding.PEM))
    return both


def served_by(certificate: Path, *, wanting_one: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if wanting_one:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate)
    return context


def test_an_authority_of_ones_own_is_trusted_where_it_is_named(certificate: Path) -> None:
    with answering(served_by(certificate)) as there:
        assert ask(there, tls=Tls(ca_file=str(certificate))) == EMPTY


def test_a_server_that_nobody_vouches_for_is_not_asked(certificate: Path) -> None:
    with (
        answering(served_by(certificate)) as there,
        pytest.raises(SourceUnavailable, match=r"certificate is not trusted: .*tls\.ca_file"),
    ):
        ask(there)


def test_a_server_without_tls_is_told_at_once(there: Answering) -> None:
    url = there.url.replace("http:", "https:")

    with pytest.raises(SourceUnavailable, match=f"{url}: answers without TLS; write http://"):
        Server(ServerEntry(url)).ask("query", {"query": "up"})
    assert there.asked == []


def test_a_client_certificate_is_shown(certificate: Path) -> None:
    with answering(served_by(certificate, wanting_one=True)) as there:
        tls = Tls(str(certificate), str(certificate))

        assert ask(there, tls=tls) == EMPTY


def test_a_server_that_wants_a_certificate_is_told_at_once(certificate: Path) -> None:
    wanting = served_by(certificate, wanting_one=True)
    # In TLS 1.3 the refusal comes after the client's side is done, and may be lost on the way.
    wanting.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        answering(wanting) as there,
        pytest.raises(SourceUnavailable, match=r"wants a certificate .*tls\.certificate_file"),
    ):
        ask(there, tls=Tls(str(certificate)))
    assert there.asked == []


@pytest.mark.parametrize("reason", ["SSLV3_ALERT_BAD_CERTIFICATE", "TLSV1_ALERT_UNKNOWN_CA"])
@pytest.mark.parametrize("wrapped", [True, False], ids=["sending", "reading"])
def test_a_refused_certificate_is_told_wherever_it_shows(reason: str, wrapped: bool) -> None:
    refusal = ssl.SSLError(1, f"[SSL: {reason}]")
    refusal.reason = reason
    with (
        pytest.raises(SourceUnavailable, match=r"https://there: wants a certificate"),
        connection._failing("https://there"),
    ):
        raise URLError(refusal) if wrapped else refusal


def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")

    with pytest.raises(InvalidInput, match=r"tls: cannot use .*nonsense\.pem"):
        Server(ServerEntry("https://127.0.0.1:1", tls=Tls(ca_file=str(nonsense))))
