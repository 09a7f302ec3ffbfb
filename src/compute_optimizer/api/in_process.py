"""Operations for callers who are known already: pages of this program, which sign nothing.

All that holds for signed calls holds for these: policies, limits and the audit log.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from compute_optimizer.api.audit import SUCCESS
from compute_optimizer.api.authentication import Caller
from compute_optimizer.api.authorization import Decision, decide
from compute_optimizer.api.dispatch import (
    FrontDoor,
    check_allowed,
    check_rate,
    context_of,
    new_request_id,
    record_known,
)
from compute_optimizer.api.errors import answerable, log_hidden
from compute_optimizer.shapes import ThrottlingException

SIGNING_NAME = "compute-optimizer"
"""Of the service, and so the prefix of its actions."""


def perform(
    door: FrontDoor, caller: Caller, source: str, name: str, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Return the response of an operation; `parameters` are valid by the service model.

    Raises what the operation may answer, as signed calls are answered.
    """
    request_id = new_request_id()
    with _recorded(door, caller, source, request_id, name, parameters):
        _check(door, caller, name)
        return door.operations[name](context_of(door, caller, request_id), parameters)


def permit(door: FrontDoor, caller: Caller, source: str, name: str) -> None:
    """Raise AccessDeniedException or ThrottlingException where the caller may not call it now.

    For those who read the same data in another way; it stands in the audit log as a call does.
    """
    with _recorded(door, caller, source, new_request_id(), name, {}):
        _check(door, caller, name)


@contextmanager
def guarded(
    door: FrontDoor,
    caller: Caller,
    source: str,
    name: str,
    recorded: str,
    parameters: dict[str, Any],
) -> Iterator[None]:
    """Run the block for a caller who may call an operation now, which it does not call.

    Its audit line has the name `recorded`, the parameters, and the code or the kind of the error
    that ended it. Raises AccessDeniedException and ThrottlingException before the block.
    """
    request_id = new_request_id()
    try:
        _check(door, caller, name)
        yield
    except Exception as error:
        if not isinstance(error, ThrottlingException):
            code = getattr(error, "code", type(error).__name__)
            record_known(door, caller, source, request_id, recorded, code, parameters)
        raise
    record_known(door, caller, source, request_id, recorded, SUCCESS, parameters)


def _check(door: FrontDoor, caller: Caller, name: str) -> None:
    check_rate(door, caller, door.clock.now())
    check_allowed(caller, f"{SIGNING_NAME}:{name}")


@contextmanager
def _recorded(
    door: FrontDoor,
    caller: Caller,
    source: str,
    request_id: str,
    name: str,
    parameters: dict[str, Any],
) -> Iterator[None]:
    """Write the audit line of what is done in the block; raise what a client may be shown."""
    try:
        yield
    except Exception as error:
        shown = answerable(error, name)
        if shown is not error:
            log_hidden(error, request_id)
        if not isinstance(shown, ThrottlingException):
            record_known(door, caller, source, request_id, name, shown.code, parameters)
        raise shown from error
    record_known(door, caller, source, request_id, name, SUCCESS, parameters)


def may(caller: Caller, name: str) -> bool:
    """Return whether the caller's policy allows an operation."""
    if caller.policy is None:
        return True
    return decide(caller.policy, f"{SIGNING_NAME}:{name}") is Decision.ALLOWED
