"""Which hosts are this machine alone."""

import pytest

from compute_optimizer.model.hosts import is_loopback


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_loopback_is_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "10.0.0.1", "localhost.example.com"])
def test_anything_else_may_be_reached_or_meant_by_others(host: str) -> None:
    assert not is_loopback(host)
