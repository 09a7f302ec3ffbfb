"""Writes of one turn of the event loop leave together."""

import asyncio
from collections.abc import Sequence
from typing import Any

from uvicorn.server import ServerState

from compute_optimizer.api.listening import uvicorn_config
from compute_optimizer.api.messages import Receive, Request, Response, Scope, Send
from compute_optimizer.api.transport import GatheredWrites, Prompt


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

    def set_protocol(self, protocol: object) -> None:
        """Do nothing: nothing comes by itself."""

    def can_write_eof(self) -> bool:
        return False

    def get_extra_info(self, name: str) -> str | None:
        return "a cipher" if name == "cipher" else None


async def nobody(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("the application was asked")


async def gathered(recorder: Any) -> GatheredWrites:
    return GatheredWrites(recorder, asyncio.get_running_loop(), recorder.close)


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


ASKED = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\n\r\nanswer"


class Connections:
    """Connections of one server, and how many requests it was shown together."""

    def __init__(self, count: int) -> None:
        self.together: list[int] = []
        config: Any = uvicorn_config(nobody, Prompt(self.take, self.answer_all))
        config.load()
        self.recorders = [Recorder() for _ in range(count)]
        self.protocols = []
        for recorder in self.recorders:
            protocol = config.http_protocol_class(
                config=config, server_state=ServerState(), app_state={}
            )
            protocol.connection_made(recorder)
            self.protocols.append(protocol)

    def take(self, *_: Any) -> Request:
        return Request("POST", b"/", b"", {}, b"", "")

    def answer_all(self, requests: Sequence[Request]) -> list[Response]:
        self.together.append(len(requests))
        return [Response(200, [], b"answer") for _ in requests]

    @property
    def sent(self) -> list[list[list[bytes]]]:
        return [recorder.sent for recorder in self.recorders]


def test_what_arrives_in_one_turn_is_answered_together_once_the_turn_is_over() -> None:
    async def turn() -> Connections:
        here = Connections(3)
        for protocol in here.protocols[:2]:
            protocol.data_received(ASKED)
        assert here.together == []
        await asyncio.sleep(0)
        here.protocols[2].data_received(ASKED)
        await asyncio.sleep(0)
        return here

    here = asyncio.run(turn())

    assert here.together == [2, 1]
    assert here.sent == [[[ANSWER]]] * 3


def test_a_connection_with_two_requests_in_a_turn_has_its_answers_in_order() -> None:
    async def turn() -> Connections:
        here = Connections(2)
        for protocol in here.protocols:
            protocol.data_received(ASKED)
        here.protocols[0].data_received(ASKED)
        await asyncio.sleep(0)
        return here

    here = asyncio.run(turn())

    # The second request of the first connection ends the turn for both.
    assert here.together == [2, 1]
    assert here.sent == [[[ANSWER], [ANSWER]], [[ANSWER]]]


def test_what_has_arrived_is_answered_before_the_server_ends() -> None:
    async def turn() -> Connections:
        here = Connections(1)
        here.protocols[0].data_received(ASKED)
        here.protocols[0].shutdown()
        return here

    here = asyncio.run(turn())

    assert here.sent == [[[ANSWER]]]
    assert here.recorders[0].closed


def test_what_is_no_http_is_refused_behind_the_answer_to_what_came_before() -> None:
    async def turn() -> Connections:
        here = Connections(1)
        here.protocols[0].data_received(ASKED + b"\0 no HTTP\r\n\r\n")
        await asyncio.sleep(0)
        return here

    (sent,) = asyncio.run(turn()).sent

    assert b"".join(part for parts in sent for part in parts).startswith(
        ANSWER + b"HTTP/1.1 400 Bad Request\r\n"
    )


def test_whoever_went_away_in_the_turn_is_answered_nothing() -> None:
    async def turn() -> Connections:
        here = Connections(2)
        for protocol in here.protocols:
            protocol.data_received(ASKED)
        here.recorders[0].closed = True
        here.protocols[0].connection_lost(None)
        await asyncio.sleep(0)
        return here

    assert asyncio.run(turn()).sent == [[], [[ANSWER]]]
