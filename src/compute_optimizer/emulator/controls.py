"""What a program that is no Python may have an emulator do: JSON in, JSON out, one row for each."""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from compute_optimizer.emulator import faults
from compute_optimizer.emulator.calls import RecordedCall
from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.emulator.injection import Injected
from compute_optimizer.emulator.reset import reset
from compute_optimizer.errors import InvalidInput
from compute_optimizer.store.accounts import list_rosters

Members = Mapping[str, Any]
"""The members of a body, or of a query string."""

Act = Callable[[Emulator, Members], Any]
"""Does it and returns what is told, as JSON but for moments; raises InvalidInput."""

KINDS: Mapping[str, Callable[..., faults.Fault]] = {
    "error": faults.error,
    "throttle": faults.throttle,
    "expired_token": faults.expired_token,
    "slow": faults.slow,
    "drop": faults.drop,
    "truncate": faults.truncate,
    "garble": faults.garble,
    "partial_errors": faults.partial_errors,
    "pending": faults.pending,
    "failed": faults.failed,
}
"""Faults by the name of what makes them."""

SPANS = ("days", "hours", "minutes", "seconds", "milliseconds")
"""Parts of a time that the clock is moved by."""


@dataclass(frozen=True, slots=True)
class Control:
    """One row of the table."""

    method: str
    path: str
    """Below the control endpoint."""
    act: Act
    about: str
    members: tuple[str, ...] | None = ()
    """What a body or a query may say; None where it depends, and `act` looks."""


def read_state(running: Emulator, asked: Members) -> Any:
    """Tell of the accounts and of the clock."""
    with running.application.state.reading() as connection:
        rosters = list_rosters(connection)
    return {
        "url": running.url,
        "account": running.account_id,
        "clock": read_clock(running, {}),
        "accounts": [
            {
                "account": one.account_id,
                "organization": one.organization_id,
                "status": roster.enrollments[one.account_id].status,
                "status_reason": roster.enrollments[one.account_id].status_reason,
            }
            for roster in rosters
            for one in roster.accounts.values()
        ],
    }


def add_state(running: Emulator, asked: Members) -> Any:
    """Add to what there is: the members are the sections of a state's file.

    Raises InvalidInput for `files` too: who reaches the port has no business in the file system.
    """
    if "files" in asked:
        raise InvalidInput("a state over HTTP has no files; expected its other sections")
    return {"resources": running.put(json.dumps(asked))}


def read_clock(running: Emulator, asked: Members) -> Any:
    """Tell the time."""
    return {"now": running.clock.now(), "frozen": running.clock.frozen}


def advance(running: Emulator, asked: Members) -> Any:
    """Move the clock on."""
    for name, value in asked.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidInput(f"{name} is {value!r}; expected a number")
    try:
        span = timedelta(**asked)
        running.clock.advance(span)
    except (OverflowError, ValueError):
        raise InvalidInput("the clock cannot move as far as that") from None
    return read_clock(running, {})


def set_clock(running: Emulator, asked: Members) -> Any:
    """Move the clock to a moment."""
    running.clock.set(_moment("to", asked.get("to")))
    return read_clock(running, {})


def freeze(running: Emulator, asked: Members) -> Any:
    """Let the clock stand still."""
    running.clock.freeze()
    return read_clock(running, {})


def resume(running: Emulator, asked: Members) -> Any:
    """Let the clock go on."""
    running.clock.resume()
    return read_clock(running, {})


def read_calls(running: Emulator, asked: Members) -> Any:
    """Tell what was called."""
    return {"calls": [_shown_call(one) for one in running.calls(**asked)]}


def clear_calls(running: Emulator, asked: Members) -> Any:
    """Forget what was called."""
    running.calls.clear()
    return {}


def read_faults(running: Emulator, asked: Members) -> Any:
    """Tell what goes wrong."""
    return {"faults": [_shown_fault(one) for one in running.faults]}


def add_fault(running: Emulator, asked: Members) -> Any:
    """Let something go wrong."""
    kind = asked.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InvalidInput(f"kind is {kind!r}; expected one of {', '.join(KINDS)}")
    options = {name: one for name, one in asked.items() if name != "kind" and one is not None}
    possible, required = _options_of(KINDS[kind])
    if unknown := sorted(options.keys() - possible):
        expected = ", ".join(sorted(possible))
        raise InvalidInput(f"{kind} has no option {unknown[0]!r}; expected some of {expected}")
    if missing := sorted(required - options.keys()):
        raise InvalidInput(f"{kind} needs {missing[0]}")
    return _shown_fault(running.faults.add(KINDS[kind](**options)))


def clear_faults(running: Emulator, asked: Members) -> Any:
    """Let nothing go wrong, or one thing less."""
    if "number" not in asked:
        running.faults.clear()
    elif type(number := asked["number"]) is int:
        running.faults.remove(number)
    else:
        raise InvalidInput(f"number is {number!r}; expected that of a fault")
    return read_faults(running, {})


def read_violations(running: Emulator, asked: Members) -> Any:
    """Tell what was legal but wrong."""
    wrong = running.strict.violations()
    return {"violations": [{**asdict(one), "message": str(one)} for one in wrong]}


def settle(running: Emulator, asked: Members) -> Any:
    """Do what waits for its time."""
    running.settle()
    return {}


def analyze(running: Emulator, asked: Members) -> Any:
    """Compute recommendations."""
    as_of = _moment("as_of", asked["as_of"]) if "as_of" in asked else None
    done = running.analyze(as_of)
    return {"run": done.run_id, "as_of": done.as_of, "accounts": list(done.accounts)}


def start_over(running: Emulator, asked: Members) -> Any:
    """Begin again with nothing."""
    reset(running)
    return read_state(running, {})


CONTROLS = (
    Control("GET", "state", read_state, "the accounts and the clock"),
    Control("POST", "state", add_state, "adds what the sections of a state say", None),
    Control("GET", "clock", read_clock, "the time, and whether it stands still"),
    Control("POST", "clock/advance", advance, "moves the clock on", SPANS),
    Control("POST", "clock/set", set_clock, "moves the clock to a moment", ("to",)),
    Control("POST", "clock/freeze", freeze, "lets the clock stand still"),
    Control("POST", "clock/resume", resume, "lets the clock go on"),
    Control("GET", "calls", read_calls, "what was called", ("operation", "account", "error")),
    Control("POST", "calls/clear", clear_calls, "forgets what was called"),
    Control("GET", "faults", read_faults, "what goes wrong"),
    Control("POST", "faults", add_fault, "lets something go wrong", None),
    Control("POST", "faults/clear", clear_faults, "removes every fault, or one", ("number",)),
    Control("GET", "violations", read_violations, "what was legal but wrong"),
    Control("POST", "settle", settle, "does at once what waits for its time"),
    Control("POST", "analyze", analyze, "computes recommendations", ("as_of",)),
    Control("POST", "reset", start_over, "empties everything and sets the clock back"),
)
"""Everything that the control endpoint does."""


def perform(control: Control, running: Emulator, asked: Members) -> Any:
    """Do what a control does; raise InvalidInput for a member that it does not know."""
    expected = control.members
    if expected is not None and (unknown := sorted(asked.keys() - set(expected))):
        known = f"some of {', '.join(expected)}" if expected else "none"
        raise InvalidInput(f"{control.path} knows no {unknown[0]!r}; expected {known}")
    return control.act(running, asked)


def _options_of(make: Callable[..., faults.Fault]) -> tuple[set[str], set[str]]:
    """Return the names of all options of a fault, and of those that it needs."""
    named, chosen = set(), set()
    required = set()
    for parameter in inspect.signature(make).parameters.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            chosen = set(faults.Chosen.__annotations__)
            continue
        named.add(parameter.name)
        if parameter.default is inspect.Parameter.empty:
            required.add(parameter.name)
    return named | chosen, required


def _moment(name: str, value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInput(
            f"{name} is {value!r}; expected a time with its zone, such as 2026-03-01T12:00:00Z"
        )
    return moment


def _shown_call(call: RecordedCall) -> dict[str, Any]:
    return {**asdict(call), "reached": call.reached}


def _shown_fault(one: Injected) -> dict[str, Any]:
    return {"number": one.number, "met": one.met, **asdict(one.fault)}
