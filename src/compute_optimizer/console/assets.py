"""Scripts and styles: served under a digest of their content, so that browsers keep them."""

from functools import cache
from hashlib import sha256
from importlib.resources import files

from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import Request, Response
from compute_optimizer.console.sessions import Session

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

DIGEST_LETTERS = 12
"""Of a digest in an address: enough to tell the versions of one file apart."""

KEPT = {"cache-control": "public, max-age=31536000, immutable"}
"""A year: another content has another address."""


@cache
def contents() -> dict[str, bytes]:
    """Return every file by its name."""
    folder = files("compute_optimizer.console") / "static"
    return {one.name: one.read_bytes() for one in folder.iterdir() if _suffix(one.name) in TYPES}


@cache
def address(name: str) -> str:
    """Return where a file is served."""
    digest = sha256(contents()[name]).hexdigest()[:DIGEST_LETTERS]
    return f"/console/static/{digest}/{name}"


def show(room: Room, request: Request, session: Session | None, digest: str, name: str) -> Response:
    """Return a file; one of another version is not there."""
    if name not in contents() or address(name) != request.path:
        return Response(404, b"There is no such file.", "text/plain; charset=utf-8")
    return Response(200, contents()[name], TYPES[_suffix(name)], headers=KEPT)


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]
