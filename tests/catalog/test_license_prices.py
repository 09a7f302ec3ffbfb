"""What a license of SQL Server costs."""

from math import isnan

import pytest

from compute_optimizer.catalog.license_prices import vcpu_hour_usd


@pytest.mark.parametrize(("edition", "with_windows"), [("Enterprise", 0.421), ("Standard", 0.166)])
def test_a_license_is_what_windows_with_it_costs_more_than_windows(
    edition: str, with_windows: float
) -> None:
    # The guide lists Windows alone at 0.046 USD.
    assert vcpu_hour_usd(edition, "us-east-1") == pytest.approx(with_windows - 0.046)


def test_free_editions_cost_nothing() -> None:
    assert vcpu_hour_usd("Free", "eu-west-1") == 0.0


@pytest.mark.parametrize(
    ("edition", "region"), [("Enterprise", "cn-north-1"), ("NoLicenseEditionFound", "us-east-1")]
)
def test_what_has_no_figure_is_unknown(edition: str, region: str) -> None:
    assert isnan(vcpu_hour_usd(edition, region))
