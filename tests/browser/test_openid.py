"""Signing in through a real provider of OpenID Connect, in a real browser."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.checks import check
from tests.browser.visits import ACCOUNT, served, visiting
from tests.identity_provider import CLIENT_ID, SECRET, identity_provider
from tests.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("walks")]

MEMBER = "222222222222"

ACCESS = f"""
access:
  - {{claim: groups, value: everybody, accounts: ["{ACCOUNT}"], access: read-only}}
  - {{claim: groups, value: finops, accounts: ["{MEMBER}"], access: read-write}}
"""


@contextmanager
def console_with_provider(data_dir: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Serve the data and a provider; yields the URLs of both."""
    home = f"http://127.0.0.1:{free_port()}"
    (folder / "access.yaml").write_text(ACCESS)
    (folder / "secret").write_text(SECRET)
    with identity_provider(home) as provider:
        settings: Mapping[str, str] = {
            "PORT": home.rpartition(":")[2],
            "CONSOLE_URL": home,
            "OIDC_ISSUER": provider.issuer,
            "OIDC_CLIENT_ID": CLIENT_ID,
            "OIDC_CLIENT_SECRET_FILE": str(folder / "secret"),
            "OIDC_ACCESS_FILE": str(folder / "access.yaml"),
            "OIDC_TITLE": "Example ID",
        }
        with served(data_dir, "on", settings) as url:
            assert url == home
            yield home, provider.issuer


def fill_in(page: Page, login: str) -> None:
    """Sign in at the provider, and agree."""
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", "any")
    page.click("button[type=submit]")
    page.get_by_role("button", name="Continue").click()


def offline(page: Page) -> None:
    """Keep the provider's own page from asking for fonts elsewhere."""
    page.route(
        lambda url: not re.match(r"(http://127\.0\.0\.1:|data:)", url), lambda route: route.abort()
    )


def test_a_walk_from_the_provider_through_two_accounts_and_out(
    browser: Browser, data_dir: Path, tmp_path: Path
) -> None:
    with (
        console_with_provider(data_dir, tmp_path) as (home, issuer),
        visiting(browser, home, viewport={"width": 1280, "height": 800}) as visit,
    ):
        page = visit.page
        offline(page)
        visit.open("/enrollment")
        check(visit, "openid-form")
        page.get_by_role("link", name="Sign in with Example ID").click()
        expect(page).to_have_url(re.compile(f"^{issuer}/interaction/"))
        fill_in(page, "dana")

        expect(page.locator("h1")).to_have_text("Choose an account")
        visit.problems.clear()  # Of the provider's own page.
        check(visit, "openid-accounts")
        page.get_by_role("button", name=f"Stay {ACCOUNT}").click()
        expect(page.locator("h1")).to_have_text("Enrollment")
        expect(page.locator(".note")).to_contain_text("does not allow")
        cookies = {one["name"]: one for one in page.context.cookies(f"{home}/console/")}
        assert "co_sign_in" not in cookies
        assert cookies["co_session"]["httpOnly"]
        assert cookies["co_session"]["sameSite"] == "Strict"

        page.get_by_role("link", name="Switch").click()
        page.get_by_role("button", name=f"Open {MEMBER}").click()
        expect(page.locator(".who strong")).to_have_text(MEMBER)
        expect(page.locator("h1")).to_have_text("Enrollment")
        expect(page.get_by_role("button", name="Opt in again")).to_be_visible()

        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_url(re.compile(f"^{issuer}/session/end"))
        page.get_by_role("button", name="Yes, sign me out").click()
        expect(page).to_have_title(re.compile("^Sign in"))
        visit.open("/enrollment")
        expect(page.get_by_role("link", name="Sign in with Example ID")).to_be_visible()


def test_who_no_rule_names_is_told_so(browser: Browser, data_dir: Path, tmp_path: Path) -> None:
    with (
        console_with_provider(data_dir, tmp_path) as (home, _),
        visiting(browser, home, viewport={"width": 1280, "height": 800}) as visit,
    ):
        offline(visit.page)
        visit.open("/")
        visit.page.get_by_role("link", name="Sign in with Example ID").click()
        fill_in(visit.page, "eve")

        said = visit.page.get_by_role("alert")
        expect(said).to_contain_text("knows you as eve@example.com, but no rule lets you in")
        visit.problems.clear()  # Of the provider's own page, and the status 403.
        check(visit, "openid-refused")
