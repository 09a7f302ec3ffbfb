"""A serving process that serves for no time at all, as where something kills it.

In a module of its own: each process that is started imports it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

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
