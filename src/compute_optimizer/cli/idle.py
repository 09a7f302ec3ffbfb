"""What `compute-optimizer recommend --type Idle` prints."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from compute_optimizer.cli.output import Format, print_json, print_rows, title_of_largest
from compute_optimizer.cli.standing import HEADINGS as STANDING
from compute_optimizer.cli.standing import standing_columns
from compute_optimizer.jobs.decisions import Standpoint
from compute_optimizer.model.arn import region_of
from compute_optimizer.model.recommendation import IdleRecommendation
from compute_optimizer.resources.idleness import counted_savings

NONE_YET = "Nothing is idle, or nothing was analyzed yet (`compute-optimizer analyze`)."
NONE_LEFT = (
    "No recommendation fits the given account, region, type and state; leave one of them out."
)

HEADINGS = {
    "accountId": "Account",
    "region": "Region",
    "resourceType": "Type",
    "name": "Name or id",
    "finding": "Finding",
    "findingDescription": "Why",
    "estimatedMonthlySavings": "USD a month",
}


def print_idle(
    found: Sequence[IdleRecommendation],
    limit: int,
    output: Format,
    stands: Sequence[Standpoint],
    narrowed: bool,
) -> None:
    """Print what is idle, the largest savings first, and the total; 0 is no limit.

    `narrowed` says that others may have been left out.
    """
    pairs = zip(found, stands, strict=True)
    rows = [_row(one) | standing_columns(stand) for one, stand in pairs]
    total = sum(map(counted_savings, found))
    if output is Format.JSON:
        print_json({"idleRecommendations": rows, "totalEstimatedMonthlySavings": round(total, 2)})
        return
    if not found:
        print(NONE_LEFT if narrowed else NONE_YET)
        return
    shown = rows[:limit] if limit else rows
    title = title_of_largest(len(shown), len(found), "idle resources")
    print_rows(shown, HEADINGS | STANDING, Format.TABLE, title)
    types = Counter(one.idle_type for one in found)
    print(", ".join(f"{count:,} {name}" for name, count in types.most_common()))
    unpriced = sum(one.savings is None for one in found)
    unknown = f"; of {unpriced:,} nobody knows the price" if unpriced else ""
    print(f"Total estimated savings: {total:,.2f} USD a month{unknown}.")


def _row(one: IdleRecommendation) -> dict[str, Any]:
    return {
        "resourceArn": one.resource_arn,
        "resourceType": one.idle_type,
        "accountId": one.account_id,
        "region": region_of(one.resource_arn),
        "name": one.name or one.resource_id,
        "finding": one.finding.value,
        "findingDescription": one.description,
        "lookBackPeriodInDays": one.lookback_days,
        "estimatedMonthlySavings": None
        if one.savings is None
        else round(one.savings.monthly_usd, 2),
    }
