"""Files of views: made while they are sent, and honest where they break off."""

import asyncio
import csv
import gc
import io
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from compute_optimizer.console.messages import AsgiApp, Request, Response
from compute_optimizer.console.pages.recommendations import BATCH
from compute_optimizer.console.room import answer, console_app
from compute_optimizer.console.sessions import COOKIE
from compute_optimizer.console.spreadsheets import ROWS_AT_ONCE, Incomplete, as_file
from compute_optimizer.errors import StoreUnavailable
from compute_optimizer.store.ranked import Ranked
from tests.console.conftest import House
from tests.records import ACCOUNT, recommendation
from tests.written_runs import SCOPE, store_run

LONG = 10_000
"""Rows: ten batches, so that a file which collects them first holds five times what it may."""

LIST = "/console/recommendations/ec2-instances/export"


def analyze(house: House, count: int) -> None:
    store_run(house.state, SCOPE, [recommendation(number) for number in range(count)])


async def served(app: AsgiApp, *given: Any) -> None:
    await app(*given)


def asked(house: House) -> Response:
    headers = {"cookie": f"{COOKIE}={ACCOUNT}.token"}
    return answer(house.room, Request("GET", LIST, {}, {}, headers, ""))


def test_rows_are_asked_for_no_sooner_than_they_are_sent() -> None:
    asked_for: list[int] = []

    def rows() -> Iterator[list[int]]:
        for number in range(ROWS_AT_ONCE * 3):
            asked_for.append(number)
            yield [number]

    pieces = as_file("numbers", ["Number"], rows()).pieces
    assert pieces is not None
    assert next(pieces) == b"Number\r\n"
    assert asked_for == []
    next(pieces)
    assert len(asked_for) == ROWS_AT_ONCE
    assert sum(piece.count(b"\n") for piece in pieces) == 2 * ROWS_AT_ONCE


def test_a_file_that_breaks_off_says_so_in_its_last_line() -> None:
    def rows() -> Iterator[list[Any]]:
        yield from ([number] for number in range(ROWS_AT_ONCE + 1))
        raise StoreUnavailable("the state store cannot be used: gone")

    pieces = as_file("numbers", ["Number"], rows()).pieces
    assert pieces is not None
    got = b""
    with pytest.raises(Incomplete, match=f"after {ROWS_AT_ONCE} rows"):
        for piece in pieces:
            got += piece

    assert got.decode().splitlines()[-1] == (
        f"INCOMPLETE after {ROWS_AT_ONCE} rows: the state store cannot be used: gone"
    )


def test_a_view_of_several_pages_has_every_row_once(house: House) -> None:
    house.enroll(ACCOUNT)
    analyze(house, 2_001)

    response = asked(house)
    assert response.pieces is not None
    lines = list(csv.reader(io.StringIO(b"".join(response.pieces).decode())))

    assert len(lines) == 1 + 2_001
    assert len({line[0] for line in lines[1:]}) == 2_001


def test_however_long_a_list_is_a_few_batches_of_it_are_in_memory(house: House) -> None:
    house.enroll(ACCOUNT)
    analyze(house, LONG)
    pieces = asked(house).pieces
    assert pieces is not None

    # Those of earlier tests are held, so that none of them goes while others are counted.
    held, sent, most = in_memory(), 0, 0
    for piece in pieces:
        sent += piece.count(b"\n")
        most = max(most, len(in_memory()) - len(held))

    assert sent == 1 + LONG
    # The thousand that is sent, and the next one while it is read.
    assert ROWS_AT_ONCE <= most <= 2 * BATCH


def in_memory() -> list[Ranked]:
    """Return the rows that were read of the store and that somebody still holds."""
    return [one for one in gc.get_objects() if isinstance(one, Ranked)]


def test_a_view_is_not_made_of_two_analyses(house: House) -> None:
    house.enroll(ACCOUNT)
    analyze(house, 1_500)
    pieces = asked(house).pieces
    assert pieces is not None
    got = [next(pieces), next(pieces)]
    analyze(house, 1_500)

    with pytest.raises(Incomplete):
        got.extend(pieces)

    assert got[-1].startswith(b"INCOMPLETE after 1000 rows: an analysis ended while")


def test_the_connection_breaks_off_with_the_file(house: House) -> None:
    house.enroll(ACCOUNT)
    analyze(house, 1_500)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 3:  # The beginning, the headings, and a thousand rows.
            analyze(house, 1)

    scope = {
        "method": "GET",
        "path": LIST,
        "query_string": b"",
        "headers": [(b"cookie", f"{COOKIE}={ACCOUNT}.token".encode())],
        "client": ("127.0.0.1", 1),
    }
    with ExitStack() as opened, pytest.raises(Incomplete):
        asyncio.run(served(console_app(house.room, opened), scope, receive, send))

    assert sent[0]["status"] == 200
    assert b"content-length" not in dict(sent[0]["headers"])
    assert sent[-1]["more_body"] is True
    assert b"INCOMPLETE" in sent[-1]["body"]
