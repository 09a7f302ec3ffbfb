"""The API of the AWS Price List (`pricing`): products by page, and where a whole list is.

It wants credentials, and is at a few Regions only; what it answers is what the lists hold.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from botocore.config import Config

from compute_optimizer.catalog.own_prices import OwnPrice
from compute_optimizer.errors import InvalidInput, SourceUnavailable
from compute_optimizer.sources.aws.access import ATTEMPTS, open_session
from compute_optimizer.sources.aws.clients import make_client
from compute_optimizer.sources.aws.failing import refusals
from compute_optimizer.sources.prices.lines import MB, MOST_MB
from compute_optimizer.sources.prices.offers import ENGINES, PLATFORMS, Offer, Row, own_prices_in
from compute_optimizer.sources.prices.price_list import published_on

ENDPOINTS = ("us-east-1", "eu-central-1", "ap-south-1")
"""Regions in which the API is (AWS Billing User Guide, Price List API)."""

CURRENCY = "USD"

FORM = "aws_v1"
"""The one form of products that there is."""

PRODUCTS_AT_ONCE = 100
"""On a page, at most (API reference of GetProducts)."""

ATTRIBUTES = {
    "Instance Type": "instanceType",
    "Storage": "storage",
    "Operating System": "operatingSystem",
    "Tenancy": "tenancy",
    "CapacityStatus": "capacitystatus",
    "Pre Installed S/W": "preInstalledSw",
    "License Model": "licenseModel",
    "Deployment Option": "deploymentOption",
    "Database Engine": "databaseEngine",
    "Region Code": "regionCode",
    "usageType": "usagetype",
}
"""Columns of the CSV form -> attributes of a product."""

PLAIN = {"tenancy": "Shared", "capacitystatus": "Used", "preInstalledSw": "NA"}
"""Of instances: what leaves a hundredth of the products."""

FILTERS: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "AmazonEC2": (
        *({"operatingSystem": name, **PLAIN} for name in PLATFORMS),
        *(
            {"productFamily": name}
            for name in ("Storage", "System Operation", "Provisioned Throughput", "NAT Gateway")
        ),
    ),
    "AmazonRDS": (
        *({"databaseEngine": name, "deploymentOption": "Single-AZ"} for name in ENGINES),
        *(
            {"productFamily": name}
            for name in (
                "Database Storage",
                "Provisioned IOPS",
                "Provisioned Throughput",
                "System Operation",
            )
        ),
    ),
    "AWSLambda": ({"productFamily": "Serverless"},),
    "AmazonECS": ({"productFamily": "Compute"},),
}
"""By service: the questions that together have what is kept, each beside the Region."""

NOT_OF_AWS = (KeyError, TypeError, ValueError, AttributeError)
"""What a product raises that has another form."""

ADVICE = "docs/prices.md lists the actions that it needs"


@dataclass(frozen=True, slots=True)
class PricingApi:
    """Who asks, and where."""

    profile: str | None = None
    """Of the shared configuration; None for what botocore finds by itself."""
    endpoint_region: str = ENDPOINTS[0]
    most_mb: int = MOST_MB
    """Of the products of one service and Region."""

    def prices(
        self, offer: Offer, region: str, progress: Callable[[int], None] = lambda products: None
    ) -> list[OwnPrice]:
        """Return the prices of a service in a Region; `progress` is told the products so far.

        Raises InvalidInput without credentials, and SourceUnavailable for what the API refuses, for
        answers of another form, beyond `most_mb`, and where nothing is of use.
        """
        where = f"{offer.code} in {region}"
        products = _within(self._products(offer, region), where, self.most_mb)
        told = list(_read(where, products, progress))
        published = min((day for day, _ in told), default=None)
        found: list[OwnPrice] = []
        if published is not None:
            rows = ((where, row) for _, rows in told for row in rows)
            found = list(own_prices_in(rows, offer, published))
        if not found:
            raise SourceUnavailable(
                f"the pricing API has no price of {where} that is of use; is {region} a Region?"
            )
        return found

    def list_url(self, offer: Offer, region: str, day: date) -> str:
        """Return the address of the whole list of a service and Region that held on a day.

        It is signed, and good for some minutes. Raises InvalidInput without credentials, and
        SourceUnavailable for what the API refuses or does not have.
        """
        where = f"{offer.code} in {region}"
        with closing(self._client()) as client:
            with _refusals(where, "pricing:ListPriceLists"):
                pages = client.get_paginator("list_price_lists").paginate(
                    ServiceCode=offer.code,
                    EffectiveDate=datetime.combine(day, time.max, UTC),
                    RegionCode=region,
                    CurrencyCode=CURRENCY,
                )
                lists = [one for page in pages for one in page["PriceLists"]]
            arn = next((one["PriceListArn"] for one in lists if one["RegionCode"] == region), None)
            if arn is None:
                raise SourceUnavailable(f"the pricing API has no list of {where} as of {day}")
            with _refusals(where, "pricing:GetPriceListFileUrl"):
                found = client.get_price_list_file_url(PriceListArn=arn, FileFormat="csv")
        url: str = found["Url"]
        return url

    def _products(self, offer: Offer, region: str) -> Iterator[str]:
        """Yield the products of a service and Region, each as its JSON."""
        with closing(self._client()) as client, _refusals(offer.code, "pricing:GetProducts"):
            for filters in FILTERS[offer.code]:
                pages = client.get_paginator("get_products").paginate(
                    ServiceCode=offer.code,
                    FormatVersion=FORM,
                    Filters=[
                        {"Type": "TERM_MATCH", "Field": name, "Value": value}
                        for name, value in {"regionCode": region, **filters}.items()
                    ],
                    PaginationConfig={"PageSize": PRODUCTS_AT_ONCE},
                )
                for page in pages:
                    yield from page["PriceList"]

    def _client(self) -> Any:
        config = Config(retries={"mode": "adaptive", "total_max_attempts": ATTEMPTS})
        return make_client(open_session(self.profile), "pricing", self.endpoint_region, config)


def check_endpoint(region: str) -> str:
    """Return a Region in which the API is; raise InvalidInput for another one."""
    if region not in ENDPOINTS:
        raise InvalidInput(f"the pricing API is not in {region!r}; expected {', '.join(ENDPOINTS)}")
    return region


def _refusals(where: str, action: str) -> Any:
    return refusals(f"{where} ({ADVICE})", action)


def _within(products: Iterator[str], where: str, most_mb: int) -> Iterator[str]:
    """Yield products; raise SourceUnavailable when they are more than may be read."""
    left = most_mb * MB
    for one in products:
        left -= len(one)
        if left < 0:
            raise SourceUnavailable(
                f"the products of {where} have more than {most_mb:,} MB, the setting price_max_mb; "
                "raise it, or see what answers there"
            )
        yield one


def _read(
    where: str, products: Iterator[str], progress: Callable[[int], None]
) -> Iterator[tuple[date, list[Row]]]:
    """Yield the day of publication and the prices of each product, by the columns of the lists."""
    for number, text in enumerate(products, 1):
        if number % PRODUCTS_AT_ONCE == 0:
            progress(number)
        try:
            product = json.loads(text)
            yield published_on(where, product["publicationDate"]), _rows(product)
        except NOT_OF_AWS as error:
            raise SourceUnavailable(
                f"the pricing API told a product of {where} that is none: {text[:80]!r} ({error!r})"
            ) from error


def _rows(product: Mapping[str, Any]) -> list[Row]:
    attributes = product["product"]["attributes"]
    told = {column: attributes.get(name, "") for column, name in ATTRIBUTES.items()}
    return [
        {
            **told,
            "TermType": "OnDemand",
            "Unit": one["unit"],
            "PricePerUnit": one["pricePerUnit"][CURRENCY],
            "Currency": CURRENCY,
            "StartingRange": one.get("beginRange", ""),
        }
        for term in product["terms"].get("OnDemand", {}).values()
        for one in term["priceDimensions"].values()
        if CURRENCY in one["pricePerUnit"]
    ]
