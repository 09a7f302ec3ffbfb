"""A path in front of `/console`, where a proxy has others beside it: `https://HOST/PATH/console/`.

Pages are written as if there were none. What comes in loses it, whether or not the proxy took it
away already, and what goes out gets it, at this one place, so that no page can forget it.
"""

import re
from dataclasses import replace

from compute_optimizer.console.messages import Response

ROOT = "/console"

_LINK = re.compile(rb'(?<= )((?:href|src|action|formaction|data-src)=")(?=/console[/?"])')
"""Attributes that hold an address. Only templates write them: what they print of others has its
quotation marks escaped."""

_REFRESH = re.compile(r"^\d+;url=(?=/console)")
_COOKIE_PATH = re.compile(r"(?<=; Path=)(?=/console(?:;|$))")


def without(prefix: str, path: str) -> str:
    """Return a path as pages know it."""
    return path.removeprefix(prefix) if path.startswith(f"{prefix}{ROOT}") else path


def behind(prefix: str, response: Response) -> Response:
    """Return a response whose own addresses have the prefix."""
    if not prefix:
        return response
    headers = dict(response.headers)
    if headers.get("location", "").startswith(ROOT):
        headers["location"] = f"{prefix}{headers['location']}"
    if "refresh" in headers:
        headers["refresh"] = _REFRESH.sub(lambda found: found[0] + prefix, headers["refresh"])
    body, cookies = response.body, response.cookies
    if response.content_type.startswith("text/html"):
        body = _LINK.sub(lambda found: found[0] + prefix.encode(), body)
    return replace(
        response,
        headers=headers,
        body=body,
        cookies=tuple(_COOKIE_PATH.sub(prefix, one) for one in cookies),
    )
