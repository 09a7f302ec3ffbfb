"""Values for programs: rounded, spelled, or not there."""

from compute_optimizer.views.plain_values import iso, rounded
from tests.records import NOW


def test_numbers_have_two_digits_and_none_stays_none() -> None:
    assert [rounded(one) for one in (12.3456, None)] == [12.35, None]


def test_moments_tell_their_zone_and_none_stays_none() -> None:
    assert (iso(NOW), iso(None)) == (NOW.isoformat(), None)
    assert (iso(NOW) or "").endswith("+00:00")
