"""A small port on loopback that answers probes only: the worker has no API to answer them with."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from compute_optimizer.api.messages import Response
from compute_optimizer.api.probes import Probes, probe, respond
from compute_optimizer.errors import InvalidInput

LOOPBACK_ADDRESS = "127.0.0.1"

NOT_FOUND = b'{"status":"there is nothing here; see /healthz, /readyz and /metrics"}'


@contextmanager
def probes_served(probes: Probes, port: int) -> Iterator[int]:
    """Answer probes until the block ends, and yield the port; 0 takes a free one.

    Raises InvalidInput where the port cannot be had.
    """
    try:
        server = ThreadingHTTPServer((LOOPBACK_ADDRESS, port), _handler(probes))
    except OSError as error:
        raise InvalidInput(
            f"cannot bind {LOOPBACK_ADDRESS} port {port} for metrics: {error.strerror or error}. "
            "Choose another one (--port; 0 takes a free one) or stop what holds it"
        ) from error
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, name="probes", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(probes: Probes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers GET of the probes' paths."""

        timeout = 10.0

        def do_GET(self) -> None:
            found = probe(probes, self.path, self.client_address[0])
            self._send(found or respond(404, NOT_FOUND))

        def _send(self, response: Response) -> None:
            self.send_response(response.status)
            for name, value in response.headers:
                self.send_header(name.decode(), value.decode())
            self.end_headers()
            self.wfile.write(response.body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Log nothing: probes come every few seconds."""

    return Handler
