"""Token buckets, by a clock that the test turns."""

import pytest

from compute_optimizer.api import limits
from compute_optimizer.api.limits import OwnLevels, TokenBuckets, per_minute, source_of


def test_a_burst_passes_and_then_one_token_comes_back_at_the_rate() -> None:
    buckets = TokenBuckets(rate=5.0, burst=2.0)

    assert [buckets.take("a", 0.0) for _ in range(2)] == [0.0, 0.0]
    # An empty bucket has a token again after 1 / 5 s.
    assert buckets.take("a", 0.0) == pytest.approx(0.2)
    assert buckets.take("a", 0.15) == pytest.approx(0.05)
    assert buckets.take("a", 0.2) == 0.0
    assert buckets.take("a", 0.2) == pytest.approx(0.2)


def test_waiting_longer_saves_up_no_more_than_the_burst() -> None:
    buckets = TokenBuckets(rate=5.0, burst=2.0)
    buckets.take("a", 0.0)

    waits = [buckets.take("a", 3600.0) for _ in range(3)]

    assert waits == [0.0, 0.0, pytest.approx(0.2)]


def test_keys_do_not_share_a_bucket() -> None:
    buckets = TokenBuckets(rate=1.0, burst=1.0)
    buckets.take("a", 0.0)

    assert buckets.take("b", 0.0) == 0.0
    assert buckets.take("a", 0.0) == 1.0


def test_a_rate_of_zero_is_off() -> None:
    buckets = TokenBuckets(rate=0.0, burst=1.0)

    assert {buckets.take("a", 0.0) for _ in range(100)} == {0.0}


def test_a_clock_that_runs_backwards_neither_fills_nor_empties() -> None:
    buckets = TokenBuckets(rate=1.0, burst=2.0)
    buckets.take("a", 100.0)

    assert buckets.take("a", 50.0) == 0.0
    assert buckets.take("a", 50.0) == 1.0


def test_memory_is_bounded_by_dropping_who_came_longest_ago(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "BUCKETS_KEPT", 2)
    kept = OwnLevels()
    buckets = TokenBuckets(rate=1.0, burst=1.0, levels=kept)
    for key in ("a", "b", "a", "c"):  # "b" was touched longest ago when "c" comes
        buckets.take(key, 0.0)

    assert len(kept) == 2
    assert buckets.take("a", 0.0) == 1.0
    assert buckets.take("b", 0.0) == 0.0


def test_so_many_per_minute_pass_at_once_and_again_a_minute_later() -> None:
    buckets = per_minute(3.0)

    assert [buckets.take("a", 0.0) > 0 for _ in range(4)] == [False, False, False, True]
    assert [buckets.take("a", 60.0) > 0 for _ in range(4)] == [False, False, False, True]


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("not:an:address", "not:an:address"),
    ],
)
def test_the_addresses_of_one_ipv6_subscriber_are_one_source(address: str, source: str) -> None:
    assert source_of(address) == source
