"""The choice between light, dark and what the browser prefers."""

from urllib.parse import urlsplit

from compute_optimizer.console.addresses import ROOT, inner, outer
from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import Request, Response, redirect
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
    came_from = urlsplit(request.headers.get("referer", ""))
    page = inner(room.prefix, came_from.path)
    back = page if page.startswith(f"{ROOT}/") else f"{ROOT}/"
    return redirect(f"{back}?{came_from.query}" if came_from.query else back, (cookie,))
