"""The errors that this program raises on purpose.

ComputeOptimizerError
├── InvalidInput       a file, setting or argument that the user can correct
├── NotFound           something named by the user does not exist
├── Conflict           the request contradicts the present state
├── SourceUnavailable  a source of metrics cannot be read; its other accounts may well be
└── StoreUnavailable   the state store cannot be reached; trying again may help
    └── ConnectionLost   of one that was there: the same is worth another try in a moment

The command line prints the message and ends with the class's exit code; the API maps
StoreUnavailable to ServiceUnavailableException. Errors of the wire live in `shapes` and `api`.
"""


class ComputeOptimizerError(Exception):
    """Base of every error that this program raises on purpose; its text is meant for people."""

    exit_code = 1


class InvalidInput(ComputeOptimizerError):
    """The user's input is wrong; the message names it, what was expected and what to do."""

    exit_code = 2


class NotFound(ComputeOptimizerError):
    """Something that the user named does not exist."""

    exit_code = 3


class Conflict(ComputeOptimizerError):
    """The request contradicts the present state."""

    exit_code = 4


class StoreUnavailable(ComputeOptimizerError):
    """The state store cannot be reached or is locked for too long."""

    exit_code = 5


class ConnectionLost(StoreUnavailable):
    """The connection to the state store was lost or refused, as while it starts again."""


class SourceUnavailable(ComputeOptimizerError):
    """A source of metrics refuses or does not answer; the message names the account and call."""

    exit_code = 6
