"""The AWS Price List and price sheets: what is kept, and what is refused."""

from datetime import date
from pathlib import Path

import pytest

from compute_optimizer.catalog.own_prices import EC2, RDS, Market
from compute_optimizer.errors import InvalidInput, SourceUnavailable
from compute_optimizer.sources.prices import (
    OFFERS,
    offer_url,
    read_price_list,
    read_price_sheet,
)
from tests.price_lists import EC2_COLUMNS, RDS_COLUMNS, ec2_row, rds_row, write_list

LINUX = Market(EC2, "us-east-1", "linux")


def test_on_demand_prices_of_shared_instances_are_kept_by_platform(tmp_path: Path) -> None:
    rows = [
        ec2_row("m5.large", "0.0960000000"),
        ec2_row("m5.large", "0.1880000000", Operating_System="Windows"),
        ec2_row("m5.large", "0.2200000000", Operating_System="RHEL", Region_Code="eu-west-1"),
    ]

    found = read_price_list(str(write_list(tmp_path / "index.csv", rows)))

    assert [(one.market, one.name, one.usd) for one in found] == [
        (LINUX, "m5.large", 0.096),
        (Market(EC2, "us-east-1", "windows"), "m5.large", 0.188),
        (Market(EC2, "eu-west-1", "rhel"), "m5.large", 0.22),
    ]
    assert {(one.source, one.date) for one in found} == {
        ("AWS Price List, AmazonEC2", date(2026, 11, 20))
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"TermType": "Reserved"},
        {"Unit": "GB-Mo"},
        {"Currency": "CNY"},
        {"Tenancy": "Dedicated"},
        {"CapacityStatus": "UnusedCapacityReservation"},
        {"Pre_Installed_S/W": "SQL Std"},
        {"License_Model": "Bring your own license"},
        {"Operating_System": "NA"},
        {"PricePerUnit": "0.0000000000"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_is_not_a_plain_instance_on_demand_is_left_out(
    tmp_path: Path, changed: dict[str, str]
) -> None:
    rows = [ec2_row("m5.large", "0.096"), ec2_row("m5.xlarge", "0.192", **changed)]

    found = read_price_list(str(write_list(tmp_path / "index.csv", rows)))

    assert [one.name for one in found] == ["m5.large"]


def test_classes_of_databases_are_kept_in_one_zone_and_of_aurora_with_standard_storage(
    tmp_path: Path,
) -> None:
    rows = [
        rds_row("db.m5.large", "0.171"),
        rds_row("db.m5.large", "0.342", Deployment_Option="Multi-AZ"),
        rds_row("db.r6g.large", "0.26", Database_Engine="Aurora PostgreSQL"),
        rds_row(
            "db.r6g.large",
            "0.338",
            Database_Engine="Aurora PostgreSQL",
            Storage="Aurora IO Optimization Mode",
        ),
    ]
    path = write_list(tmp_path / "rds.csv", rows, offer="AmazonRDS", columns=RDS_COLUMNS)

    found = read_price_list(str(path))

    assert [(one.market.product, one.market.platform, one.usd) for one in found] == [
        (RDS, "mysql", 0.171),
        (RDS, "aurora-postgresql", 0.26),
    ]


def test_the_address_of_a_list_is_that_of_the_newest_one_of_the_region() -> None:
    urls = [offer_url("https://prices.example/", offer, "eu-west-1") for offer in OFFERS]

    assert urls == [
        "https://prices.example/offers/v1.0/aws/AmazonEC2/current/eu-west-1/index.csv",
        "https://prices.example/offers/v1.0/aws/AmazonRDS/current/eu-west-1/index.csv",
        "https://prices.example/offers/v1.0/aws/AWSLambda/current/eu-west-1/index.csv",
        "https://prices.example/offers/v1.0/aws/AmazonECS/current/eu-west-1/index.csv",
    ]


def test_files_that_are_no_price_list_are_refused_by_name(tmp_path: Path) -> None:
    row = ec2_row("m5.large", "0.096")
    few = [name for name in EC2_COLUMNS if name != "Tenancy"]
    for name, path, message in (
        ("offer", write_list(tmp_path / "a.csv", [row], offer="AmazonS3"), "'AmazonS3'"),
        ("date", write_list(tmp_path / "b.csv", [row], published="soon"), "'soon'"),
        ("column", write_list(tmp_path / "c.csv", [row], columns=few), "no column Tenancy"),
        ("nothing", write_list(tmp_path / "d.csv", []), "no price that is of use"),
        (
            "number",
            write_list(tmp_path / "e.csv", [ec2_row("m5.large", "cheap")]),
            "line 7 of the price list: 'cheap'",
        ),
    ):
        with pytest.raises(InvalidInput) as refused:
            read_price_list(str(path))
        assert message in str(refused.value), name


def test_a_file_that_is_missing_and_an_address_that_nobody_answers_say_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_price_list(str(tmp_path / "none.csv"))
    with pytest.raises(SourceUnavailable, match="cannot be read"):
        read_price_list("http://127.0.0.1:9/offers/index.csv")


def test_a_sheet_needs_no_more_than_region_type_and_price(tmp_path: Path) -> None:
    sheet = tmp_path / "ours.csv"
    sheet.write_text(
        "\ufeffregion,type,hourly_usd,product,platform\n"
        "us-east-1,m5.large,0.07,,\n\n"
        "us-east-1,db.m5.large,0.12,RDS,mysql\n"
    )

    found = read_price_sheet(str(sheet), date(2026, 11, 1))

    assert [(one.market, one.name, one.usd, one.source) for one in found] == [
        (LINUX, "m5.large", 0.07, "ours.csv"),
        (Market(RDS, "us-east-1", "mysql"), "db.m5.large", 0.12, "ours.csv"),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("us-east-1,m5.large,free,ec2", "line 2: hourly_usd 'free' is no price"),
        ("us-east-1,m5.large,-1,ec2", "line 2: hourly_usd '-1' is no price"),
        ("us-east-1,m5.large,inf,ec2", "line 2: hourly_usd 'inf' is no price"),
        ("us-east-1,,0.1,ec2", "line 2: type is empty"),
        ("us-east-1,m5.large,0.1,s3", "line 2: product 's3' is not one of ec2, rds"),
    ],
)
def test_a_sheet_with_a_wrong_line_is_refused_whole(
    tmp_path: Path, line: str, message: str
) -> None:
    sheet = tmp_path / "ours.csv"
    sheet.write_text(f"region,type,hourly_usd,product\n{line}\n")

    with pytest.raises(InvalidInput) as refused:
        read_price_sheet(str(sheet), date(2026, 11, 1))

    assert message in str(refused.value)
