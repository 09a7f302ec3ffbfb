import numpy as np

from compute_optimizer.engine.ranking import NONE, Options, best, cheapest

PRICES = np.array([1.0, 2.0, 3.0, 3.0, 3.0, 4.0])


def picks(*fit: int) -> list[int]:
    found = cheapest(np.array([fit], dtype=np.bool_), PRICES)
    return [place for place in found[0].tolist() if place != NONE]


def test_the_three_cheapest_are_picked() -> None:
    assert picks(1, 1, 1, 0, 0, 1) == [0, 1, 2]


def test_ties_with_the_third_price_stay_for_the_risk_to_decide() -> None:
    assert picks(1, 1, 1, 1, 1, 1) == [0, 1, 2, 3, 4]


def test_fewer_than_three_leave_places_open() -> None:
    assert cheapest(np.array([[0, 0, 0, 0, 0, 1]], dtype=np.bool_), PRICES).tolist() == [
        [5, NONE, NONE]
    ]


def test_no_candidates_leave_all_places_open() -> None:
    assert cheapest(np.zeros((2, 0), dtype=np.bool_), np.zeros(0)).tolist() == [[NONE] * 3] * 2


def test_price_then_risk_then_name_rank() -> None:
    options = Options(
        types=np.array([[[7, 5, 4, 6, NONE]]]),
        prices=np.array([[[2.0, 2.0, 2.0, 1.0, np.nan]]]),
        risks=np.array([[[0.0, 0.0, 1.0, 3.0, np.nan]]]),
    )

    found = best(options)

    # 6 is cheapest; of the equal prices 5 and 7 carry less risk than 4, and 5 comes first by name.
    assert found.types.tolist() == [[[6, 5, 7]]]
    assert found.risks.tolist() == [[[3, 0, 0]]]
