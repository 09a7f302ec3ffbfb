"""While a session lasts the provider is asked again whether it still knows who opened it."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from compute_optimizer.console.sessions import COOKIE
from compute_optimizer.store.schema import access_keys
from tests.console.conftest import House
from tests.console.openid.signing_in import HOME, OTHER, begin, house_of, is_in
from tests.console.visiting import Visit, text, words
from tests.identity_provider import IdentityProvider, Person, identity_provider

PAGE = "/console/enrollment?x=1"
CHECK = "/console/sign-in/check?next=%2Fconsole%2Fenrollment%3Fx%3D1"
DUE = timedelta(minutes=15)


def come_in(house: House, person: Person) -> Visit:
    visit = house.visit()
    visit.get(person.go(begin(visit)).removeprefix(HOME))
    assert is_in(visit)
    return visit


def looked_at(house: House, ago: timedelta) -> None:
    """Have the provider been asked so long ago: its own clock cannot be moved."""
    with house.state.writing() as connection:
        connection.execute(access_keys.update().values(checked_at=house.clock.now() - ago))


@pytest.fixture
def rio(provider: IdentityProvider) -> Person:
    return Person(provider, "rio")


def test_who_is_still_signed_in_there_is_led_there_and_back_unasked(
    house: House, provider: IdentityProvider, rio: Person
) -> None:
    visit = come_in(house, rio)
    before = visit.cookies[COOKIE]
    looked_at(house, DUE - timedelta(seconds=1))
    assert visit.get("/console/accounts").status == 200

    looked_at(house, DUE)
    assert visit.get(PAGE).headers["location"] == CHECK
    there = visit.get(CHECK).headers["location"]
    asked = parse_qs(urlsplit(there).query)
    assert asked["prompt"] == ["none"]
    assert asked["id_token_hint"][0].count(".") == 2
    back = visit.get(rio.go(there).removeprefix(HOME))

    assert back.headers["refresh"] == f"0;url={PAGE}"
    assert visit.cookies[COOKIE] == before
    assert is_in(visit)


def test_who_signed_out_there_is_out_here(house: House, rio: Person) -> None:
    visit = come_in(house, rio)
    copy = Visit(house.room, dict(visit.cookies))
    looked_at(house, DUE)
    gone = Person(rio.provider, "rio")  # A browser without the provider's cookies.
    response = visit.get(gone.go(visit.get(CHECK).headers["location"]).removeprefix(HOME))

    assert response.status == 403
    assert "You are no longer signed in at the provider" in words(response)
    assert not is_in(copy)


def test_what_changed_at_the_provider_holds_from_then_on(tmp_path: Path) -> None:
    """A group that somebody has left closes its accounts."""
    people = {"rio": {"groups": ["finops", "everybody"]}}
    with identity_provider(HOME, people=people) as provider:
        with house_of(tmp_path, provider.issuer) as house:
            visit = come_in(house, Person(provider, "rio"))
            assert OTHER in text(visit.get("/console/accounts"))
            before = visit.cookies[COOKIE]
        port = provider.port
    fewer = {"rio": {"groups": ["everybody"]}}
    with (
        identity_provider(HOME, port=port, people=fewer) as provider,
        house_of(tmp_path, provider.issuer) as house,
    ):
        visit = Visit(house.room, {COOKIE: before})
        # Its session there went with the provider's memory: signing in anew takes its place.
        looked_at(house, DUE)
        there = visit.get(CHECK).headers["location"].replace("prompt=none&", "")
        person = Person(provider, "rio")
        visit.get(person.go(without_hint(there)).removeprefix(HOME))

        assert visit.cookies[COOKIE] == before
        assert OTHER not in text(visit.get("/console/accounts"))


def without_hint(address: str) -> str:
    """Return an address that says nothing of whom it is about."""
    path, _, query = address.partition("?")
    parts = [one for one in query.split("&") if one.partition("=")[0] not in HINTS]
    return f"{path}?{'&'.join(parts)}"


HINTS = {"prompt", "id_token_hint"}


def test_somebody_else_who_comes_back_does_not_get_the_session(
    house: House, provider: IdentityProvider, rio: Person
) -> None:
    visit = come_in(house, rio)
    before = dict(visit.cookies)
    looked_at(house, DUE)
    there = without_hint(visit.get(CHECK).headers["location"])
    visit.get(Person(provider, "dana").go(there).removeprefix(HOME))

    assert visit.cookies[COOKIE] != before[COOKIE]
    assert OTHER in text(visit.get("/console/accounts"))
    assert not is_in(Visit(house.room, before))


def test_forms_are_taken_for_as_long_again_and_then_nothing_is(house: House, rio: Person) -> None:
    visit = come_in(house, rio)
    token = visit.form_token
    looked_at(house, DUE)
    form = {"form_token": token, "next": "/console/", "account": "111111111111"}
    assert visit.post("/console/accounts", **form).status == 303
    # Refused, but for another reason: the account has not opted in.
    assert visit.get("/console/resource/usage", sec_fetch_dest="empty").status == 403

    looked_at(house, 2 * DUE)
    assert visit.post("/console/accounts", **form).status == 401
    assert visit.get("/console/resource/usage", sec_fetch_dest="empty").status == 401
    assert visit.post("/console/sign-out", form_token=token).status == 200


def test_nobody_is_asked_about_sessions_of_access_keys_or_where_it_is_turned_off(
    tmp_path: Path, provider: IdentityProvider, rio: Person
) -> None:
    with house_of(tmp_path, provider.issuer, oidc_recheck_minutes=0.0) as house:
        visit = come_in(house, rio)
        looked_at(house, timedelta(hours=7))
        assert is_in(visit)
    with house_of(tmp_path, provider.issuer) as house:
        key, visit = house.new_key(), house.visit()
        visit.post(
            "/console/sign-in",
            access_key_id=key.access_key_id,
            secret_access_key=key.secret_access_key,
        )
        house.clock.advance(timedelta(hours=7))
        assert is_in(visit)


def test_whoever_has_no_session_to_check_is_shown_the_form(house: House) -> None:
    response = house.visit().get(CHECK)

    assert response.headers["location"] == "/console/sign-in?next=%2Fconsole%2Fenrollment%3Fx%3D1"
