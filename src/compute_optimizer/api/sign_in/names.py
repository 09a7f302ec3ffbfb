"""The name of a server, for which requests to sign in are signed: host and port of its URL.

Whoever signs in takes it from the URL that they call, never from the server: another server could
otherwise name this one, and sign in here with what it was given.
"""

import re
from urllib.parse import urlsplit

from compute_optimizer.errors import InvalidInput

SIGN_IN_PATH = "/sign-in"
"""Ends the path of the URL; a proxy may have put something in front."""

_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]{0,252})|\[[0-9a-f:]{2,39}\])(?::\d{1,5})?", re.ASCII)


def server_names(text: str) -> frozenset[str]:
    """Return the names of the setting, separated by commas; raise InvalidInput for one that is
    none."""
    return frozenset(_checked(f"setting sign_in_names: {one!r}", one) for one in _listed(text))


def name_of(endpoint: str) -> str:
    """Return the name of the server at a URL; raise InvalidInput for no URL of a server."""
    try:
        parts = urlsplit(endpoint)
        well_formed = parts.scheme in ("http", "https") and "@" not in parts.netloc
    except ValueError:
        well_formed = False
    if not well_formed:
        raise InvalidInput(
            f"--endpoint {endpoint!r}: expected a URL such as https://optimizer.example.com"
        )
    return _checked(f"--endpoint {endpoint!r}: the host", parts.netloc.lower())


def _listed(text: str) -> list[str]:
    return text.lower().replace(",", " ").split()


def _checked(what: str, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{what} is no name of a server; expected the host of its URL, and the port where the "
            "URL has one, such as optimizer.example.com or 127.0.0.1:8080"
        )
    return name
