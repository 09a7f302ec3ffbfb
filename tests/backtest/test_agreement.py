"""Whether what came agrees with what was predicted."""

import pytest

from compute_optimizer.backtest.agreement import Agreement, agreement


# Of 100 changes 5 were violated: the 95 % interval (Wilson) is 2.2 to 11.2.
@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (2.1, Agreement.MORE),
        (2.3, Agreement.AGREES),
        (11.1, Agreement.AGREES),
        (11.3, Agreement.FEWER),
    ],
)
def test_the_expected_number_is_held_against_the_interval_of_what_came(
    expected: float, said: Agreement
) -> None:
    assert agreement(expected, 5, 100) is said


def test_of_nothing_nothing_is_said() -> None:
    assert agreement(0.0, 0, 0) is Agreement.UNTOLD
