"""Described instance types among the shipped ones."""

from dataclasses import fields
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compute_optimizer.catalog.described_types import described, unshipped, with_described
from compute_optimizer.catalog.instance_types import InstanceTypes, load_instance_types
from compute_optimizer.catalog.own_prices import EC2, OwnPrice, PriceMarket, own_prices_of
from compute_optimizer.catalog.type_descriptions import COLUMNS
from compute_optimizer.errors import InvalidInput
from tests.new_types import description

DAY = date(2026, 11, 26)
REGION = "us-east-1"
SHIPPED = load_instance_types()


def newer(name: str, like: str, region: str = REGION, **changed: Any) -> InstanceTypes:
    """Return the catalog with one type more."""
    return with_described(SHIPPED, (described(description(name, like, **changed), region, DAY),))


@settings(max_examples=40)
@given(name=st.sampled_from(SHIPPED.names))
def test_a_description_says_what_the_shipped_catalog_says(name: str) -> None:
    figures = dict(described(description(name, name), REGION, DAY).figures)

    for column in COLUMNS:
        shipped = float(getattr(SHIPPED, column)[SHIPPED.index[name]])
        told = figures[column]
        assert np.isnan(shipped) if told is None else told == shipped, column


def test_shipped_types_stay_as_they_are_and_all_are_sorted_by_name() -> None:
    both = newer("m20i.xlarge", "m8i.xlarge")

    assert list(both.names) == sorted((*SHIPPED.names, "m20i.xlarge"))
    assert both.families == tuple(name.partition(".")[0] for name in both.names)
    assert {name: both.names[place] for name, place in both.index.items()} == {
        name: name for name in both.names
    }
    places = np.array([both.index[name] for name in SHIPPED.names])
    for one in fields(SHIPPED):
        shipped = getattr(SHIPPED, one.name)
        if isinstance(shipped, np.ndarray):
            np.testing.assert_array_equal(getattr(both, one.name)[places], shipped, one.name)
    for region in SHIPPED.offerings:
        np.testing.assert_array_equal(both.offered(region)[places], SHIPPED.offered(region))


def test_a_described_type_is_like_a_shipped_one_but_for_its_price() -> None:
    both = newer("m20i.xlarge", "m8i.xlarge")
    new, like = both.index["m20i.xlarge"], both.index["m8i.xlarge"]

    apart = {"speed_measured"}
    for one in fields(both):
        array = getattr(both, one.name)
        if isinstance(array, np.ndarray) and one.name not in apart:
            np.testing.assert_equal(array[new], array[like], one.name)
    # The speed is that of the generation before, which is no measurement of this one.
    assert not both.speed_measured[new]
    assert both.offered(REGION)[new]
    assert not both.offered("eu-west-1")[new]


def test_what_is_shipped_counts_before_what_is_described() -> None:
    again = described(description("m5.large", "m5.24xlarge"), REGION, DAY)

    assert with_described(SHIPPED, (again,)) is SHIPPED
    assert unshipped([again]) == []


def test_a_region_with_an_own_price_offers_a_described_type() -> None:
    one = described(description("m20i.xlarge", "m8i.xlarge"), REGION, DAY)
    market = PriceMarket(EC2, "eu-west-1", "linux")
    own = own_prices_of([OwnPrice(market, "m20i.xlarge", 0.2, "ours", DAY)])

    both = with_described(SHIPPED, (one,), own)

    place = both.index["m20i.xlarge"]
    offering = {region for region in both.offerings if both.offered(region)[place]}
    assert offering == {REGION, "eu-west-1"}


@pytest.mark.parametrize(
    ("name", "like", "kin"),
    [
        ("m20g.large", "m8g.large", "m9g.large"),
        ("x20g.large", "x8g.large", "x8g.large"),
        # A suffix that no family has.
        ("m20q.large", "m8i.large", None),
        # The same name, but of another maker.
        ("m20i.large", "m8g.large", None),
        ("zz20.large", "m8i.large", None),
    ],
)
def test_the_speed_of_a_new_family_is_that_of_the_generation_before(
    name: str, like: str, kin: str | None
) -> None:
    both = newer(name, like)

    speed = both.relative_speed[both.index[name]]
    assert np.isnan(speed) if kin is None else speed == both.relative_speed[both.index[kin]]


@pytest.mark.parametrize(
    ("name", "like", "supported"),
    [
        ("m20i.large", "m8i.large", True),
        ("m8i.huge", "m8i.large", True),
        # Families that the package has, and the service does not list.
        ("trn1.huge", "trn1.2xlarge", False),
        ("t20.large", "t3.large", False),
        ("trn20.large", "trn1.2xlarge", False),
        ("mac20.metal", "mac2.metal", False),
        ("g20.xlarge", "g6.xlarge", True),
    ],
)
def test_families_that_nothing_can_be_said_of_get_no_recommendation(
    name: str, like: str, supported: bool
) -> None:
    both = newer(name, like)

    assert both.rightsizing_supported[both.index[name]] == supported


@pytest.mark.parametrize("lacking", ["VCpuInfo", "EbsInfo", "ProcessorInfo", "InstanceType"])
def test_a_description_that_lacks_something_is_named(lacking: str) -> None:
    item = description("m20i.large", "m8i.large")
    del item[lacking]

    with pytest.raises(InvalidInput, match=f"lacks or misstates .*{lacking}"):
        described(item, REGION, DAY)
    unknown = description("m20i.large", "m8i.large", ProcessorInfo={"Manufacturer": "Acme"})
    with pytest.raises(InvalidInput, match="lacks or misstates"):
        described(unknown, REGION, DAY)
