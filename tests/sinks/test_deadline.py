"""HTTP that ends in time, also where most of the time went into connecting."""

import time
from collections.abc import Iterator
from http.client import HTTPException

import pytest

from compute_optimizer.sinks.deadline import ending_after
from tests.answering import Answer, Answering, answering

AT_ONCE_SECONDS = 60.0
"""A tenth of what the answer would take; a busy machine adds seconds."""


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as here:
        yield here


def test_a_connection_that_stands_only_after_the_moment_is_ended_at_once(server: Answering) -> None:
    """As after a first address that did not answer: no byte of the answer is late by itself."""
    server.answers = [Answer(b"x" * 6_000, seconds_per_byte=0.1)]
    began = time.monotonic()

    with ending_after(3_600) as deadline:
        deadline.end()
        with pytest.raises((OSError, HTTPException)):
            deadline.opener.open(server.url, timeout=AT_ONCE_SECONDS).read()

    assert deadline.passed
    assert time.monotonic() - began < AT_ONCE_SECONDS
