"""Generated bills of CUR 2.0 and FOCUS: what of them counts, and what is refused."""

import gzip
from datetime import date
from pathlib import Path

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from compute_optimizer.catalog.effective_rates import Billed, BilledUsage
from compute_optimizer.catalog.own_prices import PriceMarket
from compute_optimizer.errors import InvalidInput
from compute_optimizer.sources.billing import read_billing
from compute_optimizer.sources.billing.usage_types import used
from compute_optimizer.sources.files import tables
from tests.bills import CUR_LINE, cur, focus, planned, reserved, write_bill
from tests.enrolling import ALPHA, BETA

M5_LINUX = (PriceMarket("ec2", "us-east-1", "linux"), "m5.large")


@pytest.mark.parametrize(
    ("usage_type", "operation", "expected"),
    [
        ("BoxUsage:m5.large", "RunInstances", ("ec2", "linux", "m5.large", 1)),
        ("USE2-BoxUsage:u-6tb1.metal", "RunInstances:0002", ("ec2", "windows", "u-6tb1.metal", 1)),
        ("EU-BoxUsage:c7i.2xlarge", "RunInstances:0010", ("ec2", "rhel", "c7i.2xlarge", 1)),
        ("APN1-BoxUsage:r5.large", "RunInstances:000g", ("ec2", "suse", "r5.large", 1)),
        ("InstanceUsage:db.m5.large", "CreateDBInstance:0002", ("rds", "mysql", "db.m5.large", 1)),
        (
            "APS3-Multi-AZUsage:db.r5d.2xl",
            "CreateDBInstance:0014",
            ("rds", "postgres", "db.r5d.2xlarge", 2),
        ),
        (
            "InstanceUsage:db.r6g.xl",
            "CreateDBInstance:0021",
            ("rds", "aurora-postgresql", "db.r6g.xlarge", 1),
        ),
        (
            "InstanceUsage:db.r6g.large",
            "CreateDBInstance:0016",
            ("rds", "aurora-mysql", "db.r6g.large", 1),
        ),
        (
            "InstanceUsage:db.t4g.micro",
            "CreateDBInstance:0018",
            ("rds", "mariadb", "db.t4g.micro", 1),
        ),
        ("USW2-EBS:VolumeUsage.gp3", "CreateVolume-Gp3", ("ebs", "", "", 1)),
        ("EBS:VolumeP-IOPS.io2", "CreateVolume-P-IOPS", ("ebs", "", "", 1)),
        ("Lambda-GB-Second-ARM", "Invoke", ("lambda", "", "", 1)),
        ("EUC1-Fargate-ARM-vCPU-Hours:perCPU", "FargateTask", ("fargate", "", "", 1)),
        # SQL Server, Spot, Dedicated Instances, snapshots: their rates are no rates of ours.
        ("BoxUsage:m5.large", "RunInstances:0006", None),
        ("SpotUsage:m5.large", "RunInstances:SV001", None),
        ("DedicatedUsage:m5.large", "RunInstances", None),
        ("EBS:SnapshotUsage", "CreateSnapshot", None),
        ("SpotUsage-Fargate-vCPU-Hours:perCPU", "FargateTask", None),
        ("InstanceUsage:db.m5.large", "CreateDBInstance:0005", None),
    ],
)
def test_a_usage_type_and_an_operation_tell_what_was_used(
    usage_type: str, operation: str, expected: tuple[str, str, str, int] | None
) -> None:
    assert used(usage_type, operation) == expected


def test_lines_of_a_cost_and_usage_report_are_summed_by_what_covers_them(tmp_path: Path) -> None:
    fees = ("RIFee", "SavingsPlanRecurringFee", "SavingsPlanNegation", "Tax", "Credit", "Refund")
    lines = [
        cur("BoxUsage:m5.large", 10, 0.96, 0.96),
        reserved("BoxUsage:m5.large", 20, 1.92, 1.2, line_item_usage_start_date="2026-03-09"),
        planned("BoxUsage:m5.large", 30, 2.88, 2.0),
        *(cur("BoxUsage:m5.large", 9, 9, 9, line_item_line_item_type=fee) for fee in fees),
    ]

    (one,) = read_billing([str(write_bill(tmp_path / "bill.csv", lines))])

    # Hours 10 + 20 + 30; at list 0.96 + 1.92 + 2.88 = 5.76; paid 0.96 + 1.2 + 2 = 4.16.
    assert one[:3] == (ALPHA, *M5_LINUX)
    assert one[4:] == (date(2026, 3, 1), date(2026, 3, 9))
    assert figures(one) == pytest.approx((60, 5.76, 4.16, 20, 1.92, 1.2, 30))


def figures(one: BilledUsage) -> tuple[float, ...]:
    """Return the sums in the order of Billed."""
    return tuple(getattr(one.billed, name) for name in Billed.__dataclass_fields__)


def test_net_costs_count_where_a_line_has_them(tmp_path: Path) -> None:
    lines = [
        cur("BoxUsage:m5.large", 10, 1, 1, line_item_net_unblended_cost="0.9"),
        cur("BoxUsage:m5.large", 10, 1, 1),
    ]

    (one,) = read_billing([str(write_bill(tmp_path / "bill.csv", lines))])

    # 0.9 after a contract, and 1 where the line has no net cost.
    assert one.billed.effective_usd == pytest.approx(1.9)


def test_charges_of_focus_are_told_apart_by_their_commitment(tmp_path: Path) -> None:
    covered = {"CommitmentDiscountStatus": "Used"}
    lines = [
        focus("BoxUsage:m5.large", 10, 1, 1),
        focus("BoxUsage:m5.large", 20, 2, 1.2, **covered, CommitmentDiscountCategory="Usage"),
        focus("BoxUsage:m5.large", 30, 3, 2.1, **covered, CommitmentDiscountCategory="Spend"),
        focus("BoxUsage:m5.large", 9, 9, 9, CommitmentDiscountStatus="Unused"),
        focus("BoxUsage:m5.large", 9, 9, 9, ChargeCategory="Purchase"),
        focus("BoxUsage:m5.large", 5, 1, 1, SubAccountId=BETA),
    ]

    ours, theirs = read_billing([str(write_bill(tmp_path / "focus.csv", lines))])

    # 10 + 20 + 30 hours; 1 + 2 + 3 at list; 1 + 1.2 + 2.1 paid.
    assert figures(ours) == pytest.approx((60, 6, 4.3, 20, 2, 1.2, 30))
    assert (theirs.account_id, theirs.billed.hours) == (BETA, 5)


def test_a_standby_makes_two_hours_in_one_zone_of_one(tmp_path: Path) -> None:
    line = cur("Multi-AZUsage:db.m5.large", 10, 3.42, 3.42)
    line["line_item_operation"] = "CreateDBInstance:0002"

    (one,) = read_billing([str(write_bill(tmp_path / "bill.csv", [line]))])

    # 3.42 USD for 20 hours in one zone.
    assert one.billed.hourly_usd == pytest.approx(0.171)


def test_a_folder_of_parquet_and_compressed_files_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "export" / "data"
    folder.mkdir(parents=True)
    account = {"line_item_usage_account_id": "012345678901"}
    plain = write_bill(tmp_path / "bill.csv", [cur("BoxUsage:m5.large", 10, 1, 1, **account)])
    # Parquet has numbers, moments and, in files made elsewhere, accounts as numbers: 12345678901.
    pq.write_table(pa_csv.read_csv(plain), folder / "1.parquet")
    (folder / "2.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    (folder / "manifest.json").write_text("{}")

    (one,) = read_billing([str(tmp_path / "export")])

    assert (one.account_id, one.billed.hours) == ("012345678901", 20)
    assert one.first_day == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"a": "1"}, "expected the columns of CUR 2.0 or FOCUS"),
        (
            {name: cell for name, cell in CUR_LINE.items() if name != "product_region_code"},
            "For CUR 2.0 there is no product_region_code",
        ),
        (CUR_LINE | {"line_item_usage_amount": "ten"}, "row 1, column line_item_usage_amount"),
        (CUR_LINE | {"line_item_usage_start_date": "soon"}, "row 1, column line_item_usage_start"),
        (CUR_LINE | {"line_item_usage_account_id": "ours"}, "account 'ours' is not 12 digits"),
        (CUR_LINE | {"line_item_usage_account_id": ""}, "account '' is not 12 digits"),
        (CUR_LINE | {"product_region_code": "US East"}, "region 'US East' is not a Region such"),
        (CUR_LINE | {"line_item_currency_code": "EUR"}, "is in EUR; expected USD or CNY"),
        (CUR_LINE | {"line_item_usage_type": "Requests-Tier1"}, "no usage of instances"),
    ],
)
def test_what_is_no_bill_is_refused(tmp_path: Path, line: dict[str, str], message: str) -> None:
    bill = write_bill(tmp_path / "bill.csv", [line])

    with pytest.raises(InvalidInput, match=message):
        read_billing([str(bill)])


def test_a_bill_is_summed_over_all_of_its_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "PARQUET_BATCH_ROWS", 2)
    lines = [cur("BoxUsage:m5.large", hours, 1, 0.5) for hours in range(1, 6)]
    bill = write_bill(tmp_path / "bill.csv", lines)
    pq.write_table(pa_csv.read_csv(bill), tmp_path / "bill.parquet")

    (one,) = read_billing([str(tmp_path / "bill.parquet")])

    # 1 + 2 + 3 + 4 + 5 hours in three batches.
    assert (one.billed.hours, one.billed.list_usd, one.billed.effective_usd) == (15, 5, 2.5)


def test_a_line_that_is_cut_off_is_named(tmp_path: Path) -> None:
    bill = write_bill(tmp_path / "bill.csv", [CUR_LINE, CUR_LINE])
    bill.write_text(bill.read_text() + "222222222222,us-east-1\n")

    with pytest.raises(InvalidInput, match=r"row 3: the row has more or fewer fields"):
        read_billing([str(bill)])


def test_two_kinds_of_bills_are_not_added_up(tmp_path: Path) -> None:
    bills = [
        write_bill(tmp_path / "cur.csv", [cur("BoxUsage:m5.large", 1, 1, 1)]),
        write_bill(tmp_path / "focus.csv", [focus("BoxUsage:m5.large", 1, 1, 1)]),
    ]

    with pytest.raises(InvalidInput, match="of two kinds"):
        read_billing([str(bill) for bill in bills])
    with pytest.raises(InvalidInput, match="no file in it"):
        (tmp_path / "empty").mkdir()
        read_billing([str(tmp_path / "empty")])
