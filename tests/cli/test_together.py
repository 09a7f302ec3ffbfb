"""Several processes on one port: what happens when none of them lasts."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from compute_optimizer.api.listening import bind_each
from compute_optimizer.api.telemetry import SHARED_FOLDER
from compute_optimizer.cli.together import REPLACED_AT_MOST, serve_together
from compute_optimizer.config import load_settings
from compute_optimizer.errors import ComputeOptimizerError
from tests.asleep import ended_from_another_thread
from tests.cli.dying import begin_and_die, begin_and_stay


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """Put back the handlers of signals, which serving replaces for the whole process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_processes_that_go_on_dying_are_replaced_a_few_times_only(tmp_path: Path) -> None:
    settings = load_settings({"data_dir": tmp_path}, environment={})
    listeners = bind_each("127.0.0.1", 0, 1)

    with listeners[0], pytest.raises(ComputeOptimizerError) as raised:
        serve_together(begin_and_die, settings, listeners, lambda: None)

    times = REPLACED_AT_MOST + 1
    assert str(raised.value) == (
        f"a serving process ended by itself, with code 7, the {times}th within 60 seconds"
    )
    # The first, and those that took its place and its number.
    assert (tmp_path / "lives").read_text() == "0\n" * times
    # Whoever serves after that, in this process, does not count in a folder that is gone.
    assert SHARED_FOLDER not in os.environ


@pytest.mark.skipif(sys.platform != "linux", reason="sees in /proc whether a thread sleeps")
def test_they_end_whichever_thread_gets_the_signal(tmp_path: Path) -> None:
    settings = load_settings({"data_dir": tmp_path}, environment={})
    listeners = bind_each("127.0.0.1", 0, 2)

    with ended_from_another_thread(signal.SIGTERM) as begin:
        serve_together(begin_and_stay, settings, listeners, begin)

    assert [listener.fileno() for listener in listeners] == [-1, -1]


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="needs SO_REUSEPORT")
def test_each_process_has_a_socket_of_its_own_on_the_one_port() -> None:
    listeners = bind_each("127.0.0.1", 0, 3)
    try:
        assert len({listener.getsockname() for listener in listeners}) == 1
        for _ in range(64):
            socket.create_connection(listeners[0].getsockname()).close()
        for listener in listeners:
            listener.settimeout(1)
            # 64 connections leave one of three out with a chance of 1 to 10**11.
            listener.accept()[0].close()
    finally:
        for listener in listeners:
            listener.close()
