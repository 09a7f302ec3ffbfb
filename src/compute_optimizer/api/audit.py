"""The audit log: one line of JSON per call, saying who read, enrolled or changed whom.

Lines are written whole to a file opened for appending, so that several processes can share it.
A log that cannot be written is reported loudly and does not stop the service.
"""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

import msgspec

from compute_optimizer.model.account import ACCOUNT_ID
from compute_optimizer.model.arn import account_of

log = logging.getLogger(__name__)

FILE_MODE = 0o600

COMPLAINT_SECONDS = 10.0
"""A full disk is reported at most so often, not once per request."""

SUCCESS = "Success"
"""Outcome of a call that raised nothing."""

READS = ("Get", "Describe", "List")
"""How the names of operations begin that change nothing."""

_encode_lines = msgspec.json.Encoder().encode_lines


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the log; it never holds a secret."""

    time: datetime
    request_id: str
    operation: str
    source: str
    outcome: str
    """Success, or the code of the error."""
    account: str = ""
    """The caller's; empty where nobody could be recognised."""
    region: str = ""
    principal: str = ""
    access_key_id: str = ""
    targets: tuple[str, ...] = ()
    """Accounts whose data was asked for or changed."""
    parameters: Mapping[str, Any] | None = None
    """The request, where the operation changes something."""


class AuditLog:
    """An audit log that is open for appending."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        self._lock = Lock()
        self._complained = -COMPLAINT_SECONDS
        self._torn = False

    def write(self, *entries: Entry) -> None:
        """Append a line for each entry, in one write; report a failure in the program's log."""
        lines = _encode_lines(entries)
        # Whoever reopens closes the file, whose number the next socket gets: no line may go there.
        with self._lock:
            try:
                self._append(lines)
            except OSError as error:
                self._complain(error)

    def reopen_if_moved(self) -> None:
        """Go on in a new file after somebody moved the old one away (log rotation)."""
        with self._lock:
            if self._file is None or _is_same(self._file, self.path):
                return
            try:
                moved, self._file = self._file, self._open()
            except OSError as error:
                self._complain(error)
                return
            os.close(moved)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _append(self, lines: bytes) -> None:
        if self._file is None:
            self._file = self._open()
        if self._torn:
            # A line cut short by a full disk is ended, so that it spoils no other.
            lines = b"\n" + lines
        written = os.write(self._file, lines)
        self._torn = written < len(lines)
        if self._torn:
            raise OSError(f"only {written} of {len(lines)} bytes were written")

    def _open(self) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, FILE_MODE)

    def _complain(self, error: OSError) -> None:
        if monotonic() - self._complained >= COMPLAINT_SECONDS:
            self._complained = monotonic()
            log.critical("the audit log %s cannot be written: %s", self.path, error)


def target_accounts(request: Mapping[str, Any], account_id: str) -> tuple[str, ...]:
    """Return the accounts that a request speaks of: those it names, or the caller's own."""
    if not request:
        return (account_id,)
    scope = request.get("scope") or {}
    value = scope.get("value", "")
    if ACCOUNT_ID.fullmatch(value):
        return (value,)
    named = request.get("accountIds") or sorted(set(_accounts_in_arns([*request.values(), value])))
    return tuple(named) or (account_id,)


def changes_something(operation_name: str) -> bool:
    """Return whether an operation changes state, by its name."""
    return not operation_name.startswith(READS)


def _accounts_in_arns(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and ACCOUNT_ID.fullmatch(account := account_of(text)):
                yield account


def _is_same(file: int, path: Path) -> bool:
    try:
        there = path.stat()
    except OSError:
        return False
    here = os.fstat(file)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
