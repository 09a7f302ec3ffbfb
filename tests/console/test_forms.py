"""Forms are taken from the console's own pages only, and do what the API does."""

import asyncio
from contextlib import ExitStack
from typing import Any

import pytest

from compute_optimizer.console.messages import MOST_FIELDS, AsgiApp, Request, read_values
from compute_optimizer.console.room import answer, console_app
from compute_optimizer.store.enrollments import find_enrollment
from tests.console.conftest import ACCOUNT, House
from tests.console.visiting import HOST, Visit, words


def status_of(house: House) -> str:
    with house.state.reading() as connection:
        return find_enrollment(connection, ACCOUNT).status.value


async def served(app: AsgiApp, query: str, body: str) -> dict[str, Any]:
    """Return how the answer to a form begins, with what it says."""
    answered: dict[str, Any] = {"body": b""}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body.encode()}

    async def send(message: Any) -> None:
        answered.update(message, body=answered["body"] + message.get("body", b""))

    headers = [(b"host", HOST.encode()), (b"origin", f"http://{HOST}".encode())]
    scope = {
        "method": "POST",
        "path": "/console/sign-in",
        "query_string": query.encode(),
        "headers": headers,
        "client": ("127.0.0.1", 1),
    }
    await app(scope, receive, send)
    return answered


@pytest.fixture
def visit(house: House) -> Visit:
    found = house.visit()
    found.sign_in(ACCOUNT)
    return found


@pytest.mark.parametrize(
    "origin",
    ["", "null", "https://evil.example", "http://optimizer.example", HOST, "http://", "http://["],
)
def test_a_form_of_another_site_is_refused(house: House, visit: Visit, origin: str) -> None:
    token = visit.form_token
    response = visit.post("/console/enrollment", origin=origin, form_token=token, status="Active")

    assert response.status == 403
    assert status_of(house) == "Inactive"


@pytest.mark.parametrize("token", ["", "0" * 64, "ü"])
def test_a_form_without_the_sessions_token_is_refused(
    house: House, visit: Visit, token: str
) -> None:
    response = visit.post("/console/enrollment", form_token=token, status="Active")

    assert response.status == 403
    assert status_of(house) == "Inactive"


def test_the_token_of_another_session_is_refused(house: House, visit: Visit) -> None:
    other = house.visit()
    other.sign_in(ACCOUNT)

    assert visit.post("/console/enrollment", form_token=other.form_token).status == 403


def test_opting_in_and_out_is_the_operation_of_the_api(house: House, visit: Visit) -> None:
    assert visit.send("/console/enrollment", status="Active").status == 303
    assert status_of(house) in ("Pending", "Active")
    assert visit.send("/console/enrollment", status="Inactive").status == 303
    assert status_of(house) == "Inactive"
    assert house.audit.count('"operation":"UpdateEnrollmentStatus"') == 2


def test_a_status_that_cannot_be_set_is_told_in_the_apis_words(visit: Visit) -> None:
    response = visit.send("/console/enrollment", status="Pending")

    assert response.status == 400
    assert "status can be set to Active or Inactive, not to Pending" in words(response)


def test_who_may_only_read_sees_no_form_and_can_send_none(secured: House) -> None:
    key, visit = secured.new_key("compute-optimizer:Get*"), secured.visit()
    visit.post(
        "/console/sign-in",
        access_key_id=key.access_key_id,
        secret_access_key=key.secret_access_key,
    )
    page = words(visit.get("/console/enrollment"))

    assert "Your policy does not allow UpdateEnrollmentStatus" in page
    assert "Opt in" not in page
    refused = visit.send("/console/enrollment", status="Active")
    assert refused.status == 403
    assert "is not authorized to perform: compute-optimizer:UpdateEnrollmentStatus" in words(
        refused
    )


def test_a_theme_is_a_cookie_and_leads_back(house: House) -> None:
    visit = house.visit()
    response = visit.post("/console/theme", theme="dark")

    assert response.headers["location"] == "/console/"
    assert visit.cookies["co_theme"] == "dark"
    assert b'data-theme="dark"' in visit.get("/console/sign-in").body
    visit.post("/console/theme", theme="<script>")
    assert b'data-theme="auto"' in visit.get("/console/sign-in").body


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        (f"http://{HOST}/console/decisions?state=open", "/console/decisions?state=open"),
        (f"http://{HOST}/elsewhere", "/console/"),
        (f"http://{HOST}/console//evil.example", "/console/"),
        ("http://[", "/console/"),
        ("", "/console/"),
    ],
)
def test_a_theme_leads_back_to_a_page_of_the_console_only(
    house: House, referer: str, back: str
) -> None:
    headers = {"host": HOST, "origin": f"http://{HOST}", "referer": referer}
    asked = Request("POST", "/console/theme", {}, {"theme": ["dark"]}, headers, "")

    assert answer(house.room, asked).headers["location"] == back


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", "&".join(["x=1"] * (MOST_FIELDS + 1)) + f"&account_id={ACCOUNT}"),
        ("&".join(["x=1"] * (MOST_FIELDS + 1)), f"account_id={ACCOUNT}"),
        ("", f"account_id={ACCOUNT}&next=%00"),
        ("next=%00", f"account_id={ACCOUNT}"),
        ("", f"account_id={ACCOUNT}&next=\0"),
    ],
)
def test_values_that_are_not_taken_are_refused_and_none_of_them_counts(
    house: House, query: str, body: str
) -> None:
    with ExitStack() as opened:
        answered = asyncio.run(served(console_app(house.room, opened), query, body))

    assert answered["status"] == 400
    assert b"more than 500 values, or a NUL" in answered["body"]
    assert b"set-cookie" not in dict(answered["headers"])


def test_a_percent_sign_before_noughts_is_no_nul() -> None:
    assert read_values("note=100%2500") == {"note": ["100%00"]}
