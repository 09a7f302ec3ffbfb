"""How a connection ends whose peer is still sending: it is answered, and may read the answer.

A socket that is closed with bytes unread resets the connection, and the reset takes away the answer
that the peer has not read yet (RFC 9112, 9.6).
"""

import asyncio
from collections.abc import Callable

LINGER_BYTES = 16 * 1024 * 1024
"""Of what comes behind the answer: four of the largest bodies that are taken unless set otherwise,
for clients that send all of theirs before they read."""

LINGER_SECONDS = 5.0
"""In all, from the answer on: as long as nginx waits for the next bytes (lingering_timeout)."""


class Lingering(asyncio.Protocol):
    """What a connection has for a protocol once all is said: it drops what still comes, and ends
    with the peer, or where that is too much or takes too long."""

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        ended: Callable[[Exception | None], None],
    ) -> None:
        self._transport = transport
        self._left = LINGER_BYTES
        self._ended = ended
        self._is_late = loop.call_later(LINGER_SECONDS, transport.close)
        if transport.can_write_eof():  # TLS cannot: its peers go by what the answer says.
            transport.write_eof()

    def data_received(self, data: bytes) -> None:
        """Drop what came; end with who sends too much."""
        self._left -= len(data)
        if self._left < 0:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """End with the connection."""
        self._is_late.cancel()
        self._ended(exc)
