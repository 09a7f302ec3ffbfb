"""Effective rates, as somebody types them, through to savings after discounts."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bills import cur, planned, reserved, write_bill
from tests.cli.conftest import Type
from tests.enrolling import ALPHA


def first(typed: Type, arn: str) -> dict[str, Any]:
    """Analyze, and return the row of a machine."""
    assert typed("analyze", "--as-of", "2026-03-14").code == 0
    rows = json.loads(typed("recommend", "--output", "json").out)["recommendations"]
    (one,) = (row for row in rows if row["resourceArn"] == arn)
    found: dict[str, Any] = one
    return found


def test_a_bill_is_told_listed_and_removed(typed: Type, fleet: list[str], tmp_path: Path) -> None:
    lines = [
        cur("BoxUsage:m5.large", 100, 9.6, 9.6),
        reserved("BoxUsage:m5.large", 300, 28.8, 18.0),
        planned("USE2-BoxUsage:c5.large", 100, 8.5, 6.0),
    ]
    bill = write_bill(tmp_path / "bill.csv", lines)

    told = json.loads(typed("prices", "effective", str(bill), "--output", "json").out)["billed"]

    # 9.6 + 28.8 + 8.5 at list, 9.6 + 18 + 6 paid; 300 and 100 of 500 hours are covered.
    assert told == [
        {
            "account": ALPHA,
            "product": "ec2",
            "firstDay": "2026-03-01",
            "lastDay": "2026-03-01",
            "rates": 2,
            "listUsd": 46.9,
            "effectiveUsd": 33.6,
            "reservedShare": 0.6,
            "plannedShare": 0.2,
        }
    ]
    assert json.loads(typed("prices", "list", "--output", "json").out)["billed"] == told
    assert "60.0 %" in typed("prices", "list").out
    assert "and 2 effective rates" in typed("prices", "remove").out
    assert typed("prices", "list").out.startswith("There are none")


def test_a_bill_decides_savings_after_discounts_and_tells_what_is_stranded(
    typed: Type, fleet: list[str], tmp_path: Path
) -> None:
    quiet = fleet[0]
    before = first(typed, quiet)
    assert before["estimatedMonthlySavingsAfterDiscounts"] is None
    now = json.loads(typed("explain", quiet, "--output", "json").out)
    kind, listed = before["current"], now["current_hourly_usd"]
    option = next(o for o in now["considered"] if o["instance_type"] == before["recommended"])
    assert option["instance_type"].split(".")[0] != kind.split(".")[0]
    # Reservations pay 75 of 100 hours of the present type at 0.6 of list, the rest is at list:
    # 0.75 x 0.6 + 0.25 = 0.7. Usage that none covers: 100 USD at 0.8, and the 25 hours at list.
    lines = [
        reserved(f"BoxUsage:{kind}", 75, 75 * listed, 45 * listed),
        cur(f"BoxUsage:{kind}", 25, 25 * listed, 25 * listed),
        planned("BoxUsage:c7i.large", 1000, 100, 80),
    ]
    typed("prices", "effective", str(write_bill(tmp_path / "bill.csv", lines)))

    after = first(typed, quiet)

    movable = (80 + 25 * listed) / (100 + 25 * listed)
    saved = (0.7 * listed - option["hourly_usd"] * movable) * 730
    assert after["estimatedMonthlySavings"] == before["estimatedMonthlySavings"]
    assert after["estimatedMonthlySavingsAfterDiscounts"] == pytest.approx(saved, abs=0.01)
    # 45 of list for 100 hours go on.
    stays = 0.45 * listed * 730
    assert after["strandedMonthlyUsd"] == pytest.approx(stays)
    told = json.loads(typed("explain", quiet, "--output", "json").out)["cautions"]
    assert f"{stays:,.2f} USD a month go on to be paid" in told[-1]
    table = typed("recommend").out
    assert "After discounts" in table
    assert "Mind: " in table


def test_what_is_no_bill_ends_with_a_message_and_changes_nothing(
    typed: Type, fleet: list[str], tmp_path: Path
) -> None:
    bill = write_bill(tmp_path / "bill.csv", [cur("BoxUsage:m5.large", 1, 1, 1)])
    typed("prices", "effective", str(bill))
    wrong = write_bill(tmp_path / "wrong.csv", [{"region": "us-east-1"}])

    ended = typed("prices", "effective", str(wrong))

    assert ended.code == 2
    assert "wrong.csv is no bill that can be read" in " ".join(ended.err.split())
    assert len(json.loads(typed("prices", "list", "--output", "json").out)["billed"]) == 1
