"""Callers are let through evenly, by what each of them takes."""

import pytest

from compute_optimizer.sources.aws import pace
from compute_optimizer.sources.aws.pace import Pace


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let time pass by nothing but waiting: the seconds of each wait."""
    found: list[float] = []
    monkeypatch.setattr(pace, "monotonic", lambda: 1000.0 + sum(found))
    monkeypatch.setattr(pace, "sleep", found.append)
    return found


@pytest.mark.parametrize(
    ("amounts", "seconds"),
    [
        ([1, 1, 1], [0, 0.1, 0.1]),  # each a tenth of a second after the one before
        ([2.5, 0, 5], [0, 0.25, 0]),  # two wait for the first together; what they take, nobody
    ],
)
def test_who_comes_later_waits_for_what_was_taken(
    waited: list[float], amounts: list[float], seconds: list[float]
) -> None:
    steady = Pace(per_second=10)

    for amount in amounts:
        steady.wait(amount)

    assert waited == pytest.approx(seconds)


def test_no_pace_does_not_wait(waited: list[float]) -> None:
    none = Pace(0)

    for _ in range(10):
        none.wait(1e9)

    assert waited == [0] * 10
