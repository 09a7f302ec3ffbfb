"""Serving processes that serve nothing: one dies at once, another stays until it is ended.

In a module of its own: each process that is started imports it.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from tests.waiting import SECONDS

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from compute_optimizer.api.processes import Member
    from compute_optimizer.config import Settings


def begin_and_die(
    settings: Settings, _listener: socket.socket, member: Member, tell: Callable[[], None]
) -> None:
    """Note the number of the process, say that it serves, and die."""
    with (settings.data_dir / "lives").open("a") as lives:
        lives.write(f"{member.number}\n")
    tell()
    os._exit(7)


def begin_and_stay(
    _settings: Settings, _listener: socket.socket, _member: Member, tell: Callable[[], None]
) -> None:
    """Say that it serves, and stay until a signal ends it."""
    tell()
    time.sleep(SECONDS)
