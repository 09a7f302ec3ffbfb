"""Errors of the front door: one table; and which errors an operation may answer.

These come before any operation runs, so no operation of the model lists them.
Source of codes and statuses: the API reference's common errors, and for signatures what AWS's
services are seen to send.
"""

import logging
from dataclasses import dataclass

from compute_optimizer.errors import StoreUnavailable
from compute_optimizer.shapes import (
    InternalServerException,
    ServiceException,
    ServiceUnavailableException,
)
from compute_optimizer.shapes.model import NAMESPACES, modelled_errors

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FrontDoorError:
    """One row of the table."""

    code: str
    status: int
    message: str
    """What is said where the raiser has nothing better to say."""


UNRECOGNIZED_CLIENT = FrontDoorError(
    "UnrecognizedClientException", 403, "The security token included in the request is invalid."
)
INVALID_SIGNATURE = FrontDoorError(
    "InvalidSignatureException",
    403,
    "The request signature we calculated does not match the signature you provided. "
    "Check the secret access key and the signing method.",
)
INCOMPLETE_SIGNATURE = FrontDoorError(
    "IncompleteSignature",
    403,
    "The Authorization header is not a complete AWS4-HMAC-SHA256 signature.",
)
EXPIRED_TOKEN = FrontDoorError(
    "ExpiredTokenException", 403, "The security token included in the request is expired"
)
SERIALIZATION = FrontDoorError(
    "SerializationException", 400, "The body of the request cannot be read."
)
UNKNOWN_OPERATION = FrontDoorError("UnknownOperationException", 404, "The operation is unknown.")
MALFORMED_HTTP_REQUEST = FrontDoorError(
    "MalformedHttpRequestException", 400, "The HTTP request is malformed."
)
REQUEST_TIMEOUT = FrontDoorError(
    "RequestTimeoutException", 408, "The request did not arrive in time."
)
REQUEST_TOO_LARGE = FrontDoorError(
    "RequestEntityTooLargeException", 413, "The body of the request is too large."
)

FRONT_DOOR = (
    UNRECOGNIZED_CLIENT,
    INVALID_SIGNATURE,
    INCOMPLETE_SIGNATURE,
    EXPIRED_TOKEN,
    SERIALIZATION,
    UNKNOWN_OPERATION,
    MALFORMED_HTTP_REQUEST,
    REQUEST_TIMEOUT,
    REQUEST_TOO_LARGE,
)
"""The whole table. A 404 for unknown operations, because a 5xx would make SDKs try again."""

INVALID_IDENTITY = FrontDoorError(
    "InvalidIdentityToken", 400, "The presigned request cannot be used to sign in."
)
IDENTITY_REJECTED = FrontDoorError(
    "IDPRejectedClaim", 403, "STS did not accept the presigned request."
)
STS_SILENT = FrontDoorError("IDPCommunicationError", 503, "STS gave no usable answer. Try again.")
SIGN_IN_DENIED = FrontDoorError("AccessDeniedException", 403, "No rule lets this identity in.")
SIGN_IN_OFF = FrontDoorError(
    "UnknownOperationException",
    404,
    "Signing in is not set up here: the setting sign_in_names is empty, or auth is off.",
)
SIGN_IN_THROTTLED = FrontDoorError(
    "ThrottlingException", 429, "Too many are signing in. Try again."
)
SHUTTING_DOWN = FrontDoorError(
    "ServiceUnavailableException", 503, "The server is shutting down. Try again."
)

SIGN_IN = (
    INVALID_IDENTITY,
    IDENTITY_REJECTED,
    STS_SILENT,
    SIGN_IN_DENIED,
    SIGN_IN_OFF,
    SIGN_IN_THROTTLED,
    SHUTTING_DOWN,
)
"""What signing in answers beside. Codes as STS names them where it exchanges somebody else's token
(AWS STS API reference, AssumeRoleWithWebIdentity), so that people find them explained."""


class RequestRefused(ServiceException):
    """The front door turned the request away; raised with a row of the table."""

    fault = "client"

    def __init__(
        self, row: FrontDoorError, message: str | None = None, *, retry_after_ms: int | None = None
    ) -> None:
        super().__init__(row.message if message is None else message, retry_after_ms=retry_after_ms)
        self.code = row.code
        self.status = row.status
        self.shape_id = f"{NAMESPACES['compute-optimizer']}#{row.code}"


def answerable(error: Exception, operation_name: str) -> ServiceException:
    """Return the error that a client may be shown: of the front door, or listed by the operation.

    An unreachable store is ServiceUnavailableException; anything else is a defect and becomes
    InternalServerException without its text. Typed SDKs know only the errors that the model lists
    for the operation, so a modelled error elsewhere is a defect, too.
    """
    if isinstance(error, RequestRefused):
        return error
    if isinstance(error, ServiceException) and error.code in modelled_errors(operation_name):
        return error
    if isinstance(error, StoreUnavailable):
        return ServiceUnavailableException("The service cannot reach its store. Try again.")
    return InternalServerException("An internal error occurred.")


def log_hidden(error: Exception, request_id: str) -> None:
    """Log why a request failed that a client is not told; only defects with their traceback."""
    if isinstance(error, StoreUnavailable):
        log.error("request %s failed: %s", request_id, error)
    else:
        log.error("request %s failed", request_id, exc_info=error)
