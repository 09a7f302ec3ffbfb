"""Writes of one turn of the event loop leave together."""

import asyncio
from typing import Any

from uvicorn.server import ServerState

from compute_optimizer.api.listening import uvicorn_config
from compute_optimizer.api.messages import Receive, Response, Scope, Send
from compute_optimizer.api.transport import GatheredWrites


class Recorder:
    """A transport that notes what reaches it."""

    def __init__(self) -> None:
        self.sent: list[list[bytes]] = []
        self.closed = False

    def writelines(self, parts: list[bytes]) -> None:
        self.sent.append(parts)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def resume_reading(self) -> None:
        """Do nothing: it never stopped."""

    def get_extra_info(self, name: str) -> str | None:
        return "a cipher" if name == "cipher" else None


async def nobody(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("the application was asked")


async def gathered(recorder: Any) -> GatheredWrites:
    return GatheredWrites(recorder, asyncio.get_running_loop())


def test_head_and_body_leave_together_and_the_next_answer_after_them() -> None:
    recorder = Recorder()

    async def two_answers() -> None:
        transport = await gathered(recorder)
        transport.write(b"head")
        transport.write(b"body")
        assert recorder.sent == []
        await asyncio.sleep(0)
        transport.write(b"next")
        await asyncio.sleep(0)

    asyncio.run(two_answers())

    assert recorder.sent == [[b"head", b"body"], [b"next"]]


def test_closing_sends_what_was_written_before() -> None:
    recorder = Recorder()

    async def last_answer() -> None:
        transport = await gathered(recorder)
        transport.write(b"last")
        transport.close()
        await asyncio.sleep(0)

    asyncio.run(last_answer())

    assert recorder.sent == [[b"last"]]
    assert recorder.closed


def test_nothing_is_written_to_a_peer_that_has_gone() -> None:
    recorder = Recorder()

    async def too_late() -> None:
        transport = await gathered(recorder)
        transport.write(b"answer")
        recorder.closed = True
        await asyncio.sleep(0)

    asyncio.run(too_late())

    assert recorder.sent == []


def test_everything_else_is_the_transports_own() -> None:
    async def ask() -> Any:
        return (await gathered(Recorder())).get_extra_info("cipher")

    assert asyncio.run(ask()) == "a cipher"


def test_answers_on_arrival_leave_once_all_that_arrived_in_the_turn_is_answered() -> None:
    first, second = Recorder(), Recorder()
    asked = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"

    async def turn() -> None:
        config: Any = uvicorn_config(nobody, lambda *_: Response(200, [], b"answer"))
        config.load()
        for recorder in (first, second):
            protocol = config.http_protocol_class(
                config=config, server_state=ServerState(), app_state={}
            )
            protocol.connection_made(recorder)
            protocol.data_received(asked)
        assert (first.sent, second.sent) == ([], [])
        await asyncio.sleep(0)

    asyncio.run(turn())

    answer = b"HTTP/1.1 200 OK\r\n\r\nanswer"
    assert (first.sent, second.sent) == ([[answer]], [[answer]])
