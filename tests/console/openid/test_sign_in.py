"""People sign in through a real provider, and attackers do not."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlalchemy import update

from compute_optimizer.console.openid.waiting import SECURE_COOKIE
from compute_optimizer.console.sessions import COOKIE
from compute_optimizer.store.access_keys import delete_access_key, list_access_keys
from compute_optimizer.store.schema import access_keys
from tests.console.conftest import House
from tests.console.openid.signing_in import (
    ACCESS,
    ACCOUNT,
    HOME,
    OTHER,
    begin,
    house_of,
    is_in,
    sign_in,
    walk,
)
from tests.console.visiting import Visit, text, words
from tests.identity_provider import SECRET, IdentityProvider, Person, identity_provider

FORM = "/console/sign-in"


def test_the_form_offers_the_provider_beside_access_keys(house: House) -> None:
    page = house.visit().get(f"{FORM}?next=/console/enrollment")

    assert "Sign in with Example ID or with an access key" in words(page)
    assert 'href="/console/sign-in/provider?next=%2Fconsole%2Fenrollment"' in text(page)


def test_the_provider_is_asked_with_pkce_state_and_nonce(
    house: House, provider: IdentityProvider
) -> None:
    visit = house.visit()
    address = urlsplit(begin(visit))
    asked = {name: one for name, (one,) in parse_qs(address.query).items()}

    assert f"{address.scheme}://{address.netloc}" == provider.issuer
    assert asked["response_type"] == "code"
    assert asked["scope"] == "openid profile email"
    assert asked["redirect_uri"] == f"{HOME}/console/sign-in/callback"
    assert asked["code_challenge_method"] == "S256"
    # SHA-256 in base64url without padding has 43 letters, and so have 32 random bytes.
    assert [len(asked[name]) for name in ("code_challenge", "state", "nonce")] == [43, 43, 43]
    again = parse_qs(urlsplit(begin(visit)).query)
    assert all(again[name] != [asked[name]] for name in ("code_challenge", "state", "nonce"))


def test_somebody_comes_in_with_a_cookie_as_others_have(
    house: House, provider: IdentityProvider
) -> None:
    visit, response = sign_in(house, provider, "rio", "/console/enrollment?x=1")
    session, forgotten = response.cookies

    # The page asks for the next one by itself, or the browser would keep the strict cookie back.
    assert (response.status, response.headers["refresh"]) == (200, "0;url=/console/enrollment?x=1")
    # 8 hours are 28,800 seconds.
    assert session.endswith("; Path=/console; Max-Age=28800; HttpOnly; SameSite=Strict; Secure")
    assert forgotten.startswith(f"{SECURE_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")
    assert is_in(visit)
    with house.state.reading() as connection:
        (stored,) = list_access_keys(connection, sessions=True)
    host = provider.issuer.removeprefix("http://")
    assert stored.signed_in_as == f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}/rio@example.com"
    assert visit.cookies[COOKIE].partition(".")[2] not in str(stored)


def test_the_audit_log_ties_the_name_to_the_subject_and_holds_no_secret(
    house: House, provider: IdentityProvider
) -> None:
    visit = house.visit()
    path = walk(visit, provider, "rio")
    visit.get(path)
    line = json.loads(house.audit.splitlines()[-1])
    code = parse_qs(urlsplit(path).query)["code"][0]

    assert (line["operation"], line["outcome"]) == ("ConsoleSignIn", "Success")
    assert line["principal"].endswith("/rio@example.com")
    assert line["parameters"] == {"issuer": provider.issuer, "subject": "rio"}
    assert all(secret not in house.audit for secret in (code, SECRET, visit.cookies[COOKIE]))
    assert SECRET not in repr(house.settings)


def test_who_may_only_look_changes_nothing(house: House, provider: IdentityProvider) -> None:
    visit, _ = sign_in(house, provider, "rio")

    assert "does not allow UpdateEnrollmentStatus" in words(visit.get("/console/enrollment"))
    refused = visit.post("/console/enrollment", form_token=token(visit), status="Active")
    assert refused.status == 403


def test_several_accounts_are_chosen_from_and_switched_without_signing_in_again(
    house: House, provider: IdentityProvider
) -> None:
    visit, response = sign_in(house, provider, "dana", "/console/enrollment")
    before = visit.cookies[COOKIE]

    assert response.headers["refresh"] == "0;url=/console/accounts?next=%2Fconsole%2Fenrollment"
    page = visit.get("/console/accounts?next=/console/enrollment")
    assert re.search(rf"{ACCOUNT} \S look Stay .*{OTHER} \S look and change Open", words(page))
    chosen = visit.post(
        "/console/accounts", form_token=token(visit), account=OTHER, next="/console/enrollment"
    )
    assert chosen.headers["location"] == "/console/enrollment"
    assert visit.cookies[COOKIE] == before
    changed = visit.post("/console/enrollment", form_token=token(visit), status="Active")
    assert changed.status == 303
    assert f'"account":"{OTHER}"' in house.audit.splitlines()[-1]
    assert 'href="/console/accounts?next=%2Fconsole%2Fenrollment">Switch' in text(
        visit.get("/console/enrollment")
    )


def test_a_form_of_one_account_does_nothing_in_another(
    house: House, provider: IdentityProvider
) -> None:
    visit, _ = sign_in(house, provider, "dana")
    of_first = token(visit)
    visit.post("/console/accounts", form_token=of_first, account=OTHER)

    late = visit.post("/console/enrollment", form_token=of_first, status="Active")
    assert late.status == 403
    assert "out of date" in words(late)


def test_nobody_chooses_an_account_that_is_not_open_to_them(
    house: House, provider: IdentityProvider
) -> None:
    visit, _ = sign_in(house, provider, "rio")

    assert visit.post("/console/accounts", form_token=token(visit), account=OTHER).status == 404


@pytest.mark.parametrize("login", ["eve", "mallory"])
def test_who_no_rule_names_stays_outside(
    tmp_path: Path, provider: IdentityProvider, login: str
) -> None:
    """Mallory states Dana's address, which the provider has not verified."""
    by_mail = {
        "claim": "email",
        "value": "dana@example.com",
        "accounts": [OTHER],
        "access": "read-write",
    }
    with house_of(tmp_path, provider.issuer, [*ACCESS, by_mail]) as house:
        visit, response = sign_in(house, provider, login)

        assert response.status == 403
        assert "no rule lets you in" in words(response)
        assert not is_in(visit)
        line = json.loads(house.audit.splitlines()[-1])
        assert (line["outcome"], line["parameters"]["subject"]) == ("AccessDeniedException", login)


def test_a_verified_address_counts(tmp_path: Path, provider: IdentityProvider) -> None:
    by_mail = {
        "claim": "email",
        "value": "eve@example.com",
        "accounts": [ACCOUNT],
        "allow": ["compute-optimizer:GetEnrollmentStatus"],
    }
    with house_of(tmp_path, provider.issuer, [by_mail]) as house:
        visit, _ = sign_in(house, provider, "eve")

        assert visit.get("/console/enrollment").status == 200
        assert visit.get("/console/").status == 403


def test_claims_that_only_user_info_tells_count(tmp_path: Path) -> None:
    thin = identity_provider(HOME, thin=True)
    with thin as provider, house_of(tmp_path, provider.issuer) as house:
        visit, _ = sign_in(house, provider, "rio")

        assert is_in(visit)


def test_changed_rules_hold_for_open_sessions(tmp_path: Path, provider: IdentityProvider) -> None:
    """A server reads the file when it starts."""
    with house_of(tmp_path, provider.issuer) as house:
        visit, _ = sign_in(house, provider, "rio")
    others = [one for one in ACCESS if one["value"] != "everybody"]
    with house_of(tmp_path, provider.issuer, others) as house:
        assert not is_in(Visit(house.room, dict(visit.cookies)))
    with house_of(tmp_path, provider.issuer) as house:
        assert is_in(Visit(house.room, dict(visit.cookies)))
    with house_of(tmp_path, "http://127.0.0.1:1") as house:
        assert not is_in(Visit(house.room, dict(visit.cookies)))


def test_a_session_ends_after_its_time_and_by_command(
    tmp_path: Path, provider: IdentityProvider
) -> None:
    with house_of(
        tmp_path, provider.issuer, oidc_session_hours=0.5, oidc_recheck_minutes=0.0
    ) as house:
        visit, _ = sign_in(house, provider, "rio")
        house.clock.advance(timedelta(minutes=29))
        assert is_in(visit)
        house.clock.advance(timedelta(minutes=2))
        assert not is_in(visit)

        visit, _ = sign_in(house, provider, "rio")
        assert is_in(visit)
        with house.state.writing() as connection:
            delete_access_key(connection, visit.cookies[COOKIE].partition(".")[0])
        assert not is_in(visit)


def test_signing_out_goes_on_to_the_provider(house: House, provider: IdentityProvider) -> None:
    visit, _ = sign_in(house, provider, "rio")
    copy = Visit(house.room, dict(visit.cookies))
    response = visit.post("/console/sign-out", form_token=token(visit))
    address = urlsplit(response.headers["refresh"].removeprefix("0;url="))
    asked = parse_qs(address.query)

    assert response.status == 200
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{provider.issuer}/session/end"
    assert asked["post_logout_redirect_uri"] == [f"{HOME}/console/sign-in"]
    assert asked["id_token_hint"][0].count(".") == 2
    assert not is_in(visit)
    assert not is_in(copy)


def test_signing_out_works_while_the_provider_is_away(tmp_path: Path) -> None:
    with identity_provider(HOME) as provider, house_of(tmp_path, provider.issuer) as house:
        visit, _ = sign_in(house, provider, "rio")
        form_token = token(visit)
        provider.process.kill()
        provider.process.wait()
        # What the provider says of itself is kept for an hour.
        house.clock.advance(timedelta(hours=2))
        response = visit.post("/console/sign-out", form_token=form_token)

        assert response.headers["location"] == FORM
        assert not is_in(visit)


def token(visit: Visit) -> str:
    """Return what forms of the session send along."""
    page = text(visit.get("/console/accounts"))
    return page.partition('name="form_token" value="')[2].partition('"')[0]


# Attacks


@pytest.mark.parametrize("state", ["", "x" * 43, "é"])
def test_an_answer_with_another_state_is_refused(
    house: House, provider: IdentityProvider, state: str
) -> None:
    visit = house.visit()
    path = changed(walk(visit, provider, "rio"), state=state)

    check_refused(house, visit, path, "has begun no such sign-in", "InvalidIdentityToken", 400)


def test_an_answer_that_another_browser_began_is_refused(
    house: House, provider: IdentityProvider
) -> None:
    """Cross-site login: Eve's own answer, sent to Rio's browser as a link."""
    path = walk(house.visit(), provider, "dana")

    victim = house.visit()
    check_refused(house, victim, path, "has begun no such", "InvalidIdentityToken", 400)
    begin(victim)
    check_refused(house, victim, path, "has begun no such", "InvalidIdentityToken", 400)


def test_an_answer_is_good_once(house: House, provider: IdentityProvider) -> None:
    visit = house.visit()
    path = walk(visit, provider, "rio")
    before = dict(visit.cookies)
    assert visit.get(path).status == 200

    # Without the cookie, which was taken away; and with a copy of it, for which the provider
    # does not take the code a second time.
    again = Visit(house.room, {SECURE_COOKIE: visit.cookies[SECURE_COOKIE]})
    check_refused(house, again, path, "has begun no such", "InvalidIdentityToken", 400)
    copy = Visit(house.room, before)
    check_refused(house, copy, path, "(invalid_grant)", "IDPRejectedClaim", 403)


def test_a_code_of_another_sign_in_is_refused(house: House, provider: IdentityProvider) -> None:
    """PKCE: whoever took a code on the way lacks the verifier of its sign-in."""
    stolen = parse_qs(urlsplit(walk(house.visit(), provider, "dana")).query)["code"][0]
    visit = house.visit()
    path = changed(walk(visit, provider, "rio"), code=stolen)

    check_refused(house, visit, path, "(invalid_grant)", "IDPRejectedClaim", 403)


def test_a_token_of_another_sign_in_is_refused(house: House, provider: IdentityProvider) -> None:
    """The nonce: the sealed cookie of one sign-in, with the address of another at the provider."""
    visit = house.visit()
    address = begin(visit)
    place = Person(provider, "rio").go(changed(address, nonce="n" * 43))
    path = place.removeprefix(HOME)

    check_refused(house, visit, path, "nonce", "InvalidIdentityToken", 400)


def test_an_answer_in_the_name_of_another_provider_is_refused(
    house: House, provider: IdentityProvider
) -> None:
    visit = house.visit()
    path = changed(walk(visit, provider, "rio"), iss="https://evil.example")
    check_refused(house, visit, path, "another provider's", "InvalidIdentityToken", 400)

    # This provider says that it always names itself.
    visit = house.visit()
    path = changed(walk(visit, provider, "rio"), iss="")
    check_refused(house, visit, path, "another provider's", "InvalidIdentityToken", 400)


def test_a_sign_in_is_over_after_ten_minutes(house: House, provider: IdentityProvider) -> None:
    visit = house.visit()
    path = walk(visit, provider, "rio")
    house.clock.advance(timedelta(minutes=10))

    check_refused(house, visit, path, "ten minutes ago", "InvalidIdentityToken", 400)


@pytest.mark.parametrize("cookie", ["", "x", "AAAA", "é", "A" * 5000, "QUFB" * 40])
def test_cookies_that_were_not_sealed_here_count_for_nothing(house: House, cookie: str) -> None:
    visit = Visit(house.room, {SECURE_COOKIE: cookie})
    path = f"{FORM}/callback?state=x&code=y"

    check_refused(house, visit, path, "has begun no such", "InvalidIdentityToken", 400)


def test_what_the_provider_refuses_is_told_and_escaped(
    house: House, provider: IdentityProvider
) -> None:
    visit = house.visit()
    state = parse_qs(urlsplit(begin(visit)).query)["state"][0]
    told = {"error": "access_denied", "error_description": "<script>no</script>"}
    query = urlencode({"state": state, "iss": provider.issuer, **told})
    response = visit.get(f"{FORM}/callback?{query}")

    assert response.status == 403
    assert "(access_denied: &lt;script&gt;no&lt;/script&gt;)" in text(response)


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/console/", "//evil.example", "/console/\\evil", "/elsewhere", ""],
)
def test_nobody_is_led_away_from_the_console(
    house: House, provider: IdentityProvider, target: str
) -> None:
    _, response = sign_in(house, provider, "rio", target)

    assert response.headers["refresh"] == "0;url=/console/"


def test_a_session_that_was_there_before_is_not_taken_over(
    house: House, provider: IdentityProvider
) -> None:
    """Session fixation: the browser was given somebody's cookie before its owner signed in."""
    attacker, _ = sign_in(house, provider, "rio")
    planted = attacker.cookies[COOKIE]
    victim = Visit(house.room, {COOKIE: planted})
    victim.get(walk(victim, provider, "dana"))

    assert victim.cookies[COOKIE] != planted
    assert OTHER in text(victim.get("/console/accounts"))
    assert OTHER not in text(attacker.get("/console/accounts"))
    assert not is_in(attacker)


def test_signing_in_again_ends_the_session_that_the_browser_had(
    house: House, provider: IdentityProvider
) -> None:
    visit, _ = sign_in(house, provider, "rio")
    elsewhere, _ = sign_in(house, provider, "rio")
    before = Visit(house.room, dict(visit.cookies))
    path = walk(visit, provider, "rio")
    assert is_in(before)

    # The way back comes from another site, to which browsers send no cookie that is Strict.
    del visit.cookies[COOKIE]
    visit.get(path)
    assert is_in(visit)
    assert not is_in(before)
    assert is_in(elsewhere)


def test_what_the_browser_came_by_while_its_owner_was_at_the_provider_ends_too(
    house: House, provider: IdentityProvider
) -> None:
    visit = house.visit()
    path = walk(visit, provider, "rio")
    other, _ = sign_in(house, provider, "dana")
    visit.cookies[COOKIE] = other.cookies[COOKIE]
    visit.get(path)

    assert is_in(visit)
    assert not is_in(other)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_cannot_begin_a_sign_in(house: House, site: str) -> None:
    visit = house.visit()
    response = visit.get(f"{FORM}/provider?next=/console/enrollment", sec_fetch_site=site)

    assert response.headers["location"] == f"{FORM}?next=%2Fconsole%2Fenrollment"
    assert visit.cookies == {}


def test_what_a_session_keeps_cannot_be_moved_to_another(
    house: House, provider: IdentityProvider
) -> None:
    """Whoever can write to the store, and has not the key file."""
    visit, _ = sign_in(house, provider, "rio")
    sign_in(house, provider, "dana")
    with house.state.writing() as connection:
        sessions = list_access_keys(connection, sessions=True)
        rio, dana = (
            next(key for key in sessions if str(key.signed_in_as).endswith(name))
            for name in ("rio@example.com", "dana@example.com")
        )
        its = update(access_keys).where(access_keys.c.access_key_id == rio.access_key_id)
        connection.execute(its.values(sealed_person=dana.sealed_person))

    assert not is_in(visit)


def test_many_answers_of_one_source_are_throttled(
    tmp_path: Path, provider: IdentityProvider
) -> None:
    with house_of(tmp_path, provider.issuer, sign_ins_per_minute=3.0) as house:
        visits: Iterator[Visit] = (house.visit("203.0.113.5") for _ in range(4))
        answers = [visit.get(f"{FORM}/callback?state=x&code=y") for visit in visits]

        # The setting allows three in a minute, one more comes every 20 s; what is held back leaves
        # no line.
        assert [one.status for one in answers] == [400, 400, 400, 429]
        assert "Too many attempts from your address. Try again in 20 s." in words(answers[-1])
        assert answers[-1].headers["retry-after"] == "20"
        assert house.audit.count("ConsoleSignIn") == 3
        assert house.visit("203.0.113.6").get(f"{FORM}/callback").status == 400


def changed(address: str, **values: str) -> str:
    """Return an address with some of its query changed; empty values are left out."""
    bare, _, query = address.partition("?")
    given = {name: one for name, (one,) in parse_qs(query).items()} | values
    return f"{bare}?{urlencode({name: one for name, one in given.items() if one})}"


def check_refused(house: House, visit: Visit, path: str, said: str, code: str, status: int) -> None:
    before = visit.cookies.get(COOKIE)
    response = visit.get(path)

    assert response.status == status
    assert said in words(response)
    assert visit.cookies.get(COOKIE) == before
    assert json.loads(house.audit.splitlines()[-1])["outcome"] == code
