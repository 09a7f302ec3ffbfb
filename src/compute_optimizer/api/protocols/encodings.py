"""The two encodings as records: what differs between them, and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from compute_optimizer.api.protocols.cbor_body import (
    moment_from_cbor,
    moment_to_cbor,
    parse_cbor,
    render_cbor,
)
from compute_optimizer.api.protocols.input_walk import NotAsModelled, Reader, compile_reader
from compute_optimizer.api.protocols.json_body import moment_from_json, parse_json, render_json
from compute_optimizer.api.protocols.output_walk import Writer, compile_writer, epoch_seconds
from compute_optimizer.shapes import ServiceException
from compute_optimizer.shapes.model import service_model

RETRY_AFTER_MS = {429: 200, 503: 1000}
"""Milliseconds to wait by status where the error does not say: the public quota is 5 calls per
second and account, so a token comes back every 200 ms; a restarted store is given a second."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one protocol writes requests and responses."""

    name: str
    content_type: str
    parse: Callable[[bytes], Any]
    render: Callable[[Any], bytes]
    read_moment: Reader
    write_moment: Writer
    headers: Mapping[str, str]
    """Headers of every response."""
    names_error_in_header: bool
    """Whether x-amzn-ErrorType repeats the code (RPC v2 CBOR says that it should not)."""
    _readers: dict[tuple[str, str], Reader] = field(default_factory=dict, compare=False)
    _writers: dict[tuple[str, str], Writer] = field(default_factory=dict, compare=False)

    def decode(
        self, body: bytes, operation_name: str, service: str = "compute-optimizer"
    ) -> dict[str, Any]:
        """Return the request of a body, valid by the service model.

        Raises SerializationException where it cannot be read and InvalidParameterValueException
        where a value breaks a constraint of the model.
        """
        tree = self.parse(body)
        try:
            request: dict[str, Any] = self._readers[service, operation_name](tree)
        except NotAsModelled as refused:
            raise refused.as_service_exception() from None
        return request

    def encode(
        self, response: Mapping[str, Any], operation_name: str, service: str = "compute-optimizer"
    ) -> bytes:
        """Return the body of a response; unset members are left out."""
        return self.render(self._writers[service, operation_name](response))

    def encode_error(self, error: ServiceException) -> bytes:
        """Return the body that every client turns into its exception."""
        return self.render({"__type": error.shape_id, "message": error.message})

    def error_headers(self, error: ServiceException) -> dict[str, str]:
        """Return the headers of an error's response."""
        headers = dict(self.headers)
        if self.names_error_in_header:
            headers["x-amzn-ErrorType"] = error.code
        wait = RETRY_AFTER_MS.get(error.status)
        if wait is not None:
            given = error.retry_after_ms
            headers["x-amz-retry-after"] = str(wait if given is None else given)
        return headers

    def compile(self, service: str) -> None:
        """Compile the shapes of every operation of a service, once, at start."""
        model = service_model(service)
        readers: dict[str, Reader] = {}
        writers: dict[str, Writer] = {}
        for name in model.operation_names:
            operation = model.operation_model(name)
            reader = compile_reader(operation.input_shape, self.read_moment, readers)
            writer = compile_writer(operation.output_shape, self.write_moment, writers)
            self._readers[service, name] = reader
            self._writers[service, name] = writer


JSON = Encoding(
    name="json",
    content_type="application/x-amz-json-1.0",
    parse=parse_json,
    render=render_json,
    read_moment=moment_from_json,
    write_moment=epoch_seconds,
    headers={"content-type": "application/x-amz-json-1.0"},
    names_error_in_header=True,
)

CBOR = Encoding(
    name="cbor",
    content_type="application/cbor",
    parse=parse_cbor,
    render=render_cbor,
    read_moment=moment_from_cbor,
    write_moment=moment_to_cbor,
    headers={"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"},
    names_error_in_header=False,
)

ENCODINGS = (JSON, CBOR)
"""Every protocol that the server speaks."""

for _encoding in ENCODINGS:
    _encoding.compile("compute-optimizer")
