"""Addresses of the console: as its pages know them, and as browsers do.

Pages know them from /console on. Where a proxy has other things beside the console
(`https://HOST/PATH/console/`), what comes in loses the path, whether or not the proxy took it away
already. What goes out gets it where it is written: templates write every address by `url`, and a
response names the page to go to (`Response.to`).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

ROOT = "/console"


def inner(prefix: str, path: str) -> str:
    """Return a path as pages know it."""
    return path.removeprefix(prefix) if path.startswith(f"{prefix}{ROOT}") else path


def outer(prefix: str, address: str) -> str:
    """Return an address as browsers know it; one that leads elsewhere stays."""
    is_ours = address == ROOT or address.startswith((f"{ROOT}/", f"{ROOT}?"))
    return f"{prefix}{address}" if is_ours else address


def link(path: str, values: Mapping[str, Any]) -> str:
    """Return a path with a query; empty values are left out."""
    given = {name: value for name, value in values.items() if value not in ("", None, [])}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path
