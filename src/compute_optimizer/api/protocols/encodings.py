"""The two encodings as records: what differs between them, and nothing else."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import ListShape, OperationModel, Shape, StructureShape
from msgspec import Raw

from compute_optimizer.api.protocols.cbor_body import (
    moment_from_cbor,
    moment_to_cbor,
    parse_cbor,
    render_cbor,
)
from compute_optimizer.api.protocols.input_walk import NotAsModelled, Reader, compile_reader
from compute_optimizer.api.protocols.json_body import moment_from_json, parse_json, render_json
from compute_optimizer.api.protocols.output_forms import Form, compile_form, written
from compute_optimizer.api.protocols.output_walk import Writer, compile_writer, epoch_seconds
from compute_optimizer.shapes import ServiceException
from compute_optimizer.shapes.model import service_model

SERVED = "compute-optimizer"
"""The one service whose operations can be called; those of the automation service are unknown."""

RETRY_AFTER_MS = {429: 200, 503: 1000}
"""Milliseconds to wait by status where the error does not say: the public quota is 5 calls per
second and account, so a token comes back every 200 ms; a restarted store is given a second."""


@dataclass(frozen=True, slots=True)
class OperationWalk:
    """The compiled shapes of one operation."""

    read: Reader
    """From a parsed body to the request."""
    write: Writer
    """From the response to the tree that is rendered."""
    form: Form
    """What JSON is written of at once, where the response has no more than that."""
    entries: Mapping[str, Form]
    """The same of the entries of each member that is a list of structures."""


def compile_walks(
    service: str, read_moment: Reader, write_moment: Writer
) -> dict[str, OperationWalk]:
    """Return the walks of every operation of a service by its name."""
    model = service_model(service)
    readers: dict[str, Reader] = {}
    writers: dict[str, Writer] = {}
    forms: dict[str, Form] = {}

    def compiled(operation: OperationModel) -> OperationWalk:
        output = operation.output_shape
        return OperationWalk(
            compile_reader(operation.input_shape, read_moment, readers),
            compile_writer(output, write_moment, writers),
            compile_form(output, forms),
            {name: compile_form(shape, forms) for name, shape in _entry_shapes(output)},
        )

    return {name: compiled(model.operation_model(name)) for name in model.operation_names}


def _entry_shapes(output: StructureShape) -> Iterator[tuple[str, Shape]]:
    for name, shape in output.members.items():
        if isinstance(shape, ListShape) and isinstance(shape.member, StructureShape):
            yield name, shape.member


@dataclass(frozen=True, slots=True)
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
    write_form: Callable[[Any, Form], bytes | None] | None
    """Renders at once what a form takes; None where the protocol has no such way."""
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

    def encode(self, response: Mapping[str, Any], operation_name: str) -> bytes:
        """Return the body of a response; unset members are left out."""
        walk = self.walks[operation_name]
        if self.write_form and (body := self.write_form(response, walk.form)) is not None:
            return body
        return self.render(walk.write(response))

    def entry_writer(self, operation_name: str) -> Callable[[str, Any], Any] | None:
        """Return what writes one entry of a list of the response before the whole is encoded.

        It takes the list's member and the entry, and returns what stands for it in the response.
        None where that would gain nothing.
        """
        write, entries = self.write_form, self.walks[operation_name].entries
        if write is None:
            return None

        def stand_in(member: str, entry: Any) -> Any:
            body = write(entry, entries[member])
            return entry if body is None else Raw(body)

        return stand_in

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


JSON = Encoding(
    name="json",
    content_type="application/x-amz-json-1.0",
    parse=parse_json,
    render=render_json,
    walks=compile_walks(SERVED, moment_from_json, epoch_seconds),
    headers={"content-type": "application/x-amz-json-1.0"},
    write_form=written,
    names_error_in_header=True,
)

CBOR = Encoding(
    name="cbor",
    content_type="application/cbor",
    parse=parse_cbor,
    render=render_cbor,
    walks=compile_walks(SERVED, moment_from_cbor, moment_to_cbor),
    headers={"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"},
    write_form=None,
    names_error_in_header=False,
)

ENCODINGS = (JSON, CBOR)
"""Every protocol that the server speaks."""
