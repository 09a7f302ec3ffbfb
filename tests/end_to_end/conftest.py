"""A real server on a free port, and real boto3 clients in both protocols."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from compute_optimizer.api.authorization import policy_allowing
from compute_optimizer.api.dispatch import FrontDoor
from compute_optimizer.api.listening import bind, url_of
from compute_optimizer.app import opened
from compute_optimizer.app.serving import front_door
from compute_optimizer.cli.serve import GracefulServer
from compute_optimizer.config import Settings, load_settings
from compute_optimizer.store import State
from compute_optimizer.store.access_keys import KeyRequest, NewSecret, create_access_key
from compute_optimizer.store.sealing import open_key_file
from tests.states import FreshUrl
from tests.sts import Sts
from tests.waiting import wait_until

PROTOCOLS = ("json", "cbor")
"""What a client can speak: AWS JSON 1.0 and Smithy RPC v2 CBOR."""

ACCOUNT = "111111111111"
REGION = "us-east-1"
SERVER_NAME = "optimizer.example.com"
"""By which people sign in."""

Clients = Callable[..., Any]


class MovableClock:
    """The machine's clock, moved by as much as a test asks."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.stopped: datetime | None = None

    def now(self) -> datetime:
        """Return the present moment, moved."""
        return (self.stopped or datetime.now(UTC)) + self.ahead

    def stop(self) -> None:
        """Let it go on by nothing but what a test asks."""
        self.stopped = datetime.now(UTC)

    def advance(self, **span: float) -> None:
        """Move the clock forward, such as advance(hours=1)."""
        self.ahead += timedelta(**span)


@dataclass(frozen=True)
class Served:
    """A running server."""

    url: str
    settings: Settings
    state: State
    clock: MovableClock
    door: FrontDoor
    clients: Clients

    def client(self, account: str = ACCOUNT, protocol: str = "json", **options: Any) -> Any:
        """Return a boto3 client; with auth off the account is the access key id.

        Options: region, secret, token, service, and whatever botocore's Config takes.
        """
        return self.clients(self.url, account, protocol, **options)

    def new_key(
        self, *allowed: str, account: str = ACCOUNT, name: str = "ci", **wanted: Any
    ) -> NewSecret:
        """Store an access key that is allowed the given actions, by default everything."""
        policy = policy_allowing(list(allowed or ("*",)))
        sealer = open_key_file(self.settings.key_file, self.settings.data_dir)
        request = KeyRequest(account, name, policy, **wanted)
        with self.state.writing() as connection:
            return create_access_key(connection, sealer, request, self.clock.now())

    def signed_client(self, key: NewSecret, protocol: str = "json", **options: Any) -> Any:
        """Return a boto3 client that signs with a key."""
        given = {"secret": key.secret_access_key, "token": key.session_token} | options
        return self.client(key.access_key_id, protocol, **given)

    def audit_lines(self) -> list[dict[str, Any]]:
        """Return what the audit log says."""
        return [json.loads(line) for line in self.settings.audit_file.read_text().splitlines()]

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, for raw sockets."""
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)


@pytest.fixture(scope="session")
def boto_clients(tmp_path_factory: pytest.TempPathFactory) -> Clients:
    """Make boto3 clients; the models are loaded once per protocol.

    botocore prefers JSON where a model lists both protocols; a file of extras beside its own models
    makes the same, unchanged client speak CBOR.
    """
    extras = tmp_path_factory.mktemp("botocore")
    folder = extras / "compute-optimizer" / "2019-11-01"
    folder.mkdir(parents=True)
    merge = {"metadata": {"protocols": ["smithy-rpc-v2-cbor"]}}
    (folder / "service-2.sdk-extras.json").write_text(json.dumps({"version": 1.0, "merge": merge}))
    sessions = {protocol: _session(extras, protocol) for protocol in PROTOCOLS}

    def client(url: str, account: str, protocol: str, **options: Any) -> Any:
        session = sessions[protocol]
        return session.create_client(
            options.pop("service", "compute-optimizer"),
            endpoint_url=url,
            region_name=options.pop("region", REGION),
            aws_access_key_id=account,
            aws_secret_access_key=options.pop("secret", "secret"),
            aws_session_token=options.pop("token", None),
            config=Config(**{"retries": {"total_max_attempts": 1}} | options),
        )

    return client


def _session(extras: Path, protocol: str) -> Any:
    session: Any = botocore.session.Session()
    if protocol == "cbor":
        session.get_component("data_loader").search_paths.insert(0, str(extras))
    return session


@pytest.fixture(scope="session")
def stopping() -> Iterator[list[Thread]]:
    """Threads of servers that were told to stop: waited for once, at the end.

    uvicorn takes 0.2 s to stop, which every test would wait for.
    """
    threads: list[Thread] = []
    yield threads
    for thread in threads:
        thread.join()


@contextmanager
def serving(settings: Settings, clients: Clients, stopping: list[Thread]) -> Iterator[Served]:
    """Run the server in a thread until the block ends."""
    clock = MovableClock()
    with ExitStack() as stack:
        application = stack.enter_context(opened(settings, clock))
        door = stack.enter_context(front_door(application))
        listener = stack.enter_context(bind(settings.host, settings.port))
        server = GracefulServer(door)
        thread = Thread(target=server.run, args=([listener],))
        url = url_of(listener)
        thread.start()
        try:
            wait_until(lambda: server.started, lambda: "the server did not start")
            yield Served(url, settings, application.state, clock, door, clients)
        finally:
            server.should_exit = True
            stopping.append(thread)


@pytest.fixture
def serve(
    tmp_path: Path, fresh_sqlite: FreshUrl, boto_clients: Clients, stopping: list[Thread]
) -> Iterator[Callable[..., Served]]:
    """Start servers with the given settings, each on a fresh state unless one is named."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Served:
            defaults = {"data_dir": tmp_path, "port": 0, "auth": "off", "state_url": fresh_sqlite()}
            loaded = load_settings(defaults | settings, environment={})
            return stack.enter_context(serving(loaded, boto_clients, stopping))

        yield start


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    """A running server with auth off on a fresh state."""
    return serve()


@pytest.fixture(scope="module")
def served_once(
    tmp_path_factory: pytest.TempPathFactory,
    fresh_sqlite: FreshUrl,
    boto_clients: Clients,
    stopping: list[Thread],
) -> Iterator[Served]:
    """The same, one for all tests of a module: they only read what its fixtures put there."""
    place = {"data_dir": tmp_path_factory.mktemp("served"), "state_url": fresh_sqlite()}
    settings = load_settings({"port": 0, "auth": "off", **place}, environment={})
    with serving(settings, boto_clients, stopping) as found:
        yield found


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    """Each protocol in turn."""
    chosen: str = request.param
    return chosen


@pytest.fixture
def secured(serve: Callable[..., Served]) -> Served:
    """A running server that verifies signatures, on a fresh state without keys."""
    return serve(auth="on")


@pytest.fixture
def host(serve: Callable[..., Served], sts: Sts) -> Served:
    """A running server to sign in at, which asks the local STS and has no rule yet."""
    return serve(auth="on", sign_in_names=SERVER_NAME, sign_in_sts_endpoints=sts.url)
