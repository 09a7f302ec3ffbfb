"""A provider that is slow holds up nobody but those who sign in."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from compute_optimizer.console.openid import fetching
from compute_optimizer.console.room import MOST_WAITING, console_app
from tests.answering import Answer, Asked, answering
from tests.console.openid.signing_in import house_of
from tests.console.visiting import HOST

LONG_SECONDS = 120.0
"""Nobody waits for so long: the provider answers once the other page is there."""


async def ask(app: Any, path: str) -> int:
    """Return the status of a page, as a server asks for it."""
    sent: list[Any] = []
    scope = {
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", HOST.encode())],
        "client": ("203.0.113.9", 1),
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return int(sent[0]["status"])


def test_other_pages_go_on_while_people_wait_for_the_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "ANSWER_SECONDS", LONG_SECONDS)
    answers = Event()

    def slow(_: Asked) -> Answer:
        answers.wait(LONG_SECONDS)
        return Answer(b"down", 502)

    with answering() as provider:
        provider.otherwise = slow
        with house_of(tmp_path, provider.url) as house, ExitStack() as opened:
            app = console_app(house.room, opened)
            statuses, form, was_waiting = asyncio.run(crowd(app, answers))

    assert form == 200
    assert was_waiting
    # One more than may run and wait is told so at once; the others that the provider is away.
    assert sorted(statuses) == [503] * (MOST_WAITING + 1)
    assert len(provider.asked) == 1


async def crowd(app: Any, answers: Event) -> tuple[list[int], int, bool]:
    """Have more people than may wait press the button, and somebody else open a page.

    The provider answers afterwards.
    """
    path = "/console/sign-in/provider"
    waiting = [asyncio.create_task(ask(app, path)) for _ in range(MOST_WAITING + 1)]
    form = await ask(app, "/console/sign-in")
    done = [one for one in waiting if one.done()]
    # Whoever came last is told at once, everybody else still waits.
    was_waiting = len(done) == 1
    answers.set()
    return list(await asyncio.gather(*waiting)), form, was_waiting
