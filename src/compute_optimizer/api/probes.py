"""What probes and Prometheus ask of a process: whether it lives, may be used, and how it is."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import text

from compute_optimizer.api.messages import Headers, Response
from compute_optimizer.api.telemetry import Telemetry
from compute_optimizer.errors import ComputeOptimizerError
from compute_optimizer.model.hosts import is_loopback
from compute_optimizer.store import State

log = logging.getLogger(__name__)

METRICS_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
"""The text format of Prometheus."""

JSON_TYPE = b"application/json"

NO_HEADERS: Headers = {}

FORWARDED = (b"x-forwarded-for", b"forwarded")
"""Headers by which a proxy says that it passes a request on."""

LOOPBACK, OPEN = "loopback", "open"
"""Who may read the metrics, which name accounts: callers on this machine, or all; else nobody."""


@dataclass(frozen=True, slots=True)
class Probes:
    """What answering probes needs."""

    state: State
    telemetry: Telemetry
    stopping: Callable[[], bool]
    metrics_for: str = LOOPBACK


def probe(probes: Probes, path: str, source: str, headers: Headers = NO_HEADERS) -> Response | None:
    """Return the answer to a GET of a path from an address; None where it is no probe's.

    Reads the state unless the path is in ALIVE, so it may wait; it raises nothing.
    """
    answering = ANSWERS.get(path)
    if answering is None or (path == METRICS_PATH and not _may_read(probes, source, headers)):
        return None
    return answering(probes)


def _may_read(probes: Probes, source: str, headers: Headers) -> bool:
    # Whoever comes through a proxy on this machine does not come from this machine.
    if probes.metrics_for == LOOPBACK:
        return is_loopback(source) and not any(name in headers for name in FORWARDED)
    return probes.metrics_for == OPEN


def _alive(_probes: Probes) -> Response:
    return respond(200, b'{"status":"ok"}')


def _ready(probes: Probes) -> Response:
    if probes.stopping():
        return respond(503, b'{"status":"stopping"}')
    try:
        with probes.state.reading() as connection:
            connection.execute(text("SELECT version_num FROM alembic_version"))
    except ComputeOptimizerError as error:
        log.warning("not ready: %s", error)
        return respond(503, b'{"status":"the state store cannot be used"}')
    return respond(200, b'{"status":"ready"}')


def _metrics(probes: Probes) -> Response:
    try:
        return respond(200, probes.telemetry.exposed(), METRICS_TYPE)
    except ComputeOptimizerError as error:
        log.warning("metrics cannot be read: %s", error)
        return respond(503, b'{"status":"the state store cannot be used"}')


def respond(status: int, body: bytes, content_type: bytes = JSON_TYPE) -> Response:
    """Return an answer with its length."""
    length = b"%d" % len(body)
    return Response(status, [(b"content-type", content_type), (b"content-length", length)], body)


ALIVE = ("/healthz", "/health")
"""The second is the older name."""

METRICS_PATH = "/metrics"
ANSWERS: Mapping[str, Callable[[Probes], Response]] = {
    **dict.fromkeys(ALIVE, _alive),
    "/readyz": _ready,
    METRICS_PATH: _metrics,
}
