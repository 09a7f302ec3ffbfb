"""The base of every error that a client reads; the classes of the model are generated."""

from typing import Literal


class ServiceException(Exception):
    """An error in the shape that clients read: a code, an HTTP status and a message."""

    code: str
    """Name of the error shape, which SDKs turn into their exception class."""
    status: int
    """HTTP status, from the model."""
    shape_id: str
    """The code with its namespace, as it stands in `__type`."""
    fault: Literal["client", "server"]

    def __init__(self, message: str = "", *, retry_after_ms: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_ms = retry_after_ms
        """When trying again may help, in milliseconds; None leaves it to the status."""
