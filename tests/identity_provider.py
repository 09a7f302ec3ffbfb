"""A real OpenID Connect provider: npm's certified oidc-provider, as a process of its own.

Imports nothing of the program, so that the tests in a browser can have it as well.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, build_opener

import pytest

from tests.lacking import lacking
from tests.printed import first_printed
from tests.waiting import SECONDS

VENV = Path(__file__).parents[1] / ".venv-identity-provider"
LIBRARY = VENV / "node_modules" / "oidc-provider" / "lib" / "index.js"
PROGRAM = Path(__file__).with_suffix(".mjs")

CLIENT_ID = "console"
SECRET = "a+secret/with letters:that%are=encoded"
"""As clients may have: not only letters that stand for themselves."""

PEOPLE: Mapping[str, Mapping[str, Any]] = {
    "dana": {
        "email": "dana@example.com",
        "email_verified": True,
        "groups": ["finops", "everybody"],
    },
    "rio": {"email": "rio@example.com", "email_verified": True, "groups": ["everybody"]},
    "eve": {"email": "eve@example.com", "email_verified": True, "groups": []},
    "mallory": {"email": "dana@example.com", "email_verified": False, "groups": []},
}
"""By what they type as their login; any password does."""


@dataclass(frozen=True)
class IdentityProvider:
    """The running provider."""

    issuer: str
    process: "subprocess.Popen[str]" = field(repr=False)

    @property
    def port(self) -> int:
        return int(self.issuer.rpartition(":")[2])


def needed() -> None:
    """Skip where it cannot be started; in CI that is a failure."""
    if LIBRARY.exists() and shutil.which("node"):
        return
    reason = "needs Node.js and `python scripts/environments.py create identity-provider`"
    lacking(reason)


@contextmanager
def identity_provider(
    home: str,
    *,
    port: int = 0,
    thin: bool = False,
    people: Mapping[str, Mapping[str, Any]] = PEOPLE,
    keys: Sequence[Mapping[str, Any]] | None = None,
    clients: Sequence[Mapping[str, Any]] = (),
    trusted: Path | None = None,
) -> Iterator[IdentityProvider]:
    """Run it for a console at a URL, whose certificate is `trusted`; `thin` tells claims by
    UserInfo only."""
    needed()
    console = {
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "redirect_uris": [f"{home}/console/sign-in/callback"],
        "post_logout_redirect_uris": [f"{home}/console/sign-in"],
        "backchannel_logout_uri": f"{home}/console/sign-in/back-channel-logout",
        "backchannel_logout_session_required": True,
    }
    set_up = {"port": port, "thin": thin, "people": people, "clients": [console, *clients]}
    if keys is not None:
        set_up["jwks"] = {"keys": list(keys)}
    words = ["node", str(PROGRAM), str(LIBRARY)]
    pipe = subprocess.PIPE
    environment = {**os.environ, **({"NODE_EXTRA_CA_CERTS": str(trusted)} if trusted else {})}
    with subprocess.Popen(
        words, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(set_up))
            process.stdin.close()
            yield IdentityProvider(first_printed(process, r"listening at (\S+)"), process)
        finally:
            process.kill()
            process.wait()


class _Stop(HTTPRedirectHandler):
    """Follow the provider's redirects, but not the one back to the console."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    def redirect_request(
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, to: str
    ) -> Any:
        if not to.startswith(self.issuer):
            return None
        return super().redirect_request(req, fp, code, msg, headers, to)


class Person:
    """Somebody at a browser who has a session at the provider, or gets one."""

    def __init__(self, provider: IdentityProvider, login: str) -> None:
        self.provider, self.login = provider, login
        self.opener = build_opener(HTTPCookieProcessor(CookieJar()), _Stop(provider.issuer))

    def go(self, address: str) -> str:
        """Sign in at an address of the provider and return where it leads to in the end."""
        place, page = self._open(address)
        for _ in range(5):
            if not place.startswith(self.provider.issuer):
                return place
            form = re.search(r'action="([^"]+)".*?name="prompt" value="(\w+)"', page, re.DOTALL)
            assert form, page
            filled = {"prompt": form[2], "login": self.login, "password": "any"}
            place, page = self._open(form[1], urlencode(filled).encode())
        pytest.fail(f"the provider never came to an end: {page}")

    def leave(self, address: str) -> str:
        """Sign out at an address of the provider and return where it leads to in the end."""
        _, page = self._open(address)
        form = re.search(r'action="([^"]+)".*?name="xsrf" value="(\w+)"', page, re.DOTALL)
        assert form, page
        return self._open(form[1], urlencode({"xsrf": form[2], "logout": "yes"}).encode())[0]

    def _open(self, address: str, form: bytes | None = None) -> tuple[str, str]:
        try:
            with self.opener.open(address, form, timeout=SECONDS) as response:
                return response.url, response.read().decode()
        except HTTPError as error:
            with error:
                location = error.headers.get("location")
                assert location, error.read().decode()
                return location, ""
