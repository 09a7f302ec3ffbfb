"""The console behind a real nginx with TLS and a path: addresses, cookies, forms and signing in.

People sign in by a real provider, which tells the server by the same way that they signed out.
"""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import Cookie, CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import (
    HTTPCookieProcessor,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    Request,
    build_opener,
)

import pytest
import yaml

from tests.identity_provider import (
    CLIENT_ID,
    SECRET,
    IdentityProvider,
    Person,
    identity_provider,
    needed,
)
from tests.local_nginx import NAME, certificate, configured, named_here, nginx, running
from tests.ports import free_port
from tests.serving import serving
from tests.waiting import SECONDS

__all__ = ["certificate", "named_here"]

pytestmark = pytest.mark.usefixtures("named_here")

PATH = "/team/co"
ACCOUNT = "111111111111"

PASSED_ON = "proxy_pass http://compute_optimizer;"
WAYS = {
    "as it came": PASSED_ON,
    "taken away": f"rewrite ^{PATH}(/.*)$ $1 break; {PASSED_ON}",
}
"""What the proxy may do with the path; signed calls of the API need the first."""


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *given: Any) -> None:
        return None


@dataclass(frozen=True)
class Answer:
    """What a browser got."""

    status: int
    headers: Any
    page: str


@dataclass(frozen=True)
class Browser:
    """One that trusts the proxy's certificate and keeps cookies, and follows nothing."""

    home: str
    jar: CookieJar
    opener: OpenerDirector

    def ask(self, address: str, **form: str) -> Answer:
        """Open an address or send a form, as a page of this host does."""
        host = "{0.scheme}://{0.netloc}".format(urlsplit(self.home))
        body = urlencode(form).encode() if form else None
        request = Request(urljoin(self.home, address), body, {"Origin": host} if form else {})
        request.add_header("Referer", f"{self.home}/console/accounts")
        try:
            with self.opener.open(request, timeout=SECONDS) as response:
                return Answer(response.status, response.headers, response.read().decode())
        except HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read().decode())

    def cookies(self) -> dict[str, Cookie]:
        return {one.name: one for one in self.jar}


def browser(home: str, certificate: Path) -> Browser:
    jar, context = CookieJar(), ssl.create_default_context(cafile=str(certificate))
    handlers = (HTTPSHandler(context=context), HTTPCookieProcessor(jar), _Stay())
    return Browser(home, jar, build_opener(*handlers))


@contextmanager
def served(folder: Path, home: str, provider: IdentityProvider) -> Iterator[str]:
    """Serve with a provider until the end of the block; yields HOST:PORT."""
    rules = [{"claim": "groups", "value": "everybody", "accounts": [ACCOUNT]}]
    access = {"access": [rules[0] | {"access": "read-only"}]}
    (folder / "access.yaml").write_text(yaml.safe_dump(access))
    settings = {
        "console_url": home,
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": SECRET,
        "oidc_access_file": str(folder / "access.yaml"),
    }
    with serving(folder / "data", **settings) as (host, _):
        yield host


@dataclass(frozen=True)
class Site:
    """All of it, running."""

    home: str
    provider: IdentityProvider
    certificate: Path

    def browser(self) -> Browser:
        return browser(self.home, self.certificate)


@pytest.fixture(scope="module", params=WAYS)
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certificate: Path
) -> Iterator[Site]:
    nginx()
    needed()
    folder, port = tmp_path_factory.mktemp("site"), free_port()
    home = f"https://{NAME}:{port}{PATH}"
    with (
        identity_provider(home, trusted=certificate) as provider,
        served(folder, home, provider) as inner,
    ):
        text = configured(inner, certificate, port)
        assert PASSED_ON in text
        with running(folder, port, text.replace(PASSED_ON, WAYS[request.param])):
            yield Site(home, provider, certificate)


def come_in(site: Site, person: Person) -> Browser:
    """Sign somebody in by the button of the form; everything is checked on the way."""
    visit = site.browser()
    form = visit.ask(f"{PATH}/console/accounts")
    assert form.headers["location"] == f"{PATH}/console/sign-in?next=/console/accounts"
    page = visit.ask(form.headers["location"])
    for address in re.findall(r'(?:href|src|action)="([^"#]+)"', page.page):
        assert address.startswith(f"{PATH}/console/"), address
    button = re.search(r'href="([^"]+/sign-in/provider[^"]*)"', page.page)
    assert button, page.page
    there = visit.ask(button[1]).headers["location"]
    assert there.startswith(site.provider.issuer)
    waiting = visit.cookies()["__Host-co_sign_in"]
    assert (waiting.path, waiting.secure) == ("/", True)
    back = person.go(there)
    assert back.startswith(f"{site.home}/console/sign-in/callback?")
    arrived = visit.ask(back)
    assert arrived.headers["refresh"] == f"0;url={PATH}/console/accounts"
    return visit


def test_people_sign_in_and_go_on_below_the_path(site: Site) -> None:
    visit = come_in(site, Person(site.provider, "rio"))
    session = visit.cookies()["co_session"]

    assert (session.path, session.secure) == (f"{PATH}/console", True)
    assert session.has_nonstandard_attr("HttpOnly")
    page = visit.ask(f"{PATH}/console/accounts")
    assert page.status == 200
    addresses = re.findall(r'(?:href|src|action|formaction|data-src)="([^"#]+)"', page.page)
    assert len(addresses) > 10
    assert [one for one in addresses if not one.startswith(f"{PATH}/console")] == []
    styles = next(one for one in addresses if one.endswith(".css"))
    assert visit.ask(styles).status == 200
    themed = visit.ask(f"{PATH}/console/theme", theme="dark")
    assert themed.headers["location"] == f"{PATH}/console/accounts"
    assert visit.cookies()["co_theme"].path == f"{PATH}/console"


def test_forms_of_other_sites_are_refused_behind_the_proxy(site: Site) -> None:
    visit = site.browser()
    request = Request(f"{site.home}/console/theme", b"theme=dark", {"Origin": f"https://{NAME}"})
    # The same name on another port is another site.
    with pytest.raises(HTTPError) as raised:
        visit.opener.open(request, timeout=SECONDS)
    assert raised.value.code == 403
    raised.value.close()


def test_the_provider_ends_a_session_by_the_same_way(site: Site) -> None:
    person = Person(site.provider, "rio")
    visit = come_in(site, person)
    other = come_in(site, Person(site.provider, "dana"))
    assert visit.ask(f"{PATH}/console/accounts").status == 200

    query = {"client_id": CLIENT_ID, "post_logout_redirect_uri": f"{site.home}/console/sign-in"}
    left = person.leave(f"{site.provider.issuer}/session/end?{urlencode(query)}")

    assert left == f"{site.home}/console/sign-in"
    assert visit.ask(f"{PATH}/console/accounts").status == 303
    assert other.ask(f"{PATH}/console/accounts").status == 200
