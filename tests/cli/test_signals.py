"""A signal that does not wake the main thread by itself ends what waits for it all the same."""

import ctypes
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from compute_optimizer.cli.signals import signals_heard, wait_for_signal
from tests.asleep import ended_from_another_thread, wait_until_asleep
from tests.forked import Running, running

pytestmark = pytest.mark.skipif(
    sys.platform != "linux",
    reason="sees in /proc whether a thread sleeps, and wakes one by tgkill(2)",
)


@pytest.fixture
def asked() -> Iterator[Event]:
    """What the handler of SIGUSR1 sets."""
    asked = Event()
    former = signal.signal(signal.SIGUSR1, lambda *_: asked.set())
    yield asked
    signal.signal(signal.SIGUSR1, former)


def test_the_wait_ends_where_another_thread_gets_the_signal(asked: Event) -> None:
    with ended_from_another_thread(signal.SIGUSR1) as begin:
        begin()
        wait_for_signal(asked)


def test_the_wait_ends_at_once_where_the_signal_has_come(asked: Event) -> None:
    signal.raise_signal(signal.SIGUSR1)

    wait_for_signal(asked)


def test_what_heard_of_signals_before_does_so_again_afterwards(asked: Event) -> None:
    with signals_heard() as outer:
        with signals_heard():
            signal.raise_signal(signal.SIGUSR1)
        outer.setblocking(False)
        with pytest.raises(BlockingIOError):
            outer.recv(1)
        signal.raise_signal(signal.SIGUSR1)
        assert outer.recv(1) == bytes([signal.SIGUSR1])
    assert signal.set_wakeup_fd(-1) == -1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    ("words", "stream", "ready"),
    [
        (("worker", "--job", "analysis", "--port", "0"), "err", "runs analysis"),
        (("serve", "--ephemeral", "--port", "0"), "out", "Serving on"),
    ],
)
def test_a_command_ends_whichever_of_its_threads_gets_the_signal(
    tmp_path: Path, words: tuple[str, ...], stream: str, ready: str, number: signal.Signals
) -> None:
    with running(*words, data_dir=str(tmp_path / "data")) as process:
        lines = iter(getattr(process, stream))
        assert any(ready in line for line in lines)
        give_to_another_thread(process, number)

        assert process.wait() == 0


def give_to_another_thread(process: Running, number: signal.Signals) -> None:
    main = process.process.pid
    assert main is not None
    wait_until_asleep(main)
    tasks = (int(one.name) for one in Path(f"/proc/{main}/task").iterdir())
    other = min(one for one in tasks if one != main)  # One that stays: jobs come later.
    assert ctypes.CDLL(None).tgkill(main, other, int(number)) == 0
