"""One write per turn of the event loop instead of two per answer.

uvicorn sends the head of an answer and its body apart: two packets, for which the client wakes up
twice. Here they leave together, with all other answers that are ready on the connection.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class GatheredWrites:
    """A transport that hands on what was written when the event loop comes round again."""

    __slots__ = ("_loop", "_parts", "_transport", "is_closing")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self.is_closing = transport.is_closing  # asked for every answer

    def write(self, data: bytes) -> None:
        """Keep the bytes until the end of this turn."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def close(self) -> None:
        """Send what is kept, then close."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        parts, self._parts = self._parts, []
        if parts and not self.is_closing():
            self._transport.writelines(parts)


class GatheringProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol over such a transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin to serve a connection."""
        gathered = GatheredWrites(transport, self.loop)
        super().connection_made(cast(asyncio.Transport, gathered))
