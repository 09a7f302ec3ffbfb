"""Faults: what shall go wrong, and for which calls; `injection` acts on these decisions.

throttle("GetEnrollmentStatus", times=2)
drop(when="middle", every=3)
partial_errors("GetEC2InstanceRecommendations", [arn])
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Literal, TypedDict, Unpack

from compute_optimizer import shapes
from compute_optimizer.api.errors import EXPIRED_TOKEN, FRONT_DOOR, RequestRefused
from compute_optimizer.emulator.partial_answers import CODES, RecommendationError, can_be_partial
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.account import ACCOUNT_ID, check_account_id
from compute_optimizer.model.enrollment import ROLE_FAILED, TRUSTED_ACCESS_FAILED
from compute_optimizer.operations import OPERATIONS
from compute_optimizer.operations.access import OPT_IN_REQUIRED
from compute_optimizer.shapes import ServiceException
from compute_optimizer.shapes.model import modelled_errors

LONGEST_WAIT_SECONDS = 3600.0
"""Longest slow answer: far beyond the minute after which SDKs give up by default."""

PROXY_PAGE = "<html><head><title>Gateway</title></head><body>Please sign in.</body></html>"
"""What a proxy answers in the place of the service."""

FRONT_DOOR_ERRORS = {row.code: row for row in FRONT_DOOR}
"""By code; no operation lists them and every one may be answered with them."""

MESSAGES = {
    "ThrottlingException": "Rate exceeded",
    "InternalServerException": "An internal error occurred.",
    "ServiceUnavailableException": "The service is temporarily unavailable. Try again.",
    "OptInRequiredException": OPT_IN_REQUIRED,
    "LimitExceededException": "An export job for this resource type is already in progress.",
    "MissingAuthenticationToken": "Missing Authentication Token",
    "InvalidParameterValueException": "A parameter of the request is not valid.",
    "ResourceNotFoundException": "The resource does not exist.",
    "AccessDeniedException": "You do not have sufficient access to perform this action.",
}
"""Texts where none is given (spec 11.1 and 11.3)."""

FAILURES = (ROLE_FAILED, TRUSTED_ACCESS_FAILED)
"""Every reason of Failed that the service has."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The call is answered with an error, and the operation does nothing."""

    code: str
    message: str
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Delay:
    """The call takes longer, by the machine's clock."""

    seconds: float
    when: Literal["before", "after"]
    """Before the operation does anything, or once it is done."""


@dataclass(frozen=True, slots=True)
class Loss:
    """The connection breaks."""

    when: Literal["before", "after", "middle", "short"]
    """Before the operation does anything, once it is done, or in the middle of its answer: by a
    reset, or, short, by an end that looks like that of the answer."""


@dataclass(frozen=True, slots=True)
class Garbling:
    """Another body stands in the place of the answer's; the operation is done."""

    body: str
    status: int


@dataclass(frozen=True, slots=True)
class Partial:
    """Some resources have an error in the place of a recommendation."""

    errors: tuple[RecommendationError, ...]


@dataclass(frozen=True, slots=True)
class StaysPending:
    """An enrollment that is Pending is never decided."""


@dataclass(frozen=True, slots=True)
class Failing:
    """An enrollment that is decided becomes Failed."""

    reason: str


Effect = Refusal | Delay | Loss | Garbling | Partial | StaysPending | Failing

OF_ENROLLMENT = (StaysPending, Failing)
"""Effects on what happens between calls, not on calls."""


class Chosen(TypedDict, total=False):
    """Which calls a fault meets; all where nothing is said."""

    account: str
    """Of the caller."""
    region: str
    times: int
    """How many calls it meets at most; a retry is a call."""
    after: int
    """How many fitting calls pass first."""
    every: int
    """From then on it meets every so many-th."""
    probability: float
    """Above 0, up to 1."""
    seed: int
    """Of the draws; the same seed draws the same for the same order of calls."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong, and for which calls; the rest as in `Chosen`."""

    kind: str
    effect: Effect
    operation: str | None = None
    """None for all."""
    account: str | None = None
    region: str | None = None
    times: int | None = None
    after: int = 0
    every: int = 1
    probability: float = 1.0
    seed: int = 0


def fits(fault: Fault, operation: str, account_id: str, region: str) -> bool:
    """Return whether a fault may meet a call at all; counts and chance decide afterwards."""
    return (
        fault.operation in (None, operation)
        and fault.account in (None, account_id)
        and fault.region in (None, region)
        and _possible(fault.effect, operation)
    )


def fires(fault: Fault, nth: int, met: int, draw: float) -> bool:
    """Return whether a fault meets the nth call that fits, from 1, having met some before.

    `draw` is a random number from 0 to below 1.
    """
    return (
        (fault.times is None or met < fault.times)
        and nth > fault.after
        and (nth - fault.after) % fault.every == 0
        and draw < fault.probability
    )


def exception(refusal: Refusal) -> ServiceException:
    """Return the error that a refusal answers."""
    wait = refusal.retry_after_ms
    if row := FRONT_DOOR_ERRORS.get(refusal.code):
        return RequestRefused(row, refusal.message or None, retry_after_ms=wait)
    made: ServiceException = getattr(shapes, refusal.code)(refusal.message, retry_after_ms=wait)
    return made


def error(
    code: str,
    operation: str | None = None,
    *,
    message: str | None = None,
    retry_after: float | None = None,
    **chosen: Unpack[Chosen],
) -> Fault:
    """Answer with an error: one that the operation lists, or one of the front door.

    `retry_after` is in seconds; SDKs are told it with ThrottlingException and
    ServiceUnavailableException. Without an operation it meets those that list the error. Raises
    InvalidInput where none does.
    """
    _check_listed(_text("code", code), operation)
    row = FRONT_DOOR_ERRORS.get(code)
    text = message if message is not None else (row.message if row else MESSAGES[code])
    wait = None if retry_after is None else round(_seconds("retry_after", retry_after) * 1000)
    return _fault("error", Refusal(code, _text("message", text), wait), operation, chosen)


def throttle(
    operation: str | None = None, *, retry_after: float | None = None, **chosen: Unpack[Chosen]
) -> Fault:
    """Answer ThrottlingException; `retry_after` is in seconds."""
    made = error("ThrottlingException", operation, retry_after=retry_after, **chosen)
    return replace(made, kind="throttle")


def expired_token(operation: str | None = None, **chosen: Unpack[Chosen]) -> Fault:
    """Answer that the session of the caller's credentials is over."""
    return replace(error(EXPIRED_TOKEN.code, operation, **chosen), kind="expired_token")


def slow(
    operation: str | None = None,
    *,
    seconds: float,
    when: Literal["before", "after"] = "before",
    **chosen: Unpack[Chosen],
) -> Fault:
    """Answer late, by the machine's clock; the operation is done after or before the wait."""
    _check_one_of("when", when, ("before", "after"))
    return _fault("slow", Delay(_seconds("seconds", seconds), when), operation, chosen)


def drop(
    operation: str | None = None,
    *,
    when: Literal["before", "after", "middle"] = "before",
    **chosen: Unpack[Chosen],
) -> Fault:
    """Break the connection: before the operation, after it, or in the middle of its answer."""
    _check_one_of("when", when, ("before", "after", "middle"))
    return _fault("drop", Loss(when), operation, chosen)


def truncate(operation: str | None = None, **chosen: Unpack[Chosen]) -> Fault:
    """End the connection in the middle of the answer, as a server that dies does.

    boto3 does not look at the length and takes half a body of JSON for an answer without members.
    """
    return _fault("truncate", Loss("short"), operation, chosen)


def garble(
    operation: str | None = None,
    *,
    body: str = PROXY_PAGE,
    status: int = 200,
    **chosen: Unpack[Chosen],
) -> Fault:
    """Answer something that is no answer, such as the page of a proxy; the operation is done."""
    if not _is_whole(status) or not 200 <= status <= 599:
        raise InvalidInput(f"status is {status!r}; expected a status of HTTP from 200 to 599")
    return _fault("garble", Garbling(_text("body", body), status), operation, chosen)


def partial_errors(
    operation: str | None,
    identifiers: Collection[str],
    *,
    code: str = "INSUFFICIENT_METRIC_DATA",
    message: str | None = None,
    **chosen: Unpack[Chosen],
) -> Fault:
    """Answer errors[] in the place of recommendations, for ARNs or whole accounts.

    The service publishes neither codes nor texts; a code without a text here needs a message.
    Raises InvalidInput for an operation whose answer has no errors[].
    """
    if operation is not None and not can_be_partial(_check_operation(operation)):
        able = ", ".join(name for name in OPERATIONS if can_be_partial(name))
        raise InvalidInput(f"the answer of {operation} has no errors[]; those of {able} have")
    if message is None and _text("code", code) not in CODES:
        raise InvalidInput(f"code {code!r} needs a message; known are {', '.join(CODES)}")
    if not isinstance(identifiers, list | tuple | set | frozenset) or not identifiers:
        raise InvalidInput(f"identifiers is {identifiers!r}; expected a list of ARNs or accounts")
    text = CODES[code] if message is None else _text("message", message)
    errors = tuple(RecommendationError(_identifier(one), code, text) for one in identifiers)
    return _fault("partial_errors", Partial(errors), operation, chosen)


def pending(account: str | None = None) -> Fault:
    """Leave an enrollment Pending, that of one account or of all, until the fault is removed."""
    return Fault("pending", StaysPending(), account=_account(account))


def failed(account: str | None = None, *, reason: str = ROLE_FAILED) -> Fault:
    """Let an enrollment become Failed when it is decided, for one of the service's reasons.

    Without an account, that of the emulator. Trusted access fails for the whole organization of the
    account, and only while it is off.
    """
    _check_one_of("reason", reason, FAILURES)
    return Fault("failed", Failing(reason), account=_account(account))


def _fault(kind: str, effect: Effect, operation: str | None, chosen: Chosen) -> Fault:
    if operation is not None:
        _check_operation(operation)
    for name, least in (("times", 1), ("after", 0), ("every", 1), ("seed", None)):
        value: Any = chosen.get(name)
        if name in chosen and (not _is_whole(value) or (least is not None and value < least)):
            smallest = "" if least is None else f" from {least} on"
            raise InvalidInput(f"{name} is {value!r}; expected a whole number{smallest}")
    _check_probability(chosen.get("probability", 1.0))
    _account(chosen.get("account"))
    _text("region", chosen.get("region", ""))
    return Fault(kind, effect, operation, **chosen)


def _check_probability(value: Any) -> None:
    if not _is_number(value) or not 0 < value <= 1:
        raise InvalidInput(f"probability is {value!r}; expected a number above 0, up to 1")


def _check_operation(name: str) -> str:
    if not isinstance(name, str) or name not in OPERATIONS:
        near = get_close_matches(str(name), OPERATIONS, 1) or ["such as GetEnrollmentStatus"]
        raise InvalidInput(f"there is no operation {name!r}; did you mean {near[0]}?")
    return name


def _check_listed(code: str, operation: str | None) -> None:
    if code in FRONT_DOOR_ERRORS:
        return
    known = sorted(MESSAGES)
    if code not in MESSAGES:
        raise InvalidInput(
            f"the service has no error {code!r}; expected one of "
            f"{', '.join((*known, *FRONT_DOOR_ERRORS))}"
        )
    if operation is not None and code not in modelled_errors(_check_operation(operation)):
        listed = ", ".join(sorted(modelled_errors(operation)))
        raise InvalidInput(f"{operation} never answers {code}; it lists {listed}")


def _check_one_of(name: str, value: str, allowed: Collection[str]) -> None:
    if value not in allowed:
        raise InvalidInput(f"{name} is {value!r}; expected one of {', '.join(allowed)}")


def _possible(effect: Effect, operation: str) -> bool:
    if isinstance(effect, Refusal):
        return effect.code in FRONT_DOOR_ERRORS or effect.code in modelled_errors(operation)
    if isinstance(effect, Partial):
        return can_be_partial(operation)
    return not isinstance(effect, OF_ENROLLMENT)


def _account(value: str | None) -> str | None:
    return value if value is None else check_account_id(_text("account", value))


def _identifier(value: str) -> str:
    if not _text("identifiers", value).startswith("arn:") and not ACCOUNT_ID.fullmatch(value):
        raise InvalidInput(f"identifiers has {value!r}; expected an ARN or an account id")
    return value


def _seconds(name: str, value: Any) -> float:
    if not _is_number(value) or not 0 <= value <= LONGEST_WAIT_SECONDS:
        raise InvalidInput(
            f"{name} is {value!r}; expected seconds from 0 to {LONGEST_WAIT_SECONDS:g}"
        )
    return float(value)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{name} has {value!r}; expected text")
    return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
