"""The choice between light, dark and what the browser prefers."""

from urllib.parse import urlsplit

from compute_optimizer.console.addresses import ROOT, inner, outer
from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import Request, Response, redirect
from compute_optimizer.console.pages.sign_in import HOME, inside
from compute_optimizer.console.rendering import THEME_COOKIE, THEMES
from compute_optimizer.console.sessions import Session

KEPT_SECONDS = 365 * 86_400
"""A year."""


def choose(room: Room, request: Request, session: Session | None) -> Response:
    """Keep a theme and go back to the page on which it was chosen."""
    chosen = request.field("theme")
    theme = chosen if chosen in THEMES else THEMES[0]
    path = outer(room.prefix, ROOT)
    cookie = f"{THEME_COOKIE}={theme}; Path={path}; Max-Age={KEPT_SECONDS}; SameSite=Strict"
    return redirect(_left(room, request), (cookie,))


def _left(room: Room, request: Request) -> str:
    """Return the page on which a theme was chosen; the dashboard where the browser tells none."""
    try:
        page = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return HOME
    path = inner(room.prefix, page.path)
    return inside(f"{path}?{page.query}" if page.query else path)
