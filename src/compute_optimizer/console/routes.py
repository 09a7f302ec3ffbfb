"""Every page of the console: one table."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from compute_optimizer.console import assets
from compute_optimizer.console.messages import Response
from compute_optimizer.console.pages import (
    accounts,
    dashboard,
    decisions,
    enrollment,
    exports,
    openid,
    preferences,
    quality,
    quality_history,
    recommendations,
    resource,
    sign_in,
    theme,
)

Page = Callable[..., Response]
"""Takes the room, the request, the session (None on public pages) and the names in the path."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method and path."""

    method: str
    path: re.Pattern[str]
    """Its groups are handed to the page by name."""
    page: Page
    public: bool = False
    """Whether it is shown to those who have not signed in."""
    waits: bool = False
    """Whether it asks somebody outside, who may be slow."""
    from_programs: bool = False
    """Whether a program sends its form, which shows by itself who made it."""
    at_any_time: bool = False
    """Whether it is open to those of whom the provider was not asked for too long."""


def _route(method: str, path: str, page: Page, **more: bool) -> Route:
    """Return a route; `{name}` in a path stands for a word."""
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[A-Za-z0-9._-]+)", path)
    return Route(method, re.compile(f"/console{pattern}"), page, **more)


ROUTES = (
    _route("GET", "/?", dashboard.show),
    _route("GET", "/recommendations/{kind}", recommendations.show),
    _route("GET", "/recommendations/{kind}/export", recommendations.export),
    _route("GET", "/resource", resource.show),
    _route("GET", "/resource/usage", resource.usage),
    _route("GET", "/decisions", decisions.show),
    _route("GET", "/decisions/export", decisions.export),
    _route("GET", "/decisions/{recommendation_id}", decisions.one),
    _route("POST", "/decisions/{recommendation_id}", decisions.decide),
    _route("GET", "/quality", quality.show),
    _route("POST", "/quality", quality.start),
    _route("GET", "/quality/past", quality.show_past),
    _route("GET", "/quality/history", quality_history.show),
    _route("GET", "/quality/history/export", quality_history.export),
    _route("GET", "/enrollment", enrollment.show),
    _route("POST", "/enrollment", enrollment.change),
    _route("POST", "/enrollment/organization", enrollment.change_organization),
    _route("GET", "/enrollment/organization", enrollment.show),
    _route("GET", "/exports", exports.show),
    _route("POST", "/exports", exports.start),
    _route("GET", "/exports/{job_id}/{part}", exports.download),
    _route("GET", "/preferences", preferences.show),
    _route("POST", "/preferences", preferences.change),
    _route("POST", "/preferences/take-away", preferences.take_away),
    _route("GET", "/preferences/take-away", preferences.show),
    # Who comes back to what a form showed, after choosing a theme, finds the form.
    _route("GET", "/preferences/what-if", preferences.show),
    _route("POST", "/preferences/what-if", preferences.try_out),
    _route("GET", "/preferences/what-if/{run_id}", preferences.tried),
    _route("POST", "/preferences/what-if/{run_id}/stop", preferences.stop),
    _route("GET", "/sign-in", sign_in.show, public=True),
    _route("POST", "/sign-in", sign_in.enter, public=True),
    _route("GET", "/sign-in/provider", openid.begin, public=True, waits=True),
    _route("GET", "/sign-in/callback", openid.finish, public=True, waits=True),
    _route("GET", "/sign-in/check", openid.check, public=True, waits=True),
    _route(
        "POST",
        "/sign-in/back-channel-logout",
        openid.end_sessions,
        public=True,
        waits=True,
        from_programs=True,
    ),
    _route("POST", "/sign-out", sign_in.leave, waits=True, at_any_time=True),
    _route("GET", "/accounts", accounts.show),
    _route("POST", "/accounts", accounts.choose),
    _route("POST", "/theme", theme.choose, public=True),
    _route("GET", "/static/{digest}/{name}", assets.show, public=True),
)


def find_route(method: str, path: str) -> tuple[Route | None, dict[str, str]]:
    """Return the route of a request and the names in its path; None where there is none."""
    for route in ROUTES:
        found = route.path.fullmatch(path)
        if found and route.method == method:
            return route, found.groupdict()
    return None, {}
