"""Both encodings for both services, and what botocore says about the same bytes."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.model import OperationModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from compute_optimizer.api.protocols import CBOR, JSON, Encoding
from compute_optimizer.api.protocols.cbor_body import moment_from_cbor
from compute_optimizer.api.protocols.encodings import CBOR_OUTPUT, JSON_OUTPUT, compile_walks
from compute_optimizer.api.protocols.json_body import moment_from_json
from tests.wire.world import World, analyzed_world

AUTOMATION = "compute-optimizer-automation"

ENCODINGS = {
    ("compute-optimizer", "json"): JSON,
    ("compute-optimizer", "smithy-rpc-v2-cbor"): CBOR,
    (AUTOMATION, "json"): replace(
        JSON, walks=compile_walks(AUTOMATION, moment_from_json, JSON_OUTPUT)
    ),
    (AUTOMATION, "smithy-rpc-v2-cbor"): replace(
        CBOR, walks=compile_walks(AUTOMATION, moment_from_cbor, CBOR_OUTPUT)
    ),
}
"""By service and botocore's name of the protocol; the server itself speaks only the first two."""


class Botocore:
    """What a botocore client does with one protocol."""

    def __init__(self, protocol: str) -> None:
        self.protocol = protocol
        self._serializer = create_serializer(protocol, include_validation=False)
        self._parser = create_parser(protocol)

    def request(self, params: dict[str, Any], operation: OperationModel) -> dict[str, Any]:
        """The request that a client sends."""
        sent: dict[str, Any] = self._serializer.serialize_to_request(params, operation)
        return sent

    def response(
        self, status: int, headers: dict[str, str], body: bytes, operation: OperationModel
    ) -> dict[str, Any]:
        """The response as a client hands it to the program."""
        answer = {"status_code": status, "headers": headers, "body": body}
        parsed: dict[str, Any] = self._parser.parse(answer, operation.output_shape)
        code = parsed.get("Error", {}).get("Code")
        for shape in operation.error_shapes:
            if shape.name == code:  # as botocore.endpoint does
                parsed.update(self._parser.parse(answer, shape))
        return parsed

    def encoding(self, service: str) -> Encoding:
        """Our encoding of the same protocol."""
        return ENCODINGS[service, self.protocol]


@pytest.fixture(scope="session", params=["json", "smithy-rpc-v2-cbor"])
def botocore(request: pytest.FixtureRequest) -> Botocore:
    """Botocore as a client, once per protocol."""
    return Botocore(request.param)


@pytest.fixture(scope="session")
def world(kept_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The demo's organization, analyzed; its state is not to be changed but by exports."""
    folder = shutil.copytree(kept_demo, tmp_path_factory.mktemp("world") / "demo")
    with analyzed_world(folder) as made:
        yield made
