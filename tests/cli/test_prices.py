"""Own prices, as somebody types them, through to the savings of a recommendation."""

import json
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.cli.conftest import Type
from tests.price_lists import (
    EC2_COLUMNS,
    RATE_COLUMNS,
    RDS_COLUMNS,
    ec2_row,
    rate_row,
    rds_row,
    write_list,
)
from tests.pricing_api import PricingServer, instance, pricing, product

__all__ = ["pricing"]

DISKS = {"databaseEngine": "MySQL", "productFamily": "Database Storage"}


class Quiet(SimpleHTTPRequestHandler):
    """Serve a folder and print nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def published(tmp_path: Path) -> Iterator[str]:
    """A web server with the lists of one Region, laid out as AWS does."""
    root = tmp_path / "web"
    lists = (
        ("AmazonEC2", EC2_COLUMNS, [ec2_row("m5.large", "0.048"), ec2_row("m5.xlarge", "0.096")]),
        ("AmazonRDS", RDS_COLUMNS, [rds_row("db.m5.large", "0.171")]),
        ("AWSLambda", RATE_COLUMNS, [rate_row("Request", "Requests", "0.0000002")]),
        ("AmazonECS", RATE_COLUMNS, [rate_row("USE1-Fargate-GB-Hours", "hours", "0.0044")]),
    )
    for offer, columns, rows in lists:
        folder = root / "offers" / "v1.0" / "aws" / offer / "current" / "us-east-1"
        folder.mkdir(parents=True)
        write_list(folder / "index.csv", rows, offer=offer, columns=columns)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def first_option(typed: Type, arn: str) -> tuple[str, float | None]:
    """Analyze, and return the first option of a machine and its savings."""
    assert typed("analyze", "--as-of", "2026-03-14").code == 0
    rows = json.loads(typed("recommend", "--output", "json").out)["recommendations"]
    (one,) = (row for row in rows if row["resourceArn"] == arn)
    return one["recommended"], one["estimatedMonthlySavings"]


def test_lists_are_fetched_for_a_region_listed_and_removed(
    typed: Type, fleet: list[str], published: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPUTE_OPTIMIZER_PRICE_LIST_URL", published)
    assert typed("prices", "list").out.startswith("There are none")

    loaded = json.loads(typed("prices", "load", "--region", "us-east-1", "--output", "json").out)

    assert [(one["prices"], one["date"]) for one in loaded["loaded"]] == [
        (2, "2026-11-20"),
        (1, "2026-11-20"),
        (1, "2026-11-20"),
        (1, "2026-11-20"),
    ]
    rows = json.loads(typed("prices", "list", "--output", "json").out)["prices"]
    assert [(row["layer"], row["product"], row["platform"], row["prices"]) for row in rows] == [
        ("list", "ec2", "linux", 2),
        ("list", "fargate", "linux x86_64", 1),
        ("list", "lambda", "x86_64", 1),
        ("list", "rds", "mysql", 1),
    ]
    assert typed("prices", "remove").out.startswith("Removed 5 prices")
    assert typed("prices", "list").out.startswith("There are none")


def test_a_region_that_is_not_published_ends_with_a_message(
    typed: Type, fleet: list[str], published: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPUTE_OPTIMIZER_PRICE_LIST_URL", published)

    ended = typed("prices", "load", "--region", "mars-north-1")

    assert ended.code == 6
    assert "mars-north-1/index.csv cannot be read" in " ".join(ended.err.split())


def test_a_sheet_counts_before_a_list_and_decides_the_savings(
    typed: Type, fleet: list[str], tmp_path: Path
) -> None:
    quiet = fleet[0]
    option, at_list = first_option(typed, quiet)
    told = json.loads(typed("explain", quiet, "--output", "json").out)
    now, sheet = told["current_hourly_usd"], tmp_path / "ours.csv"
    kind = told["instance_type"]
    listed = write_list(tmp_path / "list.csv", [ec2_row(kind, str(now * 2))])
    assert typed("prices", "load", "--file", str(listed)).code == 0
    _, at_twice = first_option(typed, quiet)
    # 730 hours of the present type at three times its price, and the option as it was.
    sheet.write_text(f"region,type,hourly_usd\nus-east-1,{kind},{now * 3}\n")
    assert typed("prices", "import", str(sheet), "--as-of", "2026-03-01").code == 0

    same, at_three_times = first_option(typed, quiet)

    assert same == option
    assert at_list is not None
    assert at_twice == pytest.approx(at_list + now * 730, abs=0.02)
    assert at_three_times == pytest.approx(at_list + 2 * now * 730, abs=0.02)
    told = json.loads(typed("explain", quiet, "--output", "json").out)
    assert told["price_date"] == "2026-03-01"


def test_a_region_is_read_from_the_web_once_a_day(
    typed: Type, fleet: list[str], published: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPUTE_OPTIMIZER_PRICE_LIST_URL", published)
    load = ("prices", "load", "--region", "us-east-1", "--output", "json")
    first = json.loads(typed(*load).out)["loaded"]
    for path in (tmp_path / "web").rglob("*.csv"):
        path.unlink()

    again = json.loads(typed(*load).out)["loaded"]

    assert [one["read"] for one in (*first, *again)] == ["now"] * 4 + ["earlier today"] * 4
    assert [one["prices"] for one in again] == [one["prices"] for one in first]
    assert typed(*load, "--again").code == 6


def test_a_list_that_is_larger_than_it_may_be_is_refused(
    typed: Type, fleet: list[str], published: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPUTE_OPTIMIZER_PRICE_LIST_URL", published)
    monkeypatch.setenv("COMPUTE_OPTIMIZER_PRICE_MAX_MB", "1")
    (large,) = (tmp_path / "web").rglob("AmazonEC2/**/index.csv")
    with large.open("a") as file:
        file.write("x\n" * 500_000)

    ended = typed("prices", "load", "--region", "us-east-1")

    assert ended.code == 6
    assert "has more than 1 MB, the setting price_max_mb" in " ".join(ended.err.split())
    assert typed("prices", "list").out.startswith("There are none")


def test_prices_are_fetched_by_the_api_once_a_day(
    typed: Type, fleet: list[str], pricing: PricingServer
) -> None:
    fargate = {"usagetype": "USE1-Fargate-GB-Hours", "productFamily": "Compute"}
    pricing.products = [
        instance("m5.large", "0.048"),
        product("AmazonRDS", "GB-Mo", "0.1", usagetype="RDS:GP3-Storage", **DISKS),
        product("AWSLambda", "Requests", "2e-7", usagetype="Request", productFamily="Serverless"),
        product("AmazonECS", "hours", "0.0044", **fargate),
    ]
    fetch = ("prices", "fetch", "--region", "us-east-1", "--output", "json")

    first = json.loads(typed(*fetch).out)["loaded"]
    asked = len(pricing.asked)
    again = json.loads(typed(*fetch).out)["loaded"]

    assert [(one["from"], one["prices"], one["read"]) for one in first] == [
        (f"{service} in us-east-1", 1, "now")
        for service in ("AmazonEC2", "AmazonRDS", "AWSLambda", "AmazonECS")
    ]
    assert {one["read"] for one in again} == {"earlier today"}
    assert len(pricing.asked) == asked
    rows = json.loads(typed("prices", "list", "--output", "json").out)["prices"]
    assert [(row["product"], row["platform"], row["validFrom"]) for row in rows] == [
        ("ec2", "linux", "2026-11-20"),
        ("fargate", "linux x86_64", "2026-11-20"),
        ("lambda", "x86_64", "2026-11-20"),
        ("rds-storage", "single-az gp3", "2026-11-20"),
    ]


def test_whole_lists_of_a_past_day_are_found_by_the_api(
    typed: Type, fleet: list[str], pricing: PricingServer, published: str
) -> None:
    path = "offers/v1.0/aws/{}/current/us-east-1/index.csv"
    services = ("AmazonEC2", "AmazonRDS", "AWSLambda", "AmazonECS")
    pricing.lists = {name: f"{published}/{path.format(name)}" for name in services}
    words = ("--whole-lists", "--as-of", "2026-03-01", "--output", "json")

    loaded = json.loads(typed("prices", "fetch", "--region", "us-east-1", *words).out)["loaded"]

    assert [(one["from"], one["prices"]) for one in loaded] == [
        ("AmazonEC2 in us-east-1 as of 2026-03-01", 2),
        ("AmazonRDS in us-east-1 as of 2026-03-01", 1),
        ("AWSLambda in us-east-1 as of 2026-03-01", 1),
        ("AmazonECS in us-east-1 as of 2026-03-01", 1),
    ]
    assert {operation for operation, _ in pricing.asked} == {
        "ListPriceLists",
        "GetPriceListFileUrl",
    }


def test_an_analysis_of_a_past_day_goes_by_the_price_of_that_day(
    typed: Type, fleet: list[str], tmp_path: Path
) -> None:
    quiet, sheet = fleet[0], tmp_path / "ours.csv"
    kind = json.loads(typed("explain", quiet, "--output", "json").out)["instance_type"]
    for day, usd in (("2026-01-01", 1.0), ("2026-03-14", 2.0)):
        sheet.write_text(f"region,type,usd\nus-east-1,{kind},{usd}\n")
        assert typed("prices", "import", str(sheet), "--as-of", day).code == 0

    def told(moment: str) -> tuple[float, str]:
        words = ("explain", quiet, "--as-of", moment, "--output", "json")
        one = json.loads(typed(*words).out)
        return one["current_hourly_usd"], one["price_date"]

    assert told("2026-03-13") == (1.0, "2026-01-01")
    assert told("2026-03-14") == (2.0, "2026-03-14")
    removed = typed("prices", "remove", "--before", "2026-06-01").out
    assert removed.startswith("Removed 1 price")
    assert told("2026-03-13") == (2.0, "2026-03-14")


def test_old_prices_raise_an_alarm(
    typed: Type, fleet: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = tmp_path / "ours.csv"
    sheet.write_text("region,type,hourly_usd\nus-east-1,m5.large,0.09\n")
    typed("prices", "import", str(sheet), "--as-of", "2026-03-01")
    assert "prices" not in typed("analyze", "--as-of", "2026-03-14").err

    monkeypatch.setenv("COMPUTE_OPTIMIZER_PRICE_MAX_AGE_DAYS", "12")

    # 1 to 14 March are 13 days.
    said = " ".join(typed("analyze", "--as-of", "2026-03-14").err.split())
    assert "warning: the oldest prices are of 2026-03-01, over 12 days before" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fetch",), "which prices? Give --region us-east-1"),
        (
            ("fetch", "--region", "us-east-1", "--as-of", "2026-01-01"),
            "add --whole-lists to --as-of",
        ),
        (
            ("fetch", "--region", "us-east-1", "--endpoint-region", "eu-west-3"),
            "the pricing API is not in 'eu-west-3'",
        ),
        (("remove", "--before", "soon"), "--before 'soon' is no day"),
        (("load",), "which prices? Give --region us-east-1, or --file"),
        (("import", "none.csv"), "none.csv cannot be read"),
        (("import", "none.csv", "--as-of", "soon"), "--as-of 'soon' is no day"),
    ],
)
def test_impossible_prices_are_refused(
    typed: Type, fleet: list[str], words: tuple[str, ...], message: str
) -> None:
    ended = typed("prices", *words)

    assert ended.code == 2
    assert message in " ".join(ended.err.split())
