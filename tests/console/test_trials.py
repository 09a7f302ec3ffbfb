"""What-ifs in the background: one at a time, the newest kept, and errors told."""

from threading import Event

import pytest

from compute_optimizer.console import trials
from compute_optimizer.console.trials import Progress, Run, Trials
from compute_optimizer.errors import Conflict, NotFound

SECONDS = 30
"""After which a thread of a test is given up."""


def finished(run: Run) -> Run:
    assert run.over.wait(SECONDS)
    return run


def test_a_result_is_for_the_session_that_asked() -> None:
    found = Trials()
    run = finished(found.start("mine", "asked", lambda progress: 42))

    assert found.find("mine", run.run_id).result == 42
    for owner, name in (("other", run.run_id), ("mine", "0" * 16)):
        with pytest.raises(NotFound, match="not known here any more"):
            found.find(owner, name)


def test_one_is_computed_at_a_time() -> None:
    found, go, begun = Trials(), Event(), list[str]()

    def act(name: str) -> str:
        begun.append(name)
        assert go.wait(SECONDS)
        return name

    first = found.start("mine", None, lambda progress: act("first"))
    while not begun:
        assert not first.is_over
    second = found.start("mine", None, lambda progress: act("second"))
    assert (begun, second.total) == (["first"], 0)
    go.set()
    finished(first)
    assert finished(second).result == "second"


def test_progress_is_told_and_stopping_ends_it_there() -> None:
    found, there, go = Trials(), Event(), Event()

    def act(progress: Progress) -> None:
        progress(1, 3)
        there.set()
        assert go.wait(SECONDS)
        progress(2, 3)
        raise AssertionError("it goes on")

    run = found.start("mine", None, act)
    assert there.wait(SECONDS)
    assert (run.done, run.total) == (1, 3)
    run.stopped = True
    go.set()

    assert finished(run).problem == "It was stopped; nothing was saved."
    assert run.result is None


def test_errors_are_told_and_defects_are_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(progress: Progress) -> None:
        raise Conflict("there is nothing to try")

    def fail(progress: Progress) -> None:
        raise ZeroDivisionError("secret")

    found = Trials()
    assert finished(found.start("mine", None, refuse)).problem == "there is nothing to try"
    run = finished(found.start("mine", None, fail))
    assert run.problem == "It failed. The program's log says why."
    assert "secret" in caplog.text


def test_the_newest_results_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "KEPT", 2)
    found = Trials()
    runs = [finished(found.start("mine", None, lambda progress: 1)) for _ in range(3)]

    with pytest.raises(NotFound):
        found.find("mine", runs[0].run_id)
    assert [found.find("mine", one.run_id) for one in runs[1:]] == runs[1:]
