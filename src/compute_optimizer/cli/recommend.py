"""`compute-optimizer recommend`: the current recommendations, the largest savings first."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from compute_optimizer.app import opened
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    print_rows,
    settings_for,
)
from compute_optimizer.jobs.recommend import by_savings
from compute_optimizer.model.preferences import CURRENT
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation, RecommendationOption
from compute_optimizer.store.recommendations import counted_savings

SHOWN = 20
"""Recommendations in the table unless more are asked for: a screen full."""

HEADINGS = {
    "accountId": "Account",
    "region": "Region",
    "name": "Name or id",
    "finding": "Finding",
    "currentInstanceType": "Current type",
    "recommendedInstanceType": "Recommended",
    "performanceRisk": "Risk (0-4)",
    "estimatedMonthlySavings": "USD a month",
}

AccountsOption = Annotated[
    list[str] | None, typer.Option("--account", help="Only this account; may be repeated.")
]
RegionsOption = Annotated[
    list[str] | None, typer.Option("--region", help="Only this Region; may be repeated.")
]


def recommend(
    account: AccountsOption = None,
    region: RegionsOption = None,
    limit: Annotated[
        int, typer.Option(min=0, help="Recommendations in the table; 0 shows all.")
    ] = SHOWN,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Print the current recommendations, the largest savings first, and the total savings."""
    with opened(settings_for(data_dir)) as application, application.state.reading() as connection:
        found = by_savings(connection, account, region)
    if output is Format.JSON:
        print_json(
            {
                "recommendations": [_row(one) for one in found],
                "totalEstimatedMonthlySavings": round(sum(map(counted_savings, found)), 2),
            }
        )
    else:
        print_recommendations(found, limit)


def print_recommendations(found: Sequence[Ec2InstanceRecommendation], limit: int = SHOWN) -> None:
    """Print the first recommendations as a table, then findings and savings of all of them."""
    if not found:
        print("No recommendation yet: import metrics, then run `compute-optimizer analyze`.")
        return
    shown = found[:limit] if limit else found
    title = f"The {len(shown):,} largest savings of {len(found):,} recommendations"
    print_rows([_row(one) for one in shown], HEADINGS, Format.TABLE, title)
    findings = Counter(one.finding.value for one in found)
    print(", ".join(f"{count:,} {finding.lower()}" for finding, count in findings.most_common()))
    print(f"Total estimated savings: {sum(map(counted_savings, found)):,.2f} USD a month.")


def _row(one: Ec2InstanceRecommendation) -> dict[str, Any]:
    first = _first_option(one)
    region, resource_id = one.resource_arn.split(":")[3], one.resource_arn.rpartition("/")[2]
    return {
        "instanceArn": one.resource_arn,
        "accountId": one.account_id,
        "region": region,
        "name": one.name or resource_id,
        "finding": one.finding.value,
        "findingReasonCodes": list(one.finding_reason_codes),
        "currentInstanceType": one.current_instance_type,
        "recommendedInstanceType": first.instance_type if first else None,
        "performanceRisk": first.performance_risk if first else None,
        "estimatedMonthlySavings": round(counted_savings(one), 2),
    }


def _first_option(one: Ec2InstanceRecommendation) -> RecommendationOption | None:
    return next((o for o in one.options if o.architecture_pool == CURRENT), None)
