"""Local AWSes to collect from, behind a front that notes every call and can spoil its answer.

Here the front and moto's server in this process; `local_ministack` has another AWS.
"""

import io
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from socket import SHUT_RDWR
from threading import Thread
from typing import Any
from urllib.parse import parse_qs
from urllib.request import Request, urlopen

import boto3
import botocore.session
import pytest

from compute_optimizer.sources.aws.clients import make_session
from tests.local_insights import App, Counters, with_insights

OWN = "123456789012"
"""The account of whoever signs with any key: moto's own."""

REGION = "us-east-1"

SCOPE = re.compile(
    r"Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request"
)

KEY = re.compile(r"(Credential=)[^/]+/")

DROPPED = "dropped"
"""Instead of an error code: the connection ends without an answer."""

GARBLED = "garbled"
"""Instead of an error code: a proxy's page where XML, JSON or CBOR is expected."""

PAGE = b"<html><body>please log in to the network"

NAMES = {"monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi"}
"""Services whose signing name differs from boto3's."""


QUERY = "<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"
EC2 = "<Response><Errors>{error}</Errors><RequestID>1</RequestID></Response>"
XML = {"ec2": EC2, "autoscaling": QUERY, "sts": QUERY, "rds": QUERY}
"""Services whose errors are XML, and how they look."""


@dataclass(frozen=True)
class Asked:
    """One call, and in whose name it was made."""

    service: str
    """As boto3 names it."""
    operation: str
    account_id: str
    region: str
    body: bytes


@dataclass
class LocalAws:
    """The server, and what was asked of it."""

    url: str
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Service as boto3 names it, and operation."""
    failing: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """By operation: the error codes that its next calls get."""
    spoil: Callable[[Asked], str | None] = lambda _: None
    """What a call gets instead of its answer: an error code, DROPPED or GARBLED."""
    managed: Callable[[Asked], bool] = lambda _: False
    """Whether a call is answered as if the account of any key had made it: delegated."""
    counters: Counters = field(default_factory=dict)
    """What Performance Insights knows."""
    owners: dict[str, str] = field(default_factory=dict)
    """Accounts by the keys that AssumeRole gave."""
    bodies: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """Of the latest call of each operation."""
    times_emptied: int = 0
    """What was made before the latest time is gone."""

    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    _sessions: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str, region: str = REGION, account_id: str = OWN) -> Any:
        """Return a client with the credentials of an account."""
        place = service, region, account_id
        if place not in self._clients:
            if account_id not in self._sessions:
                self._sessions[account_id] = self._session(account_id)
            session = self._sessions[account_id]
            self._clients[place] = session.client(service, region, endpoint_url=self.url)
        return self._clients[place]

    def _session(self, account_id: str) -> Any:
        keys: tuple[str, ...] = ("testing", "testing")
        if account_id != OWN:
            role = f"arn:aws:iam::{account_id}:role/OrganizationAccountAccessRole"
            assumed = self.client("sts").assume_role(RoleArn=role, RoleSessionName="seeding")
            found = assumed["Credentials"]
            keys = found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
        # As one of the product, which reads each service's model once for all accounts.
        return boto3.session.Session(*keys, botocore_session=make_session(None))

    def forget(self) -> None:
        """Forget what was asked, and the keys of other accounts, which a reset makes void."""
        self.times_emptied += 1
        self.calls.clear()
        self.failing.clear()
        self.counters.clear()
        self.owners.clear()
        self.spoil = lambda _: None
        self.managed = lambda _: False
        for place in [place for place in self._clients if place[2] != OWN]:
            self._clients.pop(place).close()
            self._sessions.pop(place[2], None)

    def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            client.close()

    def machine(self, region: str = REGION, account_id: str = OWN, **more: Any) -> str:
        """Start an instance and return its id."""
        ec2 = self.client("ec2", region, account_id)
        request = {"ImageId": "ami-12c6146b", "InstanceType": "m5.2xlarge", **more}
        started = ec2.run_instances(MinCount=1, MaxCount=1, **request)
        return str(started["Instances"][0]["InstanceId"])

    def put(
        self,
        namespace: str,
        metric: str,
        dimensions: dict[str, str],
        values: Sequence[float],
        end: datetime,
        seconds: int = 300,
        account_id: str = OWN,
        region: str = REGION,
    ) -> None:
        """Send samples, the last of which begins one interval before the end."""
        pairs = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        start = end - timedelta(seconds=seconds * len(values))
        data = [
            {
                "MetricName": metric,
                "Dimensions": pairs,
                "Timestamp": start + timedelta(seconds=seconds * number),
                "Value": float(value),
            }
            for number, value in enumerate(values)
        ]
        cloudwatch = self.client("cloudwatch", region, account_id)
        for first in range(0, len(data), 500):
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[first : first + 500])

    def asked(self) -> set[tuple[str, str]]:
        """Return what was asked since the last time, each operation once, and forget it."""
        found = set(self.calls)
        self.calls.clear()
        return found


@pytest.fixture(scope="session")
def aws_server() -> Iterator[LocalAws]:
    """Start the server; it is stopped at the end."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    counters: Counters = {}
    app = with_insights(DomainDispatcherApplication(create_backend_app), counters)
    with fronting(app) as here:
        here.counters = counters
        yield here


@contextmanager
def fronting(app: App) -> Iterator[LocalAws]:
    """Run the front of an AWS; it is ended at the end."""
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    here = LocalAws("")

    def noting(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if (called := operation_of(environ, body)) is None:
            return app(environ, start_response)
        here.calls.append(called)
        here.bodies[called] = body
        failing, asked = here.failing.get(called), _asked(here, environ, called, body)
        spoiled = failing.pop(0) if failing else here.spoil(asked)
        if spoiled is not None:
            return _spoiled(environ, start_response, called[0], spoiled)
        if here.managed(asked):
            environ["HTTP_AUTHORIZATION"] = KEY.sub(r"\1testing/", environ["HTTP_AUTHORIZATION"])
        answer = list(app(environ, start_response))
        _note_keys(here, called, body, b"".join(answer))
        return answer

    server = make_server("127.0.0.1", 0, noting, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    here.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield here
    finally:
        here.close()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def aws(aws_server: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    """An empty AWS, and an environment in which boto3 finds it and nothing else."""
    # A second of loading images that nobody starts, for each test.
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    with urlopen(Request(f"{aws_server.url}/moto-api/reset", method="POST")):
        aws_server.forget()
    point_at(aws_server, tmp_path, monkeypatch)
    return aws_server


def point_at(here: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an environment in which boto3 finds an AWS and nothing else."""
    empty = tmp_path / "aws-config"
    empty.touch()
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ENDPOINT_URL": here.url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(empty),
        "AWS_SHARED_CREDENTIALS_FILE": str(empty),
    }.items():
        monkeypatch.setenv(name, value)


def operation_of(environ: dict[str, Any], body: bytes) -> tuple[str, str] | None:
    """Return service and operation of a signed request, in whichever protocol it is."""
    signed = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if signed is None:
        return None
    service = NAMES.get(signed["service"], signed["service"])
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        if service == "autoscaling" and target.startswith("AnyScale"):
            service = "application-autoscaling"
        return service, target.rpartition(".")[2]
    path = environ["PATH_INFO"]
    if "/operation/" in path:
        return service, path.rpartition("/")[2]
    if action := parse_qs(body.decode("latin-1")).get("Action"):
        return service, action[0]
    for pattern, name in _paths(service, environ["REQUEST_METHOD"]):
        if pattern.fullmatch(path):
            return service, name
    raise AssertionError(f"what operation of {service} is {environ['REQUEST_METHOD']} {path}?")


@cache
def _paths(service: str, method: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the paths of the operations of a REST service by botocore's model."""
    model = botocore.session.Session().get_service_model(service)
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        if http["method"] == method:
            path = re.sub(r"\\\{[^/]+\\\}", "[^/]+", re.escape(http["requestUri"].split("?")[0]))
            found.append((re.compile(path), name))
    return tuple(found)


def _asked(here: LocalAws, environ: dict[str, Any], called: tuple[str, str], body: bytes) -> Asked:
    signed = SCOPE.search(environ["HTTP_AUTHORIZATION"])
    assert signed is not None
    return Asked(*called, here.owners.get(signed["key"], OWN), signed["region"], body)


def _note_keys(here: LocalAws, called: tuple[str, str], body: bytes, answer: bytes) -> None:
    """Note whose keys AssumeRole gave."""
    given = re.search(rb"<AccessKeyId>([^<]+)</AccessKeyId>", answer)
    if called == ("sts", "AssumeRole") and given is not None:
        role = parse_qs(body.decode())["RoleArn"][0]
        here.owners[given[1].decode()] = role.split(":")[4]


def _spoiled(
    environ: dict[str, Any], start_response: Any, service: str, how: str
) -> Iterable[bytes]:
    if how == DROPPED:
        environ["werkzeug.socket"].shutdown(SHUT_RDWR)
    if how in (DROPPED, GARBLED):
        start_response("200 OK", [("Content-Type", "text/html")])
        return [PAGE]
    return _refused(start_response, service, how)


def _refused(start_response: Any, service: str, code: str) -> list[bytes]:
    """Answer with an error code in the encoding that the service's clients expect."""
    if service in XML:
        error = f"<Error><Code>{code}</Code><Message>not this time</Message></Error>"
        body = XML[service].format(error=error)
    else:
        body = json.dumps({"__type": code, "message": "not this time"})
    headers = [("Content-Type", "text/plain"), ("x-amzn-RequestId", "1")]
    start_response("400 Bad Request", headers)
    return [body.encode()]
