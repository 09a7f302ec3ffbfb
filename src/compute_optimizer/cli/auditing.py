"""The audit log's line of a command that enrolls or changes somebody."""

from collections.abc import Iterable
from contextlib import closing
from getpass import getuser
from typing import Any
from uuid import uuid4

from compute_optimizer.api.audit import SUCCESS, AuditLog, Entry
from compute_optimizer.app import Application

SOURCE = "command line"
"""Stands where calls over the network have their address."""


def record_command(
    application: Application, command: str, targets: Iterable[str], **parameters: Any
) -> None:
    """Write who ran a command that changed the given accounts, organizations or keys."""
    entry = Entry(
        time=application.clock.now(),
        request_id=str(uuid4()),
        operation=command,
        source=SOURCE,
        outcome=SUCCESS,
        principal=operator(),
        targets=tuple(dict.fromkeys(targets)),
        parameters=parameters or None,
    )
    with closing(AuditLog(application.settings.audit_file)) as log:
        log.write(entry)


def operator() -> str:
    """Return the name of whoever runs this process."""
    try:
        return getuser()
    except (KeyError, OSError):  # A container's user may have no name.
        return "unknown"
