"""The server behind a real nginx, with the configuration in deploy/nginx: TLS, names and paths.

What a proxy changes of a signed request is refused; docs/serving.md says what it has to leave.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError, SSLError

from tests.end_to_end.conftest import Served
from tests.local_nginx import NAME, certificate, configured, named_here, running
from tests.ports import free_port
from tests.waiting import SECONDS

__all__ = ["certificate", "named_here"]


@dataclass(frozen=True)
class Proxy:
    """A running nginx, and the server behind it."""

    url: str
    served: Served

    def client(self, protocol: str, path: str = "", **options: Any) -> Any:
        """Return a client that signs with a key and calls through the proxy."""
        key = self.served.new_key()
        given = {"secret": key.secret_access_key, "token": key.session_token}
        return self.served.clients(self.url + path, key.access_key_id, protocol, **given, **options)


Start = Callable[..., Proxy]


@pytest.fixture
def proxied(
    secured: Served,
    certificate: Path,
    named_here: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Start]:
    """Start nginx before the server; changes replace lines of its configuration."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    with ExitStack() as stack:

        def start(*, tls: bool = True, **changes: str) -> Proxy:
            port = free_port()
            text = configured(":".join(map(str, secured.address)), certificate, port, tls=tls)
            for line in changes.values():
                before, _, after = line.partition(" -> ")
                assert before in text
                text = text.replace(before, after)
            stack.enter_context(running(tmp_path, port, text))
            return Proxy(f"{'https' if tls else 'http'}://{NAME}:{port}", secured)

        yield start


@pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])
@pytest.mark.parametrize("path", ["", "/co", "/team/co"])
def test_signed_calls_pass_a_proxy_with_another_name_and_a_path(
    proxied: Start, protocol: str, tls: bool, path: str
) -> None:
    client = proxied(tls=tls).client(protocol, path)

    # Several over one connection, of which some carry more than the answer before.
    for status in ("Active", "Inactive"):
        client.update_enrollment_status(status=status)
    assert client.get_enrollment_status()["status"] == "Inactive"


def test_what_the_server_refuses_arrives_as_it_said_it(proxied: Start, protocol: str) -> None:
    client = proxied().client(protocol)

    with pytest.raises(client.exceptions.OptInRequiredException, match="not registered"):
        client.get_recommendation_summaries()


def test_a_certificate_that_nobody_vouches_for_is_refused_by_the_client(
    proxied: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = proxied()
    monkeypatch.delenv("AWS_CA_BUNDLE")

    with pytest.raises(SSLError):
        proxy.client("json").get_enrollment_status()


@pytest.mark.parametrize(
    ("line", "path"),
    [
        # The name of the upstream in the place of the one that the client signed.
        ("Host $http_host -> Host $proxy_host", ""),
        # Without the port.
        ("Host $http_host -> Host $host", ""),
        # Another path than the one that the client signed.
        ("proxy_pass http://compute_optimizer; -> proxy_pass http://compute_optimizer/other/;", ""),
        ("location / { -> location /co/ {\nrewrite ^/co(/.*)$ $1 break;", "/co/x"),
    ],
    ids=["name", "port", "path", "prefix"],
)
def test_what_the_proxy_changes_of_a_signed_request_is_refused(
    proxied: Start, protocol: str, line: str, path: str
) -> None:
    client = proxied(change=line).client(protocol, path)

    with pytest.raises(ClientError) as raised:
        client.get_enrollment_status()

    answer = raised.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "signature" in answer["Error"]["Message"].lower()


def test_health_is_answered_through_the_proxy_and_metrics_are_not(proxied: Start) -> None:
    url = proxied(tls=False).url

    with urlopen(f"{url}/healthz", timeout=SECONDS) as answer:
        assert answer.status == 200
    with pytest.raises(HTTPError) as raised:
        urlopen(f"{url}/metrics", timeout=SECONDS)
    assert raised.value.code in (403, 404)
    raised.value.close()
