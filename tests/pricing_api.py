"""The pricing API of AWS on a socket of this machine, as boto3 speaks to it."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

PUBLISHED = "2026-11-20T08:00:00Z"

Product = tuple[str, str]
"""The service that it is of, and its JSON."""


def product(
    service: str, unit: str, usd: str, begins: str = "0", published: str = PUBLISHED, **told: str
) -> Product:
    """Return a product on demand, with attributes as the API names them."""
    price = {
        "unit": unit,
        "beginRange": begins,
        "endRange": "Inf",
        "description": "a price",
        "appliesTo": [],
        "rateCode": "SKU.JRTCKXETXF.6YS6EN2CT7",
        "pricePerUnit": {"USD": usd},
    }
    term = {
        "sku": "SKU",
        "offerTermCode": "JRTCKXETXF",
        "effectiveDate": "2026-11-01T00:00:00Z",
        "termAttributes": {},
        "priceDimensions": {"SKU.JRTCKXETXF.6YS6EN2CT7": price},
    }
    family = told.pop("productFamily", "")
    attributes = {"servicecode": service, "regionCode": "us-east-1", **told}
    body = {
        "product": {"productFamily": family, "attributes": attributes, "sku": "SKU"},
        "serviceCode": service,
        "terms": {"OnDemand": {"SKU.JRTCKXETXF": term}},
        "version": "20261120080000",
        "publicationDate": published,
    }
    return service, json.dumps(body)


def instance(name: str, usd: str, **told: str) -> Product:
    """Return an instance type with Linux."""
    plain = {
        "productFamily": "Compute Instance",
        "instanceType": name,
        "operatingSystem": "Linux",
        "tenancy": "Shared",
        "capacitystatus": "Used",
        "preInstalledSw": "NA",
        "licenseModel": "No License required",
        "usagetype": f"BoxUsage:{name}",
    }
    return product("AmazonEC2", "Hrs", usd, **plain | told)


@dataclass
class PricingServer:
    """What the server answers, and what it was asked."""

    url: str
    products: Sequence[Product] = ()
    on_a_page: int = 2
    lists: dict[str, str] = field(default_factory=dict)
    """By service: where its whole list is."""
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refusal: str = ""
    """Code of an error in the place of every answer."""

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return the members of an answer."""
        self.asked.append((operation, request))
        if operation == "GetPriceListFileUrl":
            return {"Url": self.lists[request["PriceListArn"].rpartition(":")[2]]}
        if operation == "ListPriceLists":
            return {"PriceLists": self._lists(request)}
        found = list(self._matching(request))
        start = int(request.get("NextToken", "0"))
        page = found[start : start + self.on_a_page]
        more = (
            {"NextToken": str(start + self.on_a_page)}
            if start + self.on_a_page < len(found)
            else {}
        )
        return {"FormatVersion": "aws_v1", "PriceList": page, **more}

    def _lists(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        service, region = request["ServiceCode"], request["RegionCode"]
        arn = f"arn:aws:pricing:::price-list/aws/{service}/USD/20261120/{region}:{service}"
        about = {"RegionCode": region, "CurrencyCode": request["CurrencyCode"]}
        return [{"PriceListArn": arn, "FileFormats": ["json", "csv"], **about}]

    def _matching(self, request: dict[str, Any]) -> Iterator[str]:
        for service, text in self.products:
            told = json.loads(text)["product"]
            known = {**told["attributes"], "productFamily": told["productFamily"]}
            wanted = {one["Field"]: one["Value"] for one in request["Filters"]}
            if service == request["ServiceCode"] and wanted.items() <= known.items():
                yield text


@contextmanager
def pricing_server() -> Iterator[PricingServer]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer one request of JSON 1.1."""
            service, _, operation = self.headers["X-Amz-Target"].partition(".")
            assert service == "AWSPriceListService"
            size = int(self.headers["Content-Length"])
            request = json.loads(self.rfile.read(size))
            told: dict[str, Any] = {"__type": served.refusal, "message": "no"}
            status = 400
            if not served.refusal:
                told, status = served.answer(operation, request), 200
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("x-amzn-RequestId", "1")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = PricingServer(f"http://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield served
        server.shutdown()
        thread.join()


@pytest.fixture
def pricing(monkeypatch: pytest.MonkeyPatch) -> Iterator[PricingServer]:
    """A pricing API to which boto3 is led, with credentials."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with pricing_server() as served:
        monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", served.url)
        yield served
