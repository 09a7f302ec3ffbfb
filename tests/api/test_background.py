"""Steps beside the requests: repeated, ended with the block, and not stopped by failures."""

from threading import Event
from threading import enumerate as living_threads

import pytest

from compute_optimizer.api import background
from compute_optimizer.api.background import Step, repeating
from compute_optimizer.errors import StoreUnavailable
from tests.waiting import SECONDS


def test_a_step_is_repeated_until_the_block_ends() -> None:
    runs: list[int] = []
    thrice = Event()

    def run() -> None:
        runs.append(1)
        if len(runs) >= 3:
            thrice.set()

    with repeating([Step("counting", run, every_seconds=0.001)]):
        assert thrice.wait(SECONDS)

    after = len(runs)
    assert not any(thread.name == "counting" for thread in living_threads())
    assert len(runs) == after


def run_failing_once(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a step that fails the first time until it went well."""
    monkeypatch.setattr(background, "SECONDS_AFTER_FAILURE", 0.001)
    recovered = Event()
    attempts: list[int] = []

    def run() -> None:
        attempts.append(1)
        if len(attempts) == 1:
            raise error
        recovered.set()

    with repeating([Step("faltering", run, every_seconds=0.001)]):
        assert recovered.wait(SECONDS)


def test_a_step_that_fails_is_logged_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run_failing_once(ZeroDivisionError("only once"), monkeypatch)

    assert "background step faltering failed" in caplog.text
    assert "Traceback" in caplog.text
    assert "only once" in caplog.text


def test_a_step_whose_store_is_away_is_logged_in_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run_failing_once(StoreUnavailable("the disk is full"), monkeypatch)

    (record,) = caplog.records
    assert record.getMessage().endswith("it will be tried again: the disk is full")
    assert record.exc_info is None


def test_a_slow_step_does_not_hold_up_another() -> None:
    release, other_ran = Event(), Event()
    slow = Step("slow", lambda: release.wait(SECONDS), every_seconds=0.001)
    quick = Step("quick", other_ran.set, every_seconds=0.001)

    with repeating([slow, quick]):
        assert other_ran.wait(SECONDS)
        release.set()
