"""A form that was refused: shown again with what was entered, and the reason where it belongs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from compute_optimizer.console.messages import Request, Values
from compute_optimizer.errors import (
    ComputeOptimizerError,
    Conflict,
    InvalidInput,
    NotFound,
    StoreUnavailable,
)
from compute_optimizer.shapes import OptInRequiredException, ServiceException

STATUSES = {NotFound: 404, InvalidInput: 400, Conflict: 409, StoreUnavailable: 503}
"""Of this program's own errors (RFC 9110)."""


@dataclass(frozen=True, slots=True)
class Entered:
    """What stands in a form: nothing at first, and what somebody sent when it was refused."""

    values: Values = field(default_factory=dict)
    problem: str = ""
    """Why it was refused; empty where it was not."""
    at: str = ""
    """The field that the problem is about; empty for the whole form."""
    status: int = 200

    def value(self, name: str, usual: str = "") -> str:
        """Return what a field holds."""
        return self.values[name][0] if self.values.get(name) else "" if self.values else usual

    def has(self, name: str, value: str) -> bool:
        """Return whether a box or a choice is taken."""
        return value in self.values.get(name, ())


FRESH = Entered()


def refused(request: Request, error: Exception, fields: Mapping[str, str]) -> Entered:
    """Return the form as it was sent, with what is wrong with it.

    `fields` tells which field a word of the message is about; the first word in it counts. Raises
    the error again where no other entry would help.
    """
    status = _status(error)
    if status is None:
        raise error
    text = str(error)
    places = [(text.index(word), name) for word, name in fields.items() if word in text]
    return Entered(request.form, text, min(places)[1] if places else "", status)


def _status(error: Exception) -> int | None:
    """Return the HTTP status of what somebody can mend in the form; None for all else."""
    if isinstance(error, ServiceException):
        is_form = error.status < 500 and not isinstance(error, OptInRequiredException)
        return error.status if is_form else None
    if isinstance(error, ComputeOptimizerError):
        status = STATUSES.get(type(error), 500)
        return status if status < 500 else None
    return None
