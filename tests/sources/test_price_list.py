"""The AWS Price List and price sheets: what is kept, and what is refused."""

import gzip
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from compute_optimizer.catalog.own_prices import (
    EBS,
    EC2,
    FARGATE,
    LAMBDA,
    RDS,
    RDS_STORAGE,
    VPC,
    PriceMarket,
)
from compute_optimizer.errors import InvalidInput, SourceUnavailable
from compute_optimizer.sources.prices import (
    OFFERS,
    offer_url,
    read_price_list,
    read_price_sheet,
)
from tests.answering import Answer, answering
from tests.price_lists import (
    EC2_COLUMNS,
    RATE_COLUMNS,
    RDS_COLUMNS,
    ec2_row,
    rate_row,
    rds_row,
    write_list,
)

LINUX = PriceMarket(EC2, "us-east-1", "linux")


def test_on_demand_prices_of_shared_instances_are_kept_by_platform(tmp_path: Path) -> None:
    rows = [
        ec2_row("m5.large", "0.0960000000"),
        ec2_row("m5.large", "0.1880000000", Operating_System="Windows"),
        ec2_row("m5.large", "0.2200000000", Operating_System="RHEL", Region_Code="eu-west-1"),
    ]

    found = read_price_list(str(write_list(tmp_path / "index.csv", rows)))

    assert [(one.market, one.name, one.usd) for one in found] == [
        (LINUX, "m5.large", 0.096),
        (PriceMarket(EC2, "us-east-1", "windows"), "m5.large", 0.188),
        (PriceMarket(EC2, "eu-west-1", "rhel"), "m5.large", 0.22),
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


def kept(path: Path) -> dict[tuple[str, str, str], float]:
    """Return the prices of a list by product, what of it, and name."""
    found = read_price_list(str(path))
    return {(one.market.product, one.market.platform, one.name): one.usd for one in found}


def test_volumes_and_nat_gateways_are_kept_by_their_rates(tmp_path: Path) -> None:
    rows = [
        rate_row("USE2-EBS:VolumeUsage.gp3", "GB-Mo", "0.08"),
        rate_row("EBS:VolumeP-IOPS.gp3", "IOPS-Mo", "0.005"),
        # 0.04 USD for a MiB/s, as AWS lists it.
        rate_row("EBS:VolumeP-Throughput.gp3", "GiBps-mo", "40.96"),
        rate_row("EBS:VolumeUsage.piops", "GB-Mo", "0.125"),
        rate_row("EBS:VolumeP-IOPS.piops", "IOPS-Mo", "0.065"),
        rate_row("EBS:VolumeP-IOPS.io2", "IOPS-Mo", "0.065"),
        rate_row("EBS:VolumeP-IOPS.io2.tier2", "IOPS-Mo", "0.0455"),
        rate_row("EBS:VolumeUsage", "GB-Mo", "0.05"),
        # 0.05 USD for a million.
        rate_row("EBS:VolumeIOUsage", "IOs", "0.00000005"),
        rate_row("EBS:SnapshotUsage", "GB-Mo", "0.05"),
        rate_row("NatGateway-Hours", "Hrs", "0.045"),
        rate_row("NatGateway-Bytes", "GB", "0.045"),
        rate_row("EBS:VolumeUsage.sc1", "GB-Mo", "0.015", TermType="Reserved"),
    ]

    found = kept(write_list(tmp_path / "index.csv", rows))

    assert found == pytest.approx(
        {
            (EBS, "gp3", "gib"): 0.08,
            (EBS, "gp3", "iops"): 0.005,
            (EBS, "gp3", "mibps"): 0.04,
            (EBS, "io1", "gib"): 0.125,
            (EBS, "io1", "iops"): 0.065,
            (EBS, "io2", "iops"): 0.065,
            (EBS, "standard", "gib"): 0.05,
            (EBS, "standard", "million_operations"): 0.05,
            (VPC, "nat-gateway", "hour"): 0.045,
        }
    )


def test_functions_are_kept_in_the_first_tier(tmp_path: Path) -> None:
    rows = [
        rate_row("Lambda-GB-Second", "Lambda-GB-Second", "0.0000166667"),
        rate_row("Lambda-GB-Second", "Lambda-GB-Second", "0.000015", StartingRange="6000000000"),
        rate_row("EUC1-Lambda-GB-Second-ARM", "Lambda-GB-Second", "0.0000133334"),
        rate_row("Request", "Requests", "0.0000002"),
        rate_row("Request-ARM", "Requests", "0.0000002"),
        rate_row("Lambda-Provisioned-GB-Second", "Lambda-GB-Second", "0.0000097222"),
        # Of the free tier.
        rate_row("Request", "Requests", "0"),
    ]
    path = write_list(tmp_path / "l.csv", rows, offer="AWSLambda", columns=RATE_COLUMNS)

    assert kept(path) == {
        (LAMBDA, "x86_64", "gb_second"): 0.0000166667,
        (LAMBDA, "arm64", "gb_second"): 0.0000133334,
        (LAMBDA, "x86_64", "request"): 0.0000002,
        (LAMBDA, "arm64", "request"): 0.0000002,
    }


def test_a_vcpu_of_windows_on_fargate_has_its_license_or_no_price(tmp_path: Path) -> None:
    tasks = [
        rate_row("USE1-Fargate-vCPU-Hours:perCPU", "hours", "0.04048"),
        rate_row("USE1-Fargate-ARM-GB-Hours", "hours", "0.00356"),
        rate_row("USE1-Fargate-EphemeralStorage-GB-Hours", "GB-Hours", "0.000111"),
        rate_row("USE1-Fargate-Windows-vCPU-Hours:perCPU", "hours", "0.046552"),
    ]
    license = rate_row("USE1-Fargate-Windows-OS-Hours:perCPU", "hours", "0.046")
    listed = partial(write_list, offer="AmazonECS", columns=RATE_COLUMNS)

    whole = kept(listed(tmp_path / "whole.csv", [*tasks, license]))
    without = kept(listed(tmp_path / "without.csv", tasks))

    linux = {
        (FARGATE, "linux x86_64", "vcpu_hour"): 0.04048,
        (FARGATE, "linux arm64", "gb_hour"): 0.00356,
    }
    assert without == linux
    # 0.046552 + 0.046.
    assert whole == pytest.approx({**linux, (FARGATE, "windows x86_64", "vcpu_hour"): 0.092552})


def test_storage_of_databases_is_kept_of_engines_that_get_recommendations(tmp_path: Path) -> None:
    rows = [
        rate_row("RDS:GP3-Storage", "GB-Mo", "0.115", Database_Engine="MySQL"),
        rate_row("RDS:GP3-Storage", "GB-Mo", "9.9", Database_Engine="Oracle"),
        rate_row("RDS:Multi-AZ-GP3-Storage", "GB-Mo", "0.23", Database_Engine="Any"),
        rate_row("RDS:Multi-AZ-GP3-PIOPS", "IOPS-Mo", "0.04", Database_Engine="Any"),
        rate_row("RDS:GP3-Throughput", "MBPS-Mo", "0.08", Database_Engine="Any"),
        rate_row("RDS:PIOPS-Storage-IO2", "GB-Mo", "0.125", Database_Engine="PostgreSQL"),
        rate_row("RDS:ChargedBackupUsage", "GB-Mo", "0.095", Database_Engine="Any"),
        rate_row("EU-Aurora:StorageUsage", "GB-Mo", "0.11", Database_Engine="Any"),
        rate_row("Aurora:StorageIOUsage", "IOs", "0.0000002", Database_Engine="Aurora MySQL"),
        rate_row("Aurora:IO-OptimizedStorageUsage", "GB-Mo", "0.225", Database_Engine="Any"),
    ]
    path = write_list(tmp_path / "rds.csv", rows, offer="AmazonRDS", columns=RDS_COLUMNS)

    assert kept(path) == pytest.approx(
        {
            (RDS_STORAGE, "single-az gp3", "gib"): 0.115,
            (RDS_STORAGE, "multi-az gp3", "gib"): 0.23,
            (RDS_STORAGE, "multi-az gp3", "iops"): 0.04,
            (RDS_STORAGE, "single-az gp3", "mibps"): 0.08,
            (RDS_STORAGE, "single-az io2", "gib"): 0.125,
            (RDS_STORAGE, "aurora", "gib"): 0.11,
            (RDS_STORAGE, "aurora", "million_io"): 0.2,
            (RDS_STORAGE, "aurora-iopt1", "gib"): 0.225,
        }
    )


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


def test_a_list_whose_compression_is_damaged_says_so(tmp_path: Path) -> None:
    path = tmp_path / "index.csv.gz"
    # The head is gzip's, and the first block of a type that does not exist.
    path.write_bytes(gzip.compress(b"a,b")[:10] + b"\xff" * 20)

    with pytest.raises(InvalidInput, match=r"index\.csv\.gz cannot be read"):
        read_price_list(str(path))


@pytest.mark.parametrize("answer", [Answer(b"", 403), Answer(b"no,list"), Answer(b"\xff")])
def test_no_message_repeats_the_signature_of_an_address(answer: Answer) -> None:
    with answering() as server:
        server.answers.append(answer)
        with pytest.raises((InvalidInput, SourceUnavailable)) as refused:
            read_price_list(f"{server.url}/index.csv?X-Amz-Signature=0a1b2c")

    assert f"{server.url}/index.csv" in str(refused.value)
    assert "0a1b2c" not in str(refused.value)


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
        (PriceMarket(RDS, "us-east-1", "mysql"), "db.m5.large", 0.12, "ours.csv"),
    ]


def test_a_sheet_names_rates_where_types_have_no_price(tmp_path: Path) -> None:
    sheet = tmp_path / "ours.csv"
    sheet.write_text(
        "region,product,platform,type,usd\n"
        "us-east-1,ebs,gp3,gib,0.07\n"
        "us-east-1,fargate,linux arm64,vcpu_hour,0.03\n"
        "us-east-1,,,m5.large,0.08\n"
    )

    found = read_price_sheet(str(sheet), date(2026, 11, 1))

    assert [(one.market, one.name, one.usd) for one in found] == [
        (PriceMarket(EBS, "us-east-1", "gp3"), "gib", 0.07),
        (PriceMarket(FARGATE, "us-east-1", "linux arm64"), "vcpu_hour", 0.03),
        (LINUX, "m5.large", 0.08),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("us-east-1,gib,0.07,ebs,gp4", "line 2: platform 'gp4' of product ebs is not one of gp2,"),
        ("us-east-1,iops,0.07,ebs,gp2", "'iops' of ebs gp2 is not one of the rates gib"),
        ("us-east-1,m5.large,free,ec2", "line 2: hourly_usd 'free' is no price"),
        ("us-east-1,m5.large,-1,ec2", "line 2: hourly_usd '-1' is no price"),
        ("us-east-1,m5.large,inf,ec2", "line 2: hourly_usd 'inf' is no price"),
        ("us-east-1,m5.large,1_0,ec2", "line 2: hourly_usd '1_0' is no price"),
        ("us-east-1,,0.1,ec2", "line 2: type is empty"),
        ("us-east-1,m5.large,0.1,s3", "line 2: product 's3' is not one of ec2, rds"),
    ],
)
def test_a_sheet_with_a_wrong_line_is_refused_whole(
    tmp_path: Path, line: str, message: str
) -> None:
    sheet = tmp_path / "ours.csv"
    sheet.write_text(f"region,type,hourly_usd,product,platform\n{line}\n")

    with pytest.raises(InvalidInput) as refused:
        read_price_sheet(str(sheet), date(2026, 11, 1))

    assert message in str(refused.value)
