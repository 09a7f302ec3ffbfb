"""The pricing API through boto3, and the cache of what was read today."""

import gzip
from datetime import date
from pathlib import Path

import boto3
import pytest

from compute_optimizer.catalog.own_prices import (
    EBS,
    EC2,
    LAMBDA,
    RDS,
    RDS_STORAGE,
    VPC,
    OwnPrice,
    PriceMarket,
)
from compute_optimizer.errors import InvalidInput, SourceUnavailable
from compute_optimizer.sources.prices import OFFERS, PriceCache, PricingApi, check_endpoint
from tests.pricing_api import PricingServer, instance, pricing, product

__all__ = ["pricing"]

EC2_OFFER, RDS_OFFER, LAMBDA_OFFER, ECS_OFFER = OFFERS
REGION = "us-east-1"
TODAY = date(2026, 11, 26)


def disk(usage_type: str, unit: str, usd: str, family: str) -> tuple[str, str]:
    return product("AmazonEC2", unit, usd, usagetype=usage_type, productFamily=family)


def test_the_server_of_these_tests_speaks_to_boto3(pricing: PricingServer) -> None:
    pricing.products = [instance("m5.large", "0.1"), instance("m5.xlarge", "0.2")]
    pricing.on_a_page = 1
    client = boto3.client("pricing", region_name=REGION)

    pages = list(client.get_paginator("get_products").paginate(ServiceCode="AmazonEC2", Filters=[]))

    assert [len(page["PriceList"]) for page in pages] == [1, 1]
    client.close()


def test_all_pages_of_all_questions_are_the_prices_of_a_service(pricing: PricingServer) -> None:
    sizes = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge")
    machines = [instance(f"m5.{size}", str(0.1 * 2**n)) for n, size in enumerate(sizes)]
    pricing.products = [
        *machines,
        instance("m5.large", "0.19", operatingSystem="Windows"),
        instance("m5.large", "0.11", tenancy="Dedicated"),
        instance("m5.large", "9", licenseModel="Bring your own license"),
        instance("m5.large", "9", regionCode="eu-west-1"),
        disk("EBS:VolumeUsage.gp3", "GB-Mo", "0.08", "Storage"),
        disk("EBS:VolumeP-Throughput.gp3", "GiBps-mo", "40.96", "Provisioned Throughput"),
        disk("NatGateway-Hours", "Hrs", "0.045", "NAT Gateway"),
    ]

    found = PricingApi().prices(EC2_OFFER, REGION)

    linux = PriceMarket(EC2, REGION, "linux")
    assert {one.name: one.usd for one in found if one.market == linux} == pytest.approx(
        {f"m5.{size}": 0.1 * 2**n for n, size in enumerate(sizes)}
    )
    others = {(one.market[::2], one.name): one.usd for one in found if one.market != linux}
    assert others == pytest.approx(
        {
            ((EC2, "windows"), "m5.large"): 0.19,
            ((EBS, "gp3"), "gib"): 0.08,
            ((EBS, "gp3"), "mibps"): 0.04,
            ((VPC, "nat-gateway"), "hour"): 0.045,
        }
    )
    assert {(one.source, one.date) for one in found} == {
        ("AWS Price List, AmazonEC2", date(2026, 11, 20))
    }
    # Five instances on Linux are three pages of two.
    linux_pages = [
        request.get("NextToken")
        for _, request in pricing.asked
        if {"Type": "TERM_MATCH", "Field": "operatingSystem", "Value": "Linux"}
        in request["Filters"]
    ]
    assert linux_pages == [None, "2", "4"]


def test_databases_and_functions_are_told_apart_as_in_lists(pricing: PricingServer) -> None:
    in_one_zone = {"deploymentOption": "Single-AZ", "databaseEngine": "MySQL"}
    pricing.products = [
        product(
            "AmazonRDS",
            "Hrs",
            "0.171",
            instanceType="db.m5.large",
            licenseModel="No license required",
            productFamily="Database Instance",
            usagetype="InstanceUsage:db.m5.large",
            **in_one_zone,
        ),
        product(
            "AmazonRDS",
            "GB-Mo",
            "0.115",
            usagetype="RDS:GP3-Storage",
            productFamily="Database Storage",
            **in_one_zone,
        ),
        *(
            product(
                "AWSLambda",
                "Lambda-GB-Second",
                usd,
                begins,
                usagetype="Lambda-GB-Second-ARM",
                productFamily="Serverless",
            )
            for begins, usd in (("0", "0.0000133334"), ("7500000000", "0.0000120001"))
        ),
    ]

    databases = PricingApi().prices(RDS_OFFER, REGION)
    functions = PricingApi().prices(LAMBDA_OFFER, REGION)

    assert {(one.market.product, one.market.platform, one.name, one.usd) for one in databases} == {
        (RDS, "mysql", "db.m5.large", 0.171),
        (RDS_STORAGE, "single-az gp3", "gib", 0.115),
    }
    assert [(one.market, one.name, one.usd) for one in functions] == [
        (PriceMarket(LAMBDA, REGION, "arm64"), "gb_second", 0.0000133334)
    ]


def test_the_whole_list_of_a_day_is_found(pricing: PricingServer) -> None:
    pricing.lists = {"AmazonECS": "http://lists.example/AmazonECS.csv?signature=1"}

    url = PricingApi().list_url(ECS_OFFER, REGION, date(2026, 3, 1))

    assert url == pricing.lists["AmazonECS"]
    (_, asked), (_, file) = pricing.asked
    # The last second of the day, as a number since 1970.
    assert asked["EffectiveDate"] == pytest.approx(1772409599, abs=1)
    assert file["FileFormat"] == "csv"


def test_what_the_api_does_not_have_or_refuses_says_so(pricing: PricingServer) -> None:
    with pytest.raises(SourceUnavailable, match=r"no price of AmazonEC2 in mars-1 .*a Region\?"):
        PricingApi().prices(EC2_OFFER, "mars-1")

    pricing.products = [
        product(
            "AmazonECS", "hours", "cheap", usagetype="Fargate-GB-Hours", productFamily="Compute"
        )
    ]
    with pytest.raises(InvalidInput, match="AmazonECS in us-east-1: 'cheap' is no price"):
        PricingApi().prices(ECS_OFFER, REGION)

    pricing.refusal = "AccessDeniedException"
    with pytest.raises(SourceUnavailable, match="pricing:GetProducts"):
        PricingApi().prices(EC2_OFFER, REGION)


def test_a_product_of_another_form_is_named(pricing: PricingServer) -> None:
    pricing.products = [
        product("AmazonECS", "hours", "1", published="soon", productFamily="Compute")
    ]
    with pytest.raises(InvalidInput, match="publication date 'soon'"):
        PricingApi().prices(ECS_OFFER, REGION)

    service, text = product("AmazonECS", "hours", "1", productFamily="Compute")
    pricing.products = [(service, text.replace("priceDimensions", "prices"))]
    with pytest.raises(SourceUnavailable, match="told a product of AmazonECS in us-east-1"):
        PricingApi().prices(ECS_OFFER, REGION)


def test_no_more_is_read_than_may_be(pricing: PricingServer) -> None:
    long = "x" * 600_000
    pricing.products = [instance("m5.large", "0.1", note=long), instance("m5.xlarge", "1", n=long)]

    with pytest.raises(SourceUnavailable, match="more than 1 MB, the setting price_max_mb"):
        PricingApi(most_mb=1).prices(EC2_OFFER, REGION)
    assert PricingApi(most_mb=2).prices(EC2_OFFER, REGION)


def test_the_api_is_at_three_regions() -> None:
    assert check_endpoint("ap-south-1") == "ap-south-1"
    with pytest.raises(InvalidInput, match="not in 'eu-west-1'; expected us-east-1, eu-central-1"):
        check_endpoint("eu-west-1")


PRICE = OwnPrice(PriceMarket(EC2, REGION, "linux"), "m5.large", 0.1, "list", date(2026, 11, 20))


class Counted:
    """Prices from the web, with how often they were read."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> list[OwnPrice]:
        self.times += 1
        return [PRICE]


def test_a_list_is_read_once_a_day(tmp_path: Path) -> None:
    read = Counted()
    cache = PriceCache(tmp_path / "lists", TODAY)

    assert cache.prices("https://prices.example/a", read) == ([PRICE], False)
    assert cache.prices("https://prices.example/a", read) == ([PRICE], True)
    assert read.times == 1
    assert cache.prices("https://prices.example/b", read) == ([PRICE], False)
    assert PriceCache(tmp_path / "lists", TODAY, again=True).prices(
        "https://prices.example/a", read
    ) == ([PRICE], False)
    tomorrow = PriceCache(tmp_path / "lists", date(2026, 11, 27))
    assert tomorrow.prices("https://prices.example/a", read) == ([PRICE], False)
    assert read.times == 4
    # What is of an earlier day is gone.
    assert [one.name for one in (tmp_path / "lists").iterdir()] == ["2026-11-27"]


@pytest.mark.parametrize(
    # Of the last one the head is gzip's, and the first block of a type that does not exist.
    "content",
    [b"", b"no gzip", b"\x1f\x8b broken", gzip.compress(b"{}", mtime=0)[:10] + b"\xff" * 20],
)
def test_a_file_that_is_damaged_is_read_from_the_web_again(tmp_path: Path, content: bytes) -> None:
    read, cache = Counted(), PriceCache(tmp_path, TODAY)
    cache.prices("a", read)
    (file,) = (tmp_path / "2026-11-26").iterdir()
    file.write_bytes(content)

    assert cache.prices("a", read) == ([PRICE], False)
    assert cache.prices("a", read) == ([PRICE], True)


def test_a_list_that_fails_is_not_kept(tmp_path: Path) -> None:
    def fail() -> list[OwnPrice]:
        raise SourceUnavailable("gone")

    cache = PriceCache(tmp_path, TODAY)
    with pytest.raises(SourceUnavailable):
        cache.prices("a", fail)
    assert cache.prices("a", Counted()) == ([PRICE], False)
