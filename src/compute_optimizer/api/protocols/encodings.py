"""The two encodings as records: what differs between them, and nothing else."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.model import ListShape, OperationModel, Shape, StructureShape
from msgspec import Raw

from compute_optimizer.api.protocols.cbor_body import (
    moment_from_cbor,
    moment_to_cbor,
    parse_cbor,
    render_cbor,
)
from compute_optimizer.api.protocols.cbor_output import cbor_writer
from compute_optimizer.api.protocols.input_walk import NotAsModelled, Reader, compile_reader
from compute_optimizer.api.protocols.json_body import moment_from_json, parse_json, render_json
from compute_optimizer.api.protocols.output_forms import json_writer
from compute_optimizer.api.protocols.output_walk import Writer, compile_writer, epoch_seconds
from compute_optimizer.shapes import ServiceException
from compute_optimizer.shapes.model import service_model

SERVED = "compute-optimizer"
"""The one service whose operations can be called; those of the automation service are unknown."""

RETRY_AFTER_MS = {429: 200, 503: 1000}
"""Milliseconds to wait by status where the error does not say: the public quota is 5 calls per
second and account, so a token comes back every 200 ms; a restarted store is given a second."""


Write = Callable[[Any], bytes]
"""Checks a value of an output shape and returns what goes over the wire; unset members are left
out. What the shape does not have is a defect and raises TypeError or ValueError."""


@dataclass(frozen=True, slots=True)
class Output:
    """How one protocol writes answers."""

    quick: Callable[[Shape, dict[str, Any]], Callable[[Any], bytes | None]]
    """From a shape to what writes values of it, or returns None to leave them to the walk. The
    second keeps what was made of shapes before, by their names."""
    moment: Writer
    """The walk's own writer of moments."""
    render: Write
    """Writes what the walk made."""


@dataclass(frozen=True, slots=True)
class OperationWalk:
    """The compiled shapes of one operation."""

    read: Reader
    """From a parsed body to the request."""
    write: Write
    """From the response to the body."""
    entries: Mapping[str, Write]
    """From an entry of a member that is a list of structures to its bytes in the body."""


def compile_walks(service: str, read_moment: Reader, output: Output) -> dict[str, OperationWalk]:
    """Return the walks of every operation of a service by its name."""
    model = service_model(service)
    readers: dict[str, Reader] = {}
    writer_of = _output_compiler(output)

    def compiled(operation: OperationModel) -> OperationWalk:
        answer = operation.output_shape
        return OperationWalk(
            compile_reader(operation.input_shape, read_moment, readers),
            writer_of(answer),
            {name: writer_of(shape) for name, shape in _entry_shapes(answer)},
        )

    return {name: compiled(model.operation_model(name)) for name in model.operation_names}


def _output_compiler(output: Output) -> Callable[[Shape], Write]:
    """Return what makes a function of an output shape that writes values of it."""
    quick: dict[str, Any] = {}
    walks: dict[str, Writer] = {}

    def compiled(shape: Shape) -> Write:
        write_quickly = output.quick(shape, quick)
        walk = compile_writer(shape, output.moment, walks)

        def write(value: Any) -> bytes:
            written = write_quickly(value)
            return output.render(walk(value)) if written is None else written

        return write

    return compiled


def _entry_shapes(output: StructureShape) -> Iterator[tuple[str, Shape]]:
    for name, shape in output.members.items():
        if isinstance(shape, ListShape) and isinstance(shape.member, StructureShape):
            yield name, shape.member


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """How one protocol writes requests and responses."""

    name: str
    content_type: str
    parse: Callable[[bytes], Any]
    render: Callable[[Any], bytes]
    walks: Mapping[str, OperationWalk]
    """By operation."""
    headers: Mapping[str, str]
    """Headers of every response."""
    names_error_in_header: bool
    """Whether x-amzn-ErrorType repeats the code (RPC v2 CBOR says that it should not)."""

    def decode(self, body: bytes, operation_name: str) -> dict[str, Any]:
        """Return the request of a body, valid by the service model.

        Raises SerializationException where it cannot be read and InvalidParameterValueException
        where a value breaks a constraint of the model.
        """
        tree = self.parse(body)
        try:
            request: dict[str, Any] = self.walks[operation_name].read(tree)
        except NotAsModelled as refused:
            raise refused.as_service_exception() from None
        return request

    def encode(self, response: Mapping[str, Any] | Raw, operation_name: str) -> bytes:
        """Return the body of a response, or of what stands for one that is written already."""
        if type(response) is Raw:
            return bytes(response)
        return self.walks[operation_name].write(response)

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


@cache
def entry_writer(encoding: Encoding, operation_name: str) -> Callable[[str, Any], Raw]:
    """Return what writes one entry of a list of the response before the whole is encoded.

    It takes the list's member and the entry, and returns what stands for it in the response.
    """
    entries = encoding.walks[operation_name].entries

    def write(member: str, entry: Any) -> Raw:
        return Raw(entries[member](entry))

    return write


@cache
def answer_writer(encoding: Encoding, operation_name: str) -> Callable[[Any], Raw]:
    """Return what writes a whole response, and returns what stands for it."""
    write = encoding.walks[operation_name].write
    return lambda response: Raw(write(response))


JSON_OUTPUT = Output(json_writer, epoch_seconds, render_json)
CBOR_OUTPUT = Output(cbor_writer, moment_to_cbor, render_cbor)

JSON = Encoding(
    name="json",
    content_type="application/x-amz-json-1.0",
    parse=parse_json,
    render=render_json,
    walks=compile_walks(SERVED, moment_from_json, JSON_OUTPUT),
    headers={"content-type": "application/x-amz-json-1.0"},
    names_error_in_header=True,
)

CBOR = Encoding(
    name="cbor",
    content_type="application/cbor",
    parse=parse_cbor,
    render=render_cbor,
    walks=compile_walks(SERVED, moment_from_cbor, CBOR_OUTPUT),
    headers={"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"},
    names_error_in_header=False,
)

ENCODINGS = (JSON, CBOR)
"""Every protocol that the server speaks."""
