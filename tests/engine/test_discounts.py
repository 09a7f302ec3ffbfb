"""Effective rates of options: what follows a resize, and what does not."""

import numpy as np
import pytest

from compute_optimizer.engine.discounts import (
    Rated,
    effective_rates,
    follows,
    savings_after_discounts,
)

NONE = np.nan


def rated(**columns: list[float] | list[bool]) -> Rated:
    """Return options of one machine at 0.2 USD an hour, with factors 0.8, 0.5 and 0.9."""
    rows = len(next(iter(columns.values())))
    usual: dict[str, float | bool] = {
        "listed_now": 0.2,
        "listed": 0.1,
        "billed_now": NONE,
        "factor": 0.8,
        "family_factor": 0.5,
        "movable_factor": 0.9,
        "same_family": False,
        "unchanged": False,
    }
    given = {name: np.array(column) for name, column in columns.items()}
    return Rated(**{name: np.full(rows, one) for name, one in usual.items()} | given)


def test_reservations_follow_inside_the_family_only() -> None:
    asked = rated(same_family=[True, False, True], family_factor=[0.5, 0.5, NONE])

    now, option = effective_rates(asked)

    # Not billed for: 0.2 x 0.8. Inside the family 0.1 x 0.5; to another, or where sizes are not
    # flexible, 0.1 x 0.9.
    assert now == pytest.approx([0.16, 0.16, 0.16])
    assert option == pytest.approx([0.05, 0.09, 0.09])
    assert follows(asked).tolist() == [True, False, False]


def test_what_was_billed_counts_before_the_factor() -> None:
    monthly, percentage = savings_after_discounts(rated(billed_now=[0.14, NONE]))

    # 730 hours of 0.14 - 0.09 and of 0.16 - 0.09, of 0.14 and of 0.16.
    assert monthly == pytest.approx([36.5, 51.1])
    assert percentage == pytest.approx([35.714, 43.75], abs=0.001)


def test_a_well_reserved_type_may_leave_nothing_to_save() -> None:
    monthly, percentage = savings_after_discounts(rated(billed_now=[0.08]))

    # 0.08 is less than the 0.09 of the option.
    assert (monthly.tolist(), percentage.tolist()) == ([0.0], [0.0])


def test_the_present_type_saves_nothing() -> None:
    asked = rated(unchanged=[True], listed=[0.2], billed_now=[0.14])

    assert savings_after_discounts(asked)[0].tolist() == [0.0]
    assert follows(asked).tolist() == [True]


def test_without_a_price_of_the_option_nothing_is_known() -> None:
    assert np.isnan(savings_after_discounts(rated(listed=[NONE]))[0]).all()
