"""A server on a real socket that answers as a test tells it to, or passes questions on."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from threading import Event, Lock, Thread
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode
from urllib.request import Request, urlopen

from tests.waiting import SECONDS

EMPTY = b'{"status":"success","data":{"resultType":"vector","result":[]}}'


@dataclass(frozen=True)
class Asked:
    """One question."""

    call: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: bytes = b""
    path: str = ""


@dataclass(frozen=True)
class Answer:
    """What is answered to it."""

    body: bytes = EMPTY
    code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int | None = None
    """Bytes that the headers promise, where the body has another length."""
    seconds_before: float = 0.0
    """Waited for no longer than the server is there, as those of each byte."""
    seconds_per_byte: float = 0.0


@dataclass
class Answering:
    """The running server."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    """For the next questions; after them it goes by `otherwise`."""
    otherwise: Callable[[Asked], Answer] = lambda _: Answer()
    lock: Lock = field(default_factory=Lock)
    ended: Event = field(default_factory=Event)
    """Set when no answer is wanted any more."""

    def answer(self, asked: Asked) -> Answer:
        with self.lock:
            self.asked.append(asked)
            told = self.answers.pop(0) if self.answers else None
        return told or self.otherwise(asked)


def passing_on(url: str) -> Callable[[Asked], Answer]:
    """Return what answers as another server does."""

    def answer(asked: Asked) -> Answer:
        request = Request(f"{url}/api/v1/{asked.call}", urlencode(asked.parameters).encode())
        try:
            with urlopen(request, timeout=SECONDS) as response:
                return Answer(response.read())
        except HTTPError as error:
            with error:
                return Answer(error.read(), error.code)

    return answer


@contextmanager
def answering(tls: SSLContext | None = None) -> Iterator[Answering]:
    """Run the server; it is ended at the end."""
    here = Answering()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            given = parse_qs(body.decode())
            parameters = {name: values[0] for name, values in given.items()}
            call = self.path.rpartition("/")[2]
            headers = {name.casefold(): value for name, value in self.headers.items()}
            told = here.answer(Asked(call, parameters, headers, body, self.path))
            here.ended.wait(told.seconds_before)
            self.send_response(told.code)
            for name, value in told.headers.items():
                self.send_header(name, value)
            promised = len(told.body) if told.promised is None else told.promised
            self.send_header("Content-Length", str(promised))
            with suppress(OSError):  # whoever asked may have gone
                self.end_headers()
                self.give(told)

        do_GET = do_POST

        def give(self, told: Answer) -> None:
            if not told.seconds_per_byte:
                self.wfile.write(told.body)
                return
            for byte in told.body:
                self.wfile.write(bytes([byte]))
                here.ended.wait(told.seconds_per_byte)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    here.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    try:
        yield here
    finally:
        here.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
