"""Page tokens: opaque, tamper-evident, bound to the request that they continue, good for a day."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select

from compute_optimizer.operations.context import Context
from compute_optimizer.shapes import InvalidParameterValueException
from compute_optimizer.store.schema import sealing_keys

TOKEN_LIFETIME = timedelta(hours=24)
"""How long a token may be used (spec 8.2; the service publishes no figure)."""

SEAL_BYTES = 16
"""Length kept of the SHA-256 seal: 128 bits."""

NOT_VALID = "The nextToken is not valid for this request; repeat the request without it."
EXPIRED = "The nextToken has expired; repeat the request without it."


def seal_token(context: Context, operation: str, bound: Mapping[str, Any], position: str) -> str:
    """Return the token that continues after `position` in the same request of the same account.

    `bound` holds what must not change between pages, such as the filters, as JSON values.
    """
    expires = (context.clock.now() + TOKEN_LIFETIME).timestamp()
    body = json.dumps([expires, position], separators=(",", ":")).encode()
    return urlsafe_b64encode(_seal(context, operation, bound, body) + body).decode()


def open_token(context: Context, operation: str, bound: Mapping[str, Any], token: str) -> str:
    """Return the position that a token continues after.

    Raises InvalidParameterValueException when the token was not made for this operation, account,
    Region and `bound` by this installation, or is older than a day.
    """
    try:
        raw = urlsafe_b64decode(token)
    except ValueError:
        raise InvalidParameterValueException(NOT_VALID) from None
    if urlsafe_b64encode(raw).decode() != token:
        # Decoders pass over what is no digit, and take other digits and signs for the same.
        raise InvalidParameterValueException(NOT_VALID)
    seal, body = raw[:SEAL_BYTES], raw[SEAL_BYTES:]
    if not hmac.compare_digest(seal, _seal(context, operation, bound, body)):
        raise InvalidParameterValueException(NOT_VALID)
    expires, position = json.loads(body)
    if context.clock.now().timestamp() >= expires:
        raise InvalidParameterValueException(EXPIRED)
    return str(position)


def _seal(context: Context, operation: str, bound: Mapping[str, Any], body: bytes) -> bytes:
    key = context.state.remembered("page token key", _read_key)
    request = json.dumps([operation, context.account_id, context.region, bound], sort_keys=True)
    return hmac.digest(key, request.encode() + b"\0" + body, "sha256")[:SEAL_BYTES]


def _read_key(connection: Connection) -> bytes:
    statement = select(sealing_keys.c.key).where(sealing_keys.c.purpose == "page tokens")
    return bytes(connection.execute(statement).scalar_one())
