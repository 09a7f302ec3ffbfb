"""Sockets that requests come in by."""

import asyncio
import socket
from contextlib import ExitStack
from typing import cast

import pytest
import uvloop

from compute_optimizer.api.listening import ACCEPTED_AT_ONCE, bind, many_at_once

CROWD = 4 * ACCEPTED_AT_ONCE


class Counted(asyncio.Protocol):
    """A protocol that says when it was connected."""

    def __init__(self, connected: list[asyncio.Transport]) -> None:
        self._connected = connected

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connected.append(cast(asyncio.Transport, transport))


async def turns_until_all_are_connected(listeners: list[socket.socket]) -> int:
    """Return how many turns the event loop takes to let in a crowd that came at once."""
    loop, connected = asyncio.get_running_loop(), list[asyncio.Transport]()
    servers = [
        await loop.create_server(lambda: Counted(connected), sock=listener)
        for listener in listeners
    ]
    turns = 0
    with ExitStack() as clients:
        # The kernel connects them while this turn lasts.
        for _ in range(CROWD):
            clients.enter_context(socket.create_connection(listeners[0].getsockname()))
        while len(connected) < CROWD:
            await asyncio.sleep(0)
            turns += 1
            assert turns < 100 * CROWD, f"{len(connected)} of {CROWD} are connected"
    for transport in connected:
        transport.abort()
    for server in servers:
        server.close()
    return turns


def test_a_crowd_is_let_in_many_at_once() -> None:
    with bind("127.0.0.1", 0) as listener:
        turns = uvloop.run(turns_until_all_are_connected(many_at_once(listener)))

    # 8 in each turn of 32; a turn or two go by before the first, and one may take fewer.
    assert turns <= CROWD / ACCEPTED_AT_ONCE + 4


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_all_of_them_are_the_one_socket(host: str) -> None:
    with bind(host, 0) as listener, ExitStack() as closing:
        every = many_at_once(listener)
        for one in every[1:]:
            closing.enter_context(one)

        assert len(every) == ACCEPTED_AT_ONCE
        assert {one.getsockname() for one in every} == {listener.getsockname()}
