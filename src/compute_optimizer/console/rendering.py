"""From a page's values to HTML: the templates, and how figures and words are written."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from compute_optimizer.console import assets, kinds, words
from compute_optimizer.console.addresses import link, outer
from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import Request, Response
from compute_optimizer.console.metric_titles import metric_title
from compute_optimizer.console.sessions import Session

THEME_COOKIE = "co_theme"
THEMES = ("auto", "light", "dark")


@cache
def environment(prefix: str) -> Environment:
    """Return the templates with what they may call; whatever they print is escaped.

    They write every address by `url`, of a path and a query, or `asset`, of a file's name: those
    put the path in front that browsers need.
    """

    def url(path: str, values: Mapping[str, Any] | None = None) -> str:
        return outer(prefix, link(path, values or {}))

    def asset(name: str) -> str:
        return outer(prefix, assets.address(name))

    found = Environment(
        loader=PackageLoader("compute_optimizer.console", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters |= words.FILTERS | {"metric_title": metric_title}
    found.globals |= {"asset": asset, "url": url, "kinds": kinds.KINDS}
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
    text = environment(room.prefix).get_template(template).render(**shared, **values)
    return Response(status, text.encode())
