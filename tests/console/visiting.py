"""Visits to the console without a browser or a network: requests in, pages out."""

import html
import re
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import Request, Response, read_values
from compute_optimizer.console.room import answer

HOST = "optimizer.example.com"


@dataclass
class Visit:
    """Somebody with a jar of cookies."""

    room: Room
    cookies: dict[str, str] = field(default_factory=dict)
    source: str = "203.0.113.9"

    def get(self, path: str, **headers: str) -> Response:
        return self._ask("GET", path, "", headers)

    def post(self, path: str, *, origin: str = f"http://{HOST}", **form: str) -> Response:
        return self._ask("POST", path, urlencode(form), {"origin": origin} if origin else {})

    def send(self, path: str, **form: str) -> Response:
        """Send a form of a page, with the token that pages put in."""
        return self.post(path, form_token=self.form_token, **form)

    @property
    def form_token(self) -> str:
        found = re.search(r'name="form_token" value="(\w+)"', text(self.get("/console/enrollment")))
        assert found
        return found[1]

    def sign_in(self, account: str) -> Response:
        """Sign in where auth is off."""
        return self.post("/console/sign-in", account_id=account)

    def _ask(self, method: str, path: str, body: str, headers: dict[str, str]) -> Response:
        # Browsers keep what comes behind a number sign to themselves.
        bare, _, query = path.partition("#")[0].partition("?")
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        given = {"host": HOST, "cookie": jar} | {k.replace("_", "-"): v for k, v in headers.items()}
        request = Request(
            method, bare, read_values(query), read_values(body), given, self.source, query
        )
        response = answer(self.room, request)
        for cookie in response.cookies:
            name, _, rest = cookie.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        if response.pieces is not None:
            return replace(response, body=b"".join(response.pieces), pieces=None)
        return response


def text(response: Response) -> str:
    """Return what a page says, with its tags."""
    return response.body.decode()


def words(response: Response) -> str:
    """Return what a page says, without its tags."""
    bare = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", text(response), flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", bare))
