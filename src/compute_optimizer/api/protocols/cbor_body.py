"""Smithy RPC v2 CBOR bodies: bytes to a tree and back."""

from collections import defaultdict
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import cbor2
from msgspec import Raw

from compute_optimizer.api.errors import SERIALIZATION, RequestRefused
from compute_optimizer.api.protocols.input_walk import MAX_DEPTH, NotAsModelled, finite
from compute_optimizer.api.protocols.output_walk import epoch_seconds

EPOCH_TAG = 1
"""The only tag of the protocol: seconds since 1970 (RFC 8949, 3.4.2)."""


def parse_cbor(body: bytes) -> Any:
    """Return the tree of a body; an empty body counts as an empty structure.

    Lengths may be indefinite and floats of any width. Raises SerializationException for malformed
    bytes, bytes after the end, a name that occurs twice, nesting beyond MAX_DEPTH and every tag but
    that of timestamps (so no big numbers, shared references or regular expressions).
    """
    if not body:
        return {}
    stream = BytesIO(body)
    decoder = cbor2.CBORDecoder(
        stream,
        semantic_decoders=_TAGS,
        max_depth=MAX_DEPTH,
        allow_duplicate_keys=False,
        strict_hashable_types=True,
    )
    try:
        tree = decoder.decode()
    except cbor2.CBORDecodeError as error:
        reason = error.__cause__ or error
        raise RequestRefused(SERIALIZATION, f"The body is not valid CBOR: {reason}") from None
    if stream.tell() != len(body):
        raise RequestRefused(SERIALIZATION, "The body is not valid CBOR: bytes follow its end")
    return tree


def render_cbor(tree: Any) -> bytes:
    """Return the CBOR of a tree, with definite lengths."""
    return cbor2.dumps(tree, default=_written)


def moment_from_cbor(value: Any) -> datetime:
    """Return a moment; the parser made one of each tagged number."""
    if not isinstance(value, datetime):
        raise NotAsModelled("expected seconds since 1970 under CBOR tag 1", value, malformed=True)
    return value


def moment_to_cbor(value: datetime | float) -> cbor2.CBORTag:
    """Return a moment as a tagged number."""
    return cbor2.CBORTag(EPOCH_TAG, epoch_seconds(value))


def _moment(value: Any, _immutable: bool) -> datetime:
    try:
        return datetime.fromtimestamp(finite(value), UTC)
    except (NotAsModelled, OverflowError, ValueError, OSError):
        raise ValueError("tag 1 needs a number of seconds since 1970") from None


def _written(encoder: cbor2.CBOREncoder, value: Any) -> None:
    if not isinstance(value, Raw):
        raise cbor2.CBOREncodeTypeError(f"{type(value).__name__} has no place in CBOR")
    encoder.write(bytes(value))


def _refuse_tag(_value: Any, _immutable: bool) -> Any:
    raise ValueError("the only tag of the protocol is 1, for timestamps")


_TAGS: defaultdict[int, Any] = defaultdict(lambda: _refuse_tag, {EPOCH_TAG: _moment})
