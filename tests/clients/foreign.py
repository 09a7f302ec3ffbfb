"""The foreign clients, each behind the same three lines: call an operation, get its answer."""

import hashlib
import hmac
import http.client
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import cbor2

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("driver.py")
NODE_DRIVER = Path(__file__).with_name("driver.cjs")
NODE_VENV = "client-js"
REGION = "us-east-1"
SERVICE = "compute-optimizer"
TARGET = "ComputeOptimizerService"

JSON = "json"
CBOR = "rpc-v2-cbor"


@dataclass(frozen=True, slots=True)
class Key:
    """An access key."""

    access_key_id: str
    secret_access_key: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client showed its user."""

    response: dict[str, Any]
    """Moments as {"$datetime": seconds} where the client gives a real moment."""
    error: str | None
    """The code of the error, None when the call succeeded."""
    protocol: str
    """What went over the wire."""
    caught_by_name: bool | None = None
    """Whether `except client.exceptions.CODE` catches the error; None where there is no such."""


Call = Callable[[str, Mapping[str, Any]], Answer]
"""Operation in the model's spelling, and its request."""

Connect = Callable[[str, Key, Path], Any]
"""Endpoint, key and a folder for the client's own files -> context manager of a Call."""


def environment(endpoint: str, key: Key, folder: Path) -> dict[str, str]:
    """Return the environment of a client's process: nothing of the user's own set-up."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }


def python_client(venv: str, library: str, protocol: str = JSON) -> Connect:
    """Return how to connect boto3 or aiobotocore from its own environment."""

    @contextmanager
    def connect(endpoint: str, key: Key, folder: Path) -> Iterator[Call]:
        variables = environment(endpoint, key, folder)
        if protocol == CBOR:
            variables["AWS_DATA_PATH"] = str(_cbor_override(folder))
        words = [program(venv, "python"), str(DRIVER), library]
        with _driven(words, variables, snake) as call:
            yield call

    return connect


def javascript_client(protocol: str = JSON) -> Connect:
    """Return how to connect the SDK for JavaScript from its own environment."""

    @contextmanager
    def connect(endpoint: str, key: Key, folder: Path) -> Iterator[Call]:
        words = ["node", str(NODE_DRIVER), str(ROOT / f".venv-{NODE_VENV}"), protocol]
        with _driven(words, environment(endpoint, key, folder), str) as call:
            yield call

    return connect


@contextmanager
def _driven(
    words: list[str], variables: dict[str, str], spelled: Callable[[str], str]
) -> Iterator[Call]:
    """Start a driver and give how to call through it: a line there, a line back."""
    with subprocess.Popen(
        words, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def call(operation: str, request: Mapping[str, Any]) -> Answer:
            line = {"operation": spelled(operation), "arguments": request}
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(line) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            return Answer(
                answer["response"],
                answer.get("error"),
                answer["protocol"],
                answer.get("caught_by_name"),
            )

        try:
            yield call
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=20)


def _cbor_override(folder: Path) -> Path:
    """Write the data override that makes botocore choose CBOR, and return its folder."""
    place = folder / "models" / SERVICE / "2019-11-01"
    place.mkdir(parents=True, exist_ok=True)
    override = {"version": 1.0, "merge": {"metadata": {"protocols": ["smithy-rpc-v2-cbor"]}}}
    (place / "service-2.sdk-extras.json").write_text(json.dumps(override))
    return folder / "models"


def aws_cli(venv: str) -> Connect:
    """Return how to run the AWS CLI from its own environment: one process per call."""

    @contextmanager
    def connect(endpoint: str, key: Key, folder: Path) -> Iterator[Call]:
        # The variable for the endpoint is younger than some versions of the CLI.
        words = [program(venv, "aws"), "--endpoint-url", endpoint, "--no-paginate", SERVICE]

        def call(operation: str, request: Mapping[str, Any]) -> Answer:
            done = subprocess.run(
                [
                    *words,
                    snake(operation).replace("_", "-"),
                    "--cli-input-json",
                    json.dumps(request),
                ],
                env=environment(endpoint, key, folder),
                capture_output=True,
                text=True,
                timeout=60,
            )
            if done.returncode == 0:
                return Answer(json.loads(done.stdout), None, JSON)
            said = re.search(r"An error occurred \((\w+)\).*operation[^:]*: (.*)", done.stderr)
            assert said, done.stderr
            return Answer({"Error": {"Message": said[2]}}, said[1], JSON)

        yield call

    return connect


def raw_requests(protocol: str) -> Connect:
    """Return how to speak to the server without any SDK: bytes written and signed by hand."""

    @contextmanager
    def connect(endpoint: str, key: Key, folder: Path) -> Iterator[Call]:
        connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=20)

        def call(operation: str, request: Mapping[str, Any]) -> Answer:
            path, headers, body = _bytes_of(protocol, operation, request)
            signed = sign(key, connection.host, connection.port, path, headers, body)
            connection.request("POST", path, body, signed)
            return _answer_of(protocol, connection.getresponse())

        yield call
        connection.close()

    return connect


def _bytes_of(
    protocol: str, operation: str, request: Mapping[str, Any]
) -> tuple[str, dict[str, str], bytes]:
    if protocol == JSON:
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"{TARGET}.{operation}",
        }
        return "/", headers, json.dumps(request).encode()
    headers = {
        "content-type": "application/cbor",
        "accept": "application/cbor",
        "smithy-protocol": CBOR,
    }
    return f"/service/{TARGET}/operation/{operation}", headers, cbor2.dumps(request)


def _answer_of(protocol: str, response: http.client.HTTPResponse) -> Answer:
    body = response.read()
    if protocol == JSON:
        content = json.loads(body)
    else:
        assert response.headers["smithy-protocol"] == CBOR
        content = _spelled(cbor2.load(BytesIO(body)))
    if response.status < 400:
        return Answer(content, None, protocol)
    code = content["__type"].rpartition("#")[2]
    error = {"Code": code, "Message": content["message"]}
    metadata = {"HTTPStatusCode": response.status}
    return Answer({"Error": error, "ResponseMetadata": metadata}, code, protocol)


def _spelled(value: Any) -> Any:
    """Spell moments as the driver does; CBOR tag 1 arrives as a moment."""
    if isinstance(value, datetime):
        return {"$datetime": value.timestamp()}
    if isinstance(value, Mapping):
        return {key: _spelled(inner) for key, inner in value.items()}
    return [_spelled(inner) for inner in value] if isinstance(value, list) else value


def sign(
    key: Key, host: str, port: int, path: str, headers: Mapping[str, str], body: bytes
) -> dict[str, str]:
    """Return the headers with a Signature Version 4, written from its public description."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    signed = {**headers, "host": f"{host}:{port}", "x-amz-date": moment}
    names = ";".join(sorted(signed))
    canonical = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    request = f"POST\n{path}\n\n{canonical}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{moment[:8]}/{REGION}/{SERVICE}/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    secret = b"AWS4" + key.secret_access_key.encode()
    for part in scope.split("/"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
    signature = hmac.digest(secret, text.encode(), "sha256").hex()
    credential = f"Credential={key.access_key_id}/{scope}"
    authorization = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={signature}"
    return {**signed, "authorization": authorization}


def program(venv: str, name: str) -> str:
    """Return a program of an environment."""
    program = ROOT / f".venv-{venv}" / "bin" / name
    assert program.exists(), f"{program.relative_to(ROOT)} is missing: run `make test-clients`"
    return str(program)


def snake(operation: str) -> str:
    """Spell an operation as Python clients do: GetEC2Instance... is get_ec2_instance..."""
    between = r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
    spaced = re.sub(between, "_", operation.replace("EC2", "Ec2"))
    return spaced.lower()


def options_of(recommendation: Mapping[str, Any]) -> int:
    """Return how many options a recommendation has, of whatever type."""
    return sum(
        len(value) for name, value in recommendation.items() if name.lower().endswith("options")
    )


CLIENTS: Mapping[str, Connect] = {
    "boto3-newest": python_client("client-boto3-new", "boto3"),
    "boto3-newest-cbor": python_client("client-boto3-new", "boto3", CBOR),
    "boto3-1.26": python_client("client-boto3-1.26", "boto3"),
    "aiobotocore": python_client("client-aiobotocore", "aiobotocore"),
    "aiobotocore-cbor": python_client("client-aiobotocore", "aiobotocore", CBOR),
    "aws-cli": aws_cli("client-awscli"),
    "javascript": javascript_client(),
    "javascript-cbor": javascript_client(CBOR),
    "raw-json": raw_requests(JSON),
    "raw-cbor": raw_requests(CBOR),
}

PROTOCOLS = {name: CBOR if name.endswith("cbor") else JSON for name in CLIENTS}
"""The wire format that each client must be seen to speak."""
