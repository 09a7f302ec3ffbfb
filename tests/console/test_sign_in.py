"""Who is let into the console, how long, and what a session stands on."""

from datetime import timedelta

import pytest

from compute_optimizer.console.messages import Response
from compute_optimizer.console.sessions import COOKIE
from compute_optimizer.store.access_keys import (
    NewSecret,
    delete_access_key,
    list_access_keys,
    rotate_access_key,
    set_access_key_active,
)
from compute_optimizer.store.sealing import open_key_file
from tests.console.conftest import ACCOUNT, House
from tests.console.visiting import HOST, Visit, text, words

DASHBOARD = "/console/"


def enter(visit: Visit, key: NewSecret, **changed: str) -> Response:
    form = {"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}
    if key.session_token:
        form["session_token"] = key.session_token
    return visit.post("/console/sign-in", **form | changed)


def is_in(visit: Visit) -> bool:
    """Return whether a page is shown: any but the form."""
    response = visit.get("/console/enrollment")
    return "sign-in" not in response.headers.get("location", "")


def test_who_is_not_signed_in_is_led_to_the_form_and_back(secured: House) -> None:
    visit, key = secured.visit(), secured.new_key()
    away = visit.get("/console/recommendations/idle?size=10")

    assert away.status == 303
    assert away.headers["location"] == (
        "/console/sign-in?next=/console/recommendations/idle%3Fsize%3D10"
    )
    back = enter(visit, key, next="/console/recommendations/idle?size=10")
    assert back.headers["location"] == "/console/recommendations/idle?size=10"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/console/",
        "//evil.example/console/",
        "/console/\\evil",
        "/console//evil.example",
        "/elsewhere",
        "javascript:alert(1)",
        "/console/\nset-cookie: x=y",
    ],
)
def test_nobody_is_led_away_from_the_console(secured: House, target: str) -> None:
    response = enter(secured.visit(), secured.new_key(), next=target)

    assert response.headers["location"] == DASHBOARD


def test_a_session_is_a_strict_cookie_of_which_only_a_digest_is_stored(secured: House) -> None:
    visit = secured.visit()
    (cookie,) = enter(visit, secured.new_key()).cookies

    # 8 hours are 28,800 seconds.
    assert cookie.endswith("; Path=/console; Max-Age=28800; HttpOnly; SameSite=Strict")
    session_id, _, token = visit.cookies[COOKIE].partition(".")
    with secured.state.reading() as connection:
        (stored,) = list_access_keys(connection, sessions=True)
    assert stored.access_key_id == session_id
    assert len(token) == 128
    assert token not in str(stored)


def test_behind_a_proxy_with_tls_the_cookie_is_secure(secured: House) -> None:
    form = {"access_key_id": (key := secured.new_key()).access_key_id}
    response = secured.visit().post(
        "/console/sign-in",
        origin=f"https://{HOST}",
        secret_access_key=key.secret_access_key,
        **form,
    )

    assert response.cookies[0].endswith("; Secure")


@pytest.mark.parametrize(
    "changed",
    [
        {"secret_access_key": "x" * 40},
        {"access_key_id": "AKIAUNKNOWN000000000"},
        {"session_token": "superfluous"},
        {"secret_access_key": ""},
    ],
)
def test_wrong_credentials_are_refused_alike(secured: House, changed: dict[str, str]) -> None:
    visit = secured.visit()
    response = enter(visit, secured.new_key(), **changed)

    assert response.status == 403
    assert "Unknown access key, wrong secret, missing session token" in words(response)
    assert not is_in(visit)
    assert '"operation":"ConsoleSignIn"' in secured.audit
    assert "UnrecognizedClientException" in secured.audit


def test_temporary_credentials_need_their_token(secured: House) -> None:
    visit, key = secured.visit(), secured.new_key(with_session_token=True)

    assert enter(visit, key, session_token="").status == 403
    assert enter(visit, key).status == 303
    assert is_in(visit)


def test_a_session_ends_with_the_credentials_that_opened_it(secured: House) -> None:
    expires_at = secured.clock.now() + timedelta(minutes=20)
    key = secured.new_key(with_session_token=True, expires_at=expires_at)
    visit = secured.visit()
    (cookie,) = enter(visit, key).cookies

    assert "Max-Age=1200;" in cookie
    secured.clock.advance(timedelta(minutes=21))
    assert not is_in(visit)
    assert "expired" in words(enter(visit, key))


def test_a_session_ends_after_eight_hours(secured: House) -> None:
    visit = secured.visit()
    enter(visit, secured.new_key())

    secured.clock.advance(timedelta(hours=7, minutes=59))
    assert is_in(visit)
    secured.clock.advance(timedelta(minutes=2))
    assert not is_in(visit)


@pytest.mark.parametrize("how", ["deactivated", "deleted"])
def test_a_session_ends_at_once_when_its_key_is(secured: House, how: str) -> None:
    visit, key = secured.visit(), secured.new_key()
    enter(visit, key)
    assert is_in(visit)

    with secured.state.writing() as connection:
        if how == "deleted":
            delete_access_key(connection, key.access_key_id)
        else:
            set_access_key_active(connection, key.access_key_id, False)
    assert not is_in(visit)


def test_signing_out_ends_the_session_for_every_copy_of_the_cookie(secured: House) -> None:
    visit = secured.visit()
    enter(visit, secured.new_key())
    copy = Visit(secured.room, dict(visit.cookies))

    assert visit.send("/console/sign-out").status == 303
    assert not is_in(copy)
    assert visit.cookies[COOKIE] == ""


def test_signing_in_again_ends_the_session_that_the_browser_had_and_no_other(
    secured: House,
) -> None:
    visit, elsewhere = secured.visit(), secured.visit()
    key = secured.new_key()
    for one in (visit, elsewhere):
        enter(one, key)
    before = Visit(secured.room, dict(visit.cookies))

    assert enter(visit, key, secret_access_key="wrong").status == 403
    assert is_in(before)
    assert enter(visit, secured.new_key()).status == 303
    assert is_in(visit)
    assert not is_in(before)
    assert is_in(elsewhere)


def test_whoever_shows_no_more_than_the_id_of_a_session_does_not_end_it(secured: House) -> None:
    visit = secured.visit()
    enter(visit, secured.new_key())
    session_id = visit.cookies[COOKIE].partition(".")[0]

    enter(Visit(secured.room, {COOKIE: f"{session_id}.guessed"}), secured.new_key())
    assert is_in(visit)


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        ".",
        "x",
        f"{ACCOUNT}.token",
        "ASIAAAAAAAAAAAAAAAAA.token",
        '"; co_session=1',
        "a" * 5000,
    ],
)
def test_cookies_that_nobody_was_given_open_nothing(secured: House, cookie: str) -> None:
    assert not is_in(Visit(secured.room, {COOKIE: cookie}))


def test_cookies_of_others_on_the_host_take_no_session_away(secured: House) -> None:
    visit = secured.visit()
    enter(visit, secured.new_key())
    # Another program's, which is no cookie by the letter, and one of the same name that a browser
    # sends last because its path says less.
    visit.cookies = {"other": '{"a": 1}', **visit.cookies, " co_session": "x"}

    assert is_in(visit)


def test_credentials_of_the_api_are_no_session(secured: House) -> None:
    key = secured.new_key(with_session_token=True)

    assert not is_in(Visit(secured.room, {COOKIE: f"{key.access_key_id}.{key.session_token}"}))


def test_the_stored_key_of_a_session_allows_nothing(secured: House) -> None:
    visit = secured.visit()
    enter(visit, secured.new_key())
    session_id = visit.cookies[COOKIE].partition(".")[0]
    sealer = open_key_file(secured.settings.key_file, secured.settings.data_dir)
    with secured.state.writing() as connection:
        # Nobody is ever told its secret; this is somebody who could write to the store.
        new = rotate_access_key(connection, sealer, session_id)
    enter(other := secured.visit(), new)

    page = other.get(DASHBOARD)
    assert page.status == 403
    assert "with an explicit deny in an identity-based policy" in words(page)
    # Its new token took the place of the cookie's.
    assert not is_in(visit)


def test_many_failures_of_one_source_are_throttled_and_good_ones_are_not(secured: House) -> None:
    key = secured.new_key()
    answers = [
        enter(secured.visit("203.0.113.5"), key, secret_access_key="wrong") for _ in range(4)
    ]

    # The setting allows three in a minute: one more comes every 20 s.
    assert [one.status for one in answers] == [403, 403, 403, 429]
    assert "Try again in 20 s." in words(answers[-1])
    assert answers[-1].headers["retry-after"] == "20"
    assert enter(secured.visit("203.0.113.5"), key).status == 303
    assert enter(secured.visit("203.0.113.6"), key, secret_access_key="wrong").status == 403


def test_with_auth_off_an_account_is_asked_for_and_nothing_is_stored(house: House) -> None:
    visit = house.visit()
    form = visit.get("/console/sign-in")

    assert 'name="account_id"' in text(form)
    assert "secret" not in text(form)
    assert visit.sign_in("11111").status == 400
    assert visit.sign_in(ACCOUNT).status == 303
    assert is_in(visit)
    with house.state.reading() as connection:
        assert list_access_keys(connection, sessions=True) == []


def test_a_page_asked_for_from_another_site_asks_again(secured: House) -> None:
    """SameSite=Strict: the first time the browser leaves the cookie away."""
    response = secured.visit().get("/console/enrollment", sec_fetch_site="cross-site")

    assert response.status == 200
    assert response.headers["refresh"] == "0;url=/console/enrollment"
    again = secured.visit().get("/console/enrollment", sec_fetch_site="same-origin")
    assert again.status == 303
