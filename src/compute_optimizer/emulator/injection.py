"""The faults of a running emulator: added and removed by a test, met by calls."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from random import Random
from threading import Event, RLock
from types import TracebackType
from typing import Any, NamedTuple

from compute_optimizer.api.background import Step
from compute_optimizer.api.errors import FrontDoorError, RequestRefused
from compute_optimizer.emulator.due import Due
from compute_optimizer.emulator.enrollment_faults import Switch, holding, switch_of
from compute_optimizer.emulator.faults import (
    OF_ENROLLMENT,
    Delay,
    Failing,
    Fault,
    Garbling,
    Loss,
    Partial,
    Refusal,
    StaysPending,
    exception,
    fires,
    fits,
)
from compute_optimizer.emulator.partial_answers import with_errors
from compute_optimizer.errors import InvalidInput
from compute_optimizer.operations import Operation
from compute_optimizer.operations.context import Context
from compute_optimizer.store import State

DROPPED = FrontDoorError("ConnectionDropped", 500, "The connection was dropped before an answer.")
"""Stands for the answer that never leaves; no client sees it."""

Lost = Loss | Garbling
"""What happens to an answer on its way."""

Undo = Callable[[], object]


@dataclass(eq=False, slots=True)
class Injected:
    """A fault that was added. As a context manager it is removed when the block ends."""

    number: int
    """Counts the faults of an emulator from 1."""
    fault: Fault
    remove: Callable[[], None]
    """Has it meet no further call."""
    met: int = 0
    """How many calls it has met."""
    _fitting: int = 0
    _random: Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = Random(self.fault.seed)

    def __enter__(self) -> "Injected":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    def meets(self, operation: str, context: Context) -> bool:
        """Return whether it meets this call, and count it."""
        if not fits(self.fault, operation, context.account_id, context.region):
            return False
        self._fitting += 1
        met = fires(self.fault, self._fitting, self.met, self._random.random())
        self.met += met
        return met


class Meeting(NamedTuple):
    """A call that a fault meets."""

    faults: "Faults"
    operation: str
    context: Context
    request: dict[str, Any]


class Faults:
    """What goes wrong in an emulator, in the order in which it was added."""

    def __init__(self, state: State, due: Due, account_id: str) -> None:
        self._state, self._due, self._account_id = state, due, account_id
        self._stopping = Event()
        self._lock = RLock()
        self._injected: dict[int, Injected] = {}
        self._count = 0
        self._lost: dict[str, Lost] = {}
        self._kinds: dict[str, list[str]] = {}
        self._turned: dict[tuple[str, str], tuple[int, bool]] = {}
        """How many faults hold a switch, and whether it was on before; by its name."""

    def add(self, fault: Fault) -> Injected:
        """Have a fault meet calls from now on, after those that are there.

        Raises InvalidInput where an enrollment cannot fail for the reason.
        """
        with self._lock:
            self._count += 1
            number = self._count
            one = Injected(number, fault, partial(self._remove, number, self._begun(fault)))
            self._injected[number] = one
        return one

    def remove(self, number: int) -> None:
        """Remove a fault by its number; raise InvalidInput where there is none."""
        with self._lock:
            if number not in self._injected:
                present = ", ".join(map(str, self._injected)) or "none"
                raise InvalidInput(f"there is no fault {number!r}; there are: {present}")
            self._injected[number].remove()

    def clear(self) -> None:
        """Remove every fault."""
        for one in list(self):
            one.remove()

    def stop(self) -> None:
        """Let slow answers go on at once: the emulator ends."""
        self._stopping.set()

    def __iter__(self) -> Iterator[Injected]:
        return iter(list(self._injected.values()))

    def __len__(self) -> int:
        return len(self._injected)

    def __repr__(self) -> str:
        return f"Faults({', '.join(f'{one.fault.kind} {one.number}' for one in self)})"

    def layer(
        self, name: str, operation: Operation, context: Context, request: dict[str, Any]
    ) -> dict[str, Any]:
        """Run an operation through the faults that meet the call."""
        meeting = Meeting(self, name, context, request)
        return self._through(list(self), meeting, operation)

    def repeat(self, steps: Sequence[Step]) -> AbstractContextManager[None]:
        """Hand the steps of the server on, and hold back those enrollments that stay Pending."""
        return self._due.repeat(holding(steps, self._state, self._due.clock, self._is_held))

    def take_lost(self, request_id: str) -> Lost | None:
        """Return what happens to the answer of a request on its way, once."""
        return self._lost.pop(request_id, None)

    def take_kinds(self, request_id: str) -> tuple[str, ...]:
        """Return the kinds of the faults that a request met, once."""
        return tuple(self._kinds.pop(request_id, ()))

    def lose(self, request_id: str, lost: Lost) -> None:
        """Have something happen to the answer of a request on its way, where nothing does yet."""
        self._lost.setdefault(request_id, lost)

    def wait(self, seconds: float) -> None:
        """Wait, unless the emulator ends."""
        self._stopping.wait(seconds)

    def _through(
        self, rest: list[Injected], meeting: Meeting, operation: Operation
    ) -> dict[str, Any]:
        for position, one in enumerate(rest, 1):
            with self._lock:
                met = one.meets(meeting.operation, meeting.context)
            if met:
                kinds = self._kinds.setdefault(meeting.context.request_id, [])
                kinds.append(one.fault.kind)
                onward = partial(self._through, rest[position:], meeting, operation)
                return _MET[type(one.fault.effect)](one.fault.effect, meeting, onward)
        return operation(meeting.context, meeting.request)

    def _begun(self, fault: Fault) -> Undo:
        """Do what a fault needs before any call; return what undoes it."""
        if not isinstance(fault.effect, Failing):
            return lambda: None
        account_id = fault.account or self._account_id
        switch = switch_of(self._state, account_id, fault.effect.reason)
        switch.turn(True)
        holders, before = self._turned.get(switch.name, (0, switch.is_on))
        self._turned[switch.name] = holders + 1, before
        return partial(self._let_go, switch)

    def _let_go(self, switch: Switch) -> None:
        """Turn a switch back to how it was before the first fault that held it, with the last."""
        holders, before = self._turned.pop(switch.name)
        if holders > 1:
            self._turned[switch.name] = holders - 1, before
        else:
            switch.turn(before)

    def _remove(self, number: int, undo: Undo) -> None:
        with self._lock:
            one = self._injected.pop(number, None)
            if one is None or not isinstance(one.fault.effect, OF_ENROLLMENT):
                return
            undo()
        self._due.ask()

    def _is_held(self, account_id: str) -> bool:
        return any(
            isinstance(one.fault.effect, StaysPending) and one.fault.account in (None, account_id)
            for one in self
        )


Onward = Callable[[], dict[str, Any]]
"""Runs the rest: further faults, and the operation."""


def _refuse(effect: Refusal, meeting: Meeting, onward: Onward) -> dict[str, Any]:
    raise exception(effect)


def _delay(effect: Delay, meeting: Meeting, onward: Onward) -> dict[str, Any]:
    if effect.when == "before":
        meeting.faults.wait(effect.seconds)
        return onward()
    try:
        return onward()
    finally:
        meeting.faults.wait(effect.seconds)


def _lose(effect: Lost, meeting: Meeting, onward: Onward) -> dict[str, Any]:
    meeting.faults.lose(meeting.context.request_id, effect)
    if isinstance(effect, Loss) and effect.when == "before":
        raise RequestRefused(DROPPED)
    return onward()


def _make_partial(effect: Partial, meeting: Meeting, onward: Onward) -> dict[str, Any]:
    asked = meeting.request.get("accountIds") or [meeting.context.account_id]
    return with_errors(meeting.operation, asked[0], meeting.request, onward(), effect.errors)


_MET: Mapping[type, Callable[[Any, Meeting, Onward], dict[str, Any]]] = {
    Refusal: _refuse,
    Delay: _delay,
    Loss: _lose,
    Garbling: _lose,
    Partial: _make_partial,
}
"""What is done where a fault meets a call, by its effect."""
