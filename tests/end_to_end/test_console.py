"""The console on the port of the API: real HTTP, as a browser speaks it."""

import gzip
import http.client
import re
from collections.abc import Callable

import pytest

from tests.end_to_end.conftest import ACCOUNT, Served
from tests.waiting import SECONDS

Answer = tuple[int, http.client.HTTPMessage, bytes]


def ask(
    served: Served, path: str, method: str = "GET", body: bytes = b"", **headers: str
) -> Answer:
    connection = http.client.HTTPConnection(*served.address, timeout=SECONDS)
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, given)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


@pytest.fixture
def unverified(serve: Callable[..., Served]) -> Served:
    """A running server with auth off."""
    return serve(auth="off")


def test_every_answer_allows_nothing_from_elsewhere(unverified: Served) -> None:
    for path in ("/console", "/console/", "/console/sign-in", "/console/nowhere"):
        _, headers, body = ask(unverified, path)
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert not re.search(rb"<script>|<style|\sstyle=|\son\w+=", body)


def test_scripts_and_styles_are_kept_by_browsers_under_their_digest(unverified: Served) -> None:
    _, _, page = ask(unverified, "/console/sign-in")
    found = re.findall(rb'(?:href|src)="(/console/static/\w+/[\w.]+)"', page)

    assert len(set(found)) == 3  # the icon, the style sheet, the script
    for address in set(found):
        status, headers, body = ask(unverified, address.decode())
        assert status == 200
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
        assert body


def test_pages_are_compressed_for_browsers_that_take_it(unverified: Served) -> None:
    _, _, plain = ask(unverified, "/console/sign-in")
    _, headers, packed = ask(unverified, "/console/sign-in", accept_encoding="br, gzip")

    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain)


def test_signing_in_over_http(unverified: Served) -> None:
    host = "{}:{}".format(*unverified.address)
    form = f"account_id={ACCOUNT}".encode()
    status, headers, _ = ask(unverified, "/console/sign-in", "POST", form, origin=f"http://{host}")
    cookie = headers["set-cookie"].partition(";")[0]

    assert (status, headers["location"]) == (303, "/console/")
    status, _, page = ask(unverified, "/console/enrollment", cookie=cookie)
    assert status == 200
    assert b"Inactive" in page


def test_a_form_that_is_too_long_is_refused_and_no_part_of_it_counts(unverified: Served) -> None:
    host = "{}:{}".format(*unverified.address)
    # What stands before the limit would sign in.
    form = f"account_id={ACCOUNT}&x=".encode() + b"y" * 64 * 1024

    status, headers, told = ask(
        unverified, "/console/sign-in", "POST", form, origin=f"http://{host}"
    )

    assert (status, headers["connection"]) == (413, "close")
    assert b"larger than 65536 bytes" in told
    assert "set-cookie" not in headers


def test_the_api_answers_beside_it(unverified: Served) -> None:
    assert unverified.client().get_enrollment_status()["status"] == "Inactive"


def test_it_can_be_turned_off(serve: Callable[..., Served]) -> None:
    status, headers, _ = ask(serve(auth="off", console=False), "/console/sign-in")

    assert status == 404
    assert headers["content-type"] == "application/x-amz-json-1.0"
