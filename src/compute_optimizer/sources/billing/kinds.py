"""The kinds of bills: which columns they have, and what a line of one says.

CUR 2.0 and FOCUS 1.0 and 1.2 as AWS exports them (AWS Data Exports User Guide, table dictionary).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

NOT_USAGE, PLAIN, RESERVED, PLANNED = -1, 0, 1, 2
"""What covers a line; fees, taxes, credits, refunds and what commitments left unused are no
usage."""

Columns = Mapping[str, Any]
Codes = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class BillKind:
    """How one kind of bill is read."""

    name: str
    account: str
    region: str
    usage_type: str
    operation: str
    day: str
    currency: str
    quantity: tuple[str, ...]
    """The first column that has a figure counts, here and below."""
    list_usd: tuple[str, ...]
    effective_usd: Mapping[int, tuple[str, ...]]
    """By what covers the line."""
    told_by: tuple[str, ...]
    """The columns that tell what covers a line."""
    coverage: Callable[[Columns], Codes]

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns without which a file is no such bill."""
        return self.account, self.region, self.usage_type, self.operation, self.day, *self.told_by

    @property
    def figures(self) -> tuple[tuple[str, ...], ...]:
        """Groups of columns of each of which one at least is needed."""
        return self.quantity, self.list_usd, *self.effective_usd.values()

    def missing(self, columns: tuple[str, ...]) -> list[str]:
        """Return what a file lacks to be such a bill."""
        lacking = [name for name in self.texts if name not in columns]
        return lacking + [group[-1] for group in self.figures if not set(group) & set(columns)]

    def wanted(self, columns: tuple[str, ...]) -> list[str]:
        """Return the columns of a file that are of use."""
        named = [*self.texts, self.currency, *(name for group in self.figures for name in group)]
        return [name for name in dict.fromkeys(named) if name in columns]


CUR_COVERAGE = {"Usage": PLAIN, "DiscountedUsage": RESERVED, "SavingsPlanCoveredUsage": PLANNED}
LINE_TYPE = "line_item_line_item_type"


def _cur_coverage(columns: Columns) -> Codes:
    return _coded(columns[LINE_TYPE], CUR_COVERAGE, NOT_USAGE)


CATEGORY, STATUS = "CommitmentDiscountCategory", "CommitmentDiscountStatus"
FOCUS_COVERAGE = {"Usage": RESERVED, "Spend": PLANNED}
"""By category of the commitment: reservations are for usage, Savings Plans for spending."""


def _focus_coverage(columns: Columns) -> Codes:
    covered = _coded(columns[CATEGORY], FOCUS_COVERAGE, PLAIN)
    is_usage = _coded(columns["ChargeCategory"], {"Usage": 1}, 0) > 0
    unused = _coded(columns[STATUS], {"Unused": 1}, 0) > 0
    found: Codes = np.where(is_usage & ~unused, covered, np.int8(NOT_USAGE))
    return found


def _coded(column: Any, codes: Mapping[str, int], otherwise: int) -> Codes:
    places = pc.index_in(pc.cast(column, pa.string()), value_set=pa.array(list(codes)))
    found = np.asarray(pc.fill_null(places, len(codes)))
    coded: Codes = np.array([*codes.values(), otherwise], np.int8)[found]
    return coded


CUR = BillKind(
    name="CUR 2.0",
    account="line_item_usage_account_id",
    region="product_region_code",
    usage_type="line_item_usage_type",
    operation="line_item_operation",
    day="line_item_usage_start_date",
    currency="line_item_currency_code",
    quantity=("line_item_usage_amount",),
    list_usd=("pricing_public_on_demand_cost",),
    effective_usd={
        PLAIN: ("line_item_net_unblended_cost", "line_item_unblended_cost"),
        RESERVED: ("reservation_net_effective_cost", "reservation_effective_cost"),
        PLANNED: (
            "savings_plan_net_savings_plan_effective_cost",
            "savings_plan_savings_plan_effective_cost",
        ),
    },
    told_by=(LINE_TYPE,),
    coverage=_cur_coverage,
)

FOCUS = BillKind(
    name="FOCUS",
    account="SubAccountId",
    region="RegionId",
    usage_type="x_UsageType",
    operation="x_Operation",
    day="ChargePeriodStart",
    currency="BillingCurrency",
    quantity=("PricingQuantity", "ConsumedQuantity"),
    list_usd=("ListCost",),
    effective_usd=dict.fromkeys((PLAIN, RESERVED, PLANNED), ("EffectiveCost",)),
    told_by=("ChargeCategory", CATEGORY, STATUS),
    coverage=_focus_coverage,
)

BILL_KINDS = (CUR, FOCUS)
