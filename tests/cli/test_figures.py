import pytest

from compute_optimizer.cli.figures import percent, usd


@pytest.mark.parametrize(
    ("share", "digits", "told"), [(0.444, 1, "44.4 %"), (0.2, 0, "20 %"), (12.5, 0, "1,250 %")]
)
def test_a_share_is_told_in_percent(share: float, digits: int, told: str) -> None:
    assert percent(share, digits) == told


@pytest.mark.parametrize(
    ("amount", "told"),
    [(None, "unknown"), (1489.2, "1,489.20"), (46.0, "46.00"), (0.2241, "0.2241"), (0.25, "0.25")],
)
def test_small_amounts_keep_what_cents_would_hide(amount: float | None, told: str) -> None:
    assert usd(amount) == told
