"""What came of advice that was followed, counted by the dimensions that became smaller."""

from typing import Any

import pytest

from compute_optimizer.backtest.followed import changes_of
from compute_optimizer.model.outcome import Outcome
from tests.outcomes import outcome


def judged(violated_in: tuple[str, ...] = (), **others: Any) -> Outcome:
    """Return a change of a function whose 14 days are over."""
    told: dict[str, Any] = {
        "violated": bool(violated_in),
        "complete": True,
        "smaller_in": ("Memory", "Errors", "Throttles"),
        "violated_in": violated_in,
    }
    return outcome(**(told | others))


def test_changes_are_counted_where_they_made_smaller_and_sent_something() -> None:
    found = changes_of(
        [
            judged(("Errors",)),
            judged(("Memory", "Errors"), unseen_in=("Throttles",)),
            judged(unseen_in=("Memory", "Throttles")),
            # Not over, and not judged: made, and nothing else.
            judged(complete=False),
            judged(violated=None),
        ]
    )

    assert (found["made"], found["judged"], found["violated"]) == (5, 3, 2)
    assert found["by_dimension"] == {
        "Memory": {"judged": 2, "violated": 1},
        "Errors": {"judged": 3, "violated": 2},
        "Throttles": {"judged": 1, "violated": 0},
    }
    # Wilson's interval of two in three: (2 / 3 + 0.6403 -+ 0.6889) / 2.2805.
    assert found["interval"] == pytest.approx([0.2077, 0.9385], abs=1e-3)


def test_where_nothing_was_followed_there_is_no_share() -> None:
    assert changes_of([]) == {
        "made": 0,
        "judged": 0,
        "violated": 0,
        "interval": None,
        "by_dimension": {},
    }
