"""What several things take together."""

from compute_optimizer.model.collection import Effort, at_once


def test_the_longest_of_several_bounds_what_they_take_at_once() -> None:
    found = at_once([Effort(1, 2, 10.0, 0.5), Effort(3, 4, 1.0, 0.25)], workers=4)

    assert found == Effort(4, 6, 10.0, 0.75)


def test_workers_share_what_is_much() -> None:
    assert at_once([Effort(seconds=3.0)] * 10, workers=2).seconds == 15.0


def test_nothing_takes_nothing() -> None:
    assert at_once([], workers=8) == Effort()
