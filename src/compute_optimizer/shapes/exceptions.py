"""The base of every error that a client reads; the classes of the model are generated."""

from typing import ClassVar, Literal


class ServiceException(Exception):
    """An error in the shape that clients read: a code, an HTTP status and a message."""

    code: ClassVar[str]
    """Name of the error shape, which SDKs turn into their exception class."""
    status: ClassVar[int]
    """HTTP status, from the model."""
    shape_id: ClassVar[str]
    """The code with its namespace, as it stands in `__type`."""
    fault: ClassVar[Literal["client", "server"]]

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message
