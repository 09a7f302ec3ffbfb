"""A server in a thread of this process, which starts and ends in milliseconds."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from types import FrameType

import uvicorn

from compute_optimizer.api.listening import uvicorn_config
from compute_optimizer.api.messages import AsgiApp


class ThreadedServer(uvicorn.Server):
    """A server that is told to end by another thread, and drops who is still connected."""

    def __init__(self, app: AsgiApp) -> None:
        config = uvicorn_config(app)
        # A process may have hundreds of loops, each for milliseconds: asyncio's own starts and ends
        # in 14 ms, uvloop in 24 (docs/decisions/0034).
        config.loop = "asyncio"
        super().__init__(config)
        self.ready = Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Let the server end."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ending.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Leave signals to the program that the thread belongs to."""

    async def main_loop(self) -> None:
        """Wait for the end; uvicorn would look ten times a second whether it has come."""
        self._loop = asyncio.get_running_loop()
        self.ready.set()
        await self._ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close at once: whoever keeps a connection is not waited for, as uvicorn would."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        await asyncio.sleep(0)  # the connections hear that they are lost
        for server in self.servers:
            await server.wait_closed()


@contextmanager
def serving(app: AsgiApp, listener: socket.socket) -> Iterator[None]:
    """Answer on a listening socket, in a thread of its own, until the block ends."""
    server = ThreadedServer(app)
    thread = Thread(
        target=server.run, args=([listener],), name="compute-optimizer emulator", daemon=True
    )
    thread.start()
    server.ready.wait()
    try:
        yield
    finally:
        server.end()
        thread.join()
