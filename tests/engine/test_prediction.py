"""What predicted peaks say of the types of a market."""

import numpy as np
import pytest

from compute_optimizer.engine.prediction import worth_it

PRICES = np.array([0.1, 0.2, 0.3])
"""USD per hour of three types, all below 0.5 USD of today's."""

EVERY = np.ones((1, 3), np.bool_)


def kept(risk: list[float], incident_usd: float, fit: list[bool] | None = None) -> list[bool]:
    wanted = EVERY if fit is None else np.array([fit])
    found = worth_it(wanted, np.array([risk]), PRICES, 0.5, incident_usd)
    return [bool(one) for one in found[0]]


def test_types_cheaper_than_the_best_are_not_worth_their_risk() -> None:
    # 336 hours of 0.1, 0.2 and 0.3 USD are 33.6, 67.2 and 100.8 USD; a violation costs 100.
    # With risks of .9, .1 and 0: 123.6, 77.2 and 100.8. The second is best.
    assert kept([0.9, 0.1, 0.0], 100) == [False, True, True]


def test_without_a_price_on_violations_the_cheapest_is_best() -> None:
    assert kept([0.9, 0.1, 0.0], 0) == [True, True, True]


def test_where_nothing_beats_today_nothing_is_worth_it() -> None:
    # Today costs 168 USD for the fortnight; every type more than that with its harm.
    assert kept([0.9, 0.9, 0.9], 1_000) == [False, False, False]


def test_what_does_not_fit_is_not_asked() -> None:
    assert kept([0.0, 0.1, 0.0], 100, [False, True, True]) == [False, True, True]


def test_no_cheaper_type_is_nothing_to_choose_from() -> None:
    nothing = worth_it(np.ones((2, 0), np.bool_), np.zeros((2, 0)), np.zeros(0), 0.5, 100)

    assert nothing.shape == (2, 0)


@pytest.mark.parametrize("incident_usd", [0.0, 50.0, 500.0])
def test_dearer_incidents_never_make_cheaper_types_worth_it(incident_usd: float) -> None:
    risk = [0.5, 0.2, 0.05]

    before, after = kept(risk, incident_usd), kept(risk, incident_usd + 100)

    assert before.index(True) <= after.index(True) if any(after) else True
