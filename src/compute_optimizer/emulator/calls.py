"""The record of calls: what an emulator was asked and what it answered, for a test to assert on."""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, overload

from compute_optimizer.api.dispatch import Call
from compute_optimizer.api.messages import Headers
from compute_optimizer.shapes import ServiceException

CALLS_KEPT = 10_000
"""Calls in memory; beyond it the oldest go."""

ATTEMPT = re.compile(rb"attempt=([0-9]{1,6})")
"""In the header amz-sdk-request, by which SDKs count the attempts of one call."""

LOST = frozenset({"drop", "garble", "truncate"})
"""Kinds of faults after which a client has not got the answer."""


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One request that named an operation, and how it was answered."""

    number: int
    """Counts the calls of an emulator from 1."""
    operation: str
    account: str | None
    """Of the caller; None where it was refused before that was known."""
    region: str | None
    protocol: str
    """json or cbor."""
    request: dict[str, Any] | None
    """As the operation got it; None where it could not be read."""
    answer: dict[str, Any] | None
    """None where it is an error."""
    error: str | None
    """The code, None where there is no error."""
    message: str | None
    """Of the error."""
    moment: datetime
    """By the emulator's clock."""
    attempt: int
    """From 1; an SDK that does not count its attempts always makes the first."""
    invocation: str | None
    """What the attempts of one call have in common (amz-sdk-invocation-id)."""
    faults: tuple[str, ...]
    """Kinds of the faults that it met."""

    @property
    def is_retry(self) -> bool:
        """Whether an SDK makes the same call again."""
        return self.attempt > 1

    @property
    def reached(self) -> bool:
        """Whether its answer was sent whole to the client."""
        return LOST.isdisjoint(self.faults)

    def __str__(self) -> str:
        outcome = self.error or "ok"
        notes = [f"attempt {self.attempt}"] if self.is_retry else []
        notes += [f"fault: {kind}" for kind in self.faults]
        noted = f" ({', '.join(notes)})" if notes else ""
        shown = "" if not self.request else f" {self.request}"
        return (
            f"{self.number}. {self.operation} by {self.account or '?'}{shown} -> {outcome}{noted}"
        )


class CallList(Sequence[RecordedCall]):
    """Calls in the order in which they were answered."""

    def __init__(self, calls: Sequence[RecordedCall]) -> None:
        self._calls = calls

    @property
    def last(self) -> RecordedCall:
        """The call that was answered last; raises IndexError where there is none."""
        return self[-1]

    @property
    def operations(self) -> list[str]:
        """The names of the operations called, in order."""
        return [one.operation for one in self]

    def __call__(
        self,
        operation: str | None = None,
        *,
        account: str | None = None,
        error: str | None = None,
        retries: bool = True,
    ) -> "CallList":
        """Return the calls of an operation, by an account, answered with an error's code.

        `retries=False` leaves out attempts after the first.
        """
        return CallList(
            [
                one
                for one in self
                if operation in (None, one.operation)
                and account in (None, one.account)
                and error in (None, one.error)
                and (retries or not one.is_retry)
            ]
        )

    @overload
    def __getitem__(self, index: int) -> RecordedCall: ...
    @overload
    def __getitem__(self, index: slice) -> "CallList": ...
    def __getitem__(self, index: int | slice) -> "RecordedCall | CallList":
        calls = self._snapshot()
        return CallList(calls[index]) if isinstance(index, slice) else calls[index]

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[RecordedCall]:
        return iter(self._snapshot())

    def __repr__(self) -> str:
        return "\n".join(str(one) for one in self) or "no calls"

    def _snapshot(self) -> Sequence[RecordedCall]:
        return self._calls


class Calls(CallList):
    """The calls of a running emulator, up to now."""

    def __init__(self) -> None:
        self._kept: deque[RecordedCall] = deque(maxlen=CALLS_KEPT)
        self._count = 0
        self._lock = Lock()

    def record(
        self, call: Call, error: ServiceException | None, faults: tuple[str, ...] = ()
    ) -> None:
        """Add a call that was answered, and the kinds of the faults that it met."""
        caller, headers = call.caller, call.request.headers
        with self._lock:
            self._count += 1
            self._kept.append(
                RecordedCall(
                    number=self._count,
                    operation=call.claimed.operation_name,
                    account=caller.account_id if caller else None,
                    region=caller.region if caller else None,
                    protocol=call.claimed.encoding.name,
                    request=call.parameters,
                    answer=None if error else call.answer,
                    error=error.code if error else None,
                    message=error.message if error else None,
                    moment=call.now,
                    attempt=_attempt(headers),
                    invocation=_text(headers, b"amz-sdk-invocation-id"),
                    faults=faults,
                )
            )

    def clear(self) -> None:
        """Forget the calls up to now."""
        with self._lock:
            self._kept.clear()

    def __len__(self) -> int:
        return len(self._kept)

    def _snapshot(self) -> Sequence[RecordedCall]:
        with self._lock:
            return list(self._kept)


def _attempt(headers: Headers) -> int:
    found = ATTEMPT.search(headers.get(b"amz-sdk-request", b""))
    return int(found[1]) if found else 1


def _text(headers: Headers, name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")
