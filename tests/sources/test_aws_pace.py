"""Callers are let through evenly, by what each of them takes."""

from time import monotonic

import pytest

from compute_optimizer.sources.aws.pace import Pace


@pytest.mark.parametrize(
    ("amounts", "seconds"),
    [
        ([1, 1, 1], 0.2),  # the third waits for two, a tenth of a second each
        ([2.5, 0, 5], 0.25),  # the second and third wait for the first; what they take, nobody
    ],
)
def test_who_comes_later_waits_for_what_was_taken(amounts: list[float], seconds: float) -> None:
    pace = Pace(per_second=10)
    start = monotonic()

    for amount in amounts:
        pace.wait(amount)

    assert seconds <= monotonic() - start < seconds + 0.2


def test_no_pace_does_not_wait() -> None:
    pace = Pace(0)
    start = monotonic()

    for _ in range(10):
        pace.wait(1e9)

    assert monotonic() - start < 0.1
