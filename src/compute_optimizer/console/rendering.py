"""From a page's values to HTML: the templates, and how figures and words are written."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from compute_optimizer.console import assets, kinds, words
from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import Request, Response, link
from compute_optimizer.console.sessions import Session

THEME_COOKIE = "co_theme"
THEMES = ("auto", "light", "dark")


@cache
def environment() -> Environment:
    """Return the templates with what they may call; whatever they print is escaped."""
    found = Environment(
        loader=PackageLoader("compute_optimizer.console", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters |= words.FILTERS
    found.globals |= {"asset": assets.address, "link": link, "kinds": kinds.KINDS}
    return found


def theme_of(request: Request) -> str:
    """Return the theme that somebody chose; auto goes by the browser's own setting."""
    chosen = request.cookie(THEME_COOKIE)
    return chosen if chosen in THEMES else THEMES[0]


def page(
    room: Room,
    request: Request,
    session: Session | None,
    template: str,
    values: Mapping[str, Any],
    status: int = 200,
) -> Response:
    """Return a page."""
    shared = {
        "request": request,
        "session": session,
        "theme": theme_of(request),
        "verifies": room.gate.verifies,
        "now": room.clock.now(),
    }
    text = environment().get_template(template).render(**shared, **values)
    return Response(status, text.encode())


def age(then: datetime | None, now: datetime) -> timedelta | None:
    """Return how long ago something was; None where it never was."""
    return None if then is None else max(now - then, timedelta())
