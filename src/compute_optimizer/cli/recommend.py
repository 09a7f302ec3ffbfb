"""`compute-optimizer recommend`: the current recommendations, the largest savings first."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from compute_optimizer.app import opened
from compute_optimizer.cli.figures import percent
from compute_optimizer.cli.idle import NONE_LEFT, print_idle
from compute_optimizer.cli.narrowing import check_narrowing
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    print_rows,
    settings_for,
    tell,
    title_of_largest,
)
from compute_optimizer.cli.standing import HEADINGS as STANDING
from compute_optimizer.cli.standing import StatesOption, standing_columns, where_they_stand
from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.analyze import resource_type as type_known_as
from compute_optimizer.jobs.decisions import Standpoint
from compute_optimizer.jobs.recommend import by_savings, idle_by_savings, left_without
from compute_optimizer.model.arn import region_of, short_name
from compute_optimizer.model.counted import counted
from compute_optimizer.model.decision import State
from compute_optimizer.model.export import IDLE
from compute_optimizer.model.recommendation import Recommendation
from compute_optimizer.model.resource import EC2_INSTANCE, hidden_types
from compute_optimizer.resources import type_of
from compute_optimizer.resources.discounts import (
    savings_after,
    stranded_monthly_usd,
    stranding,
)
from compute_optimizer.store.recommendations import counted_savings

SHOWN = 20
"""Recommendations in the table unless more are asked for: a screen full."""

NONE_YET = "No recommendation yet: import metrics, then run `compute-optimizer analyze`."
NONE_AT_ALL = (
    "No recommendation: {resources} analyzed, all without one ({codes}). "
    "`compute-optimizer explain` says what one has and needs; analyze again when there are more "
    "metrics."
)
HEADINGS = {
    "accountId": "Account",
    "region": "Region",
    "resourceType": "Type",
    "name": "Name or id",
    "finding": "Finding",
    "current": "Current",
    "recommended": "Recommended",
    "otherProfileRecommends": "Other profile",
    "violationRisk": "Violated",
    "performanceRisk": "Risk (0-4)",
    "estimatedMonthlySavings": "USD a month",
}

AFTER = {"estimatedMonthlySavingsAfterDiscounts": "After discounts"}
"""Shown where it is known of any recommendation."""

AccountsOption = Annotated[
    list[str] | None, typer.Option("--account", help="Only this account; may be repeated.")
]
RegionsOption = Annotated[
    list[str] | None, typer.Option("--region", help="Only this Region; may be repeated.")
]
TypesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        help=f"Only this resource type, such as {EC2_INSTANCE}; may be repeated. "
        f"{IDLE}, by itself, lists what is idle, of every type.",
    ),
]


def recommend(
    account: AccountsOption = None,
    region: RegionsOption = None,
    resource_type: TypesOption = None,
    state: StatesOption = None,
    limit: Annotated[
        int, typer.Option(min=0, help="Recommendations in the table; 0 shows all.")
    ] = SHOWN,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Print the current recommendations, the largest savings first, and the total savings."""
    if IDLE in (resource_type or ()):
        _recommend_idle(account, region, resource_type or [], state, limit, output, data_dir)
        return
    for name in resource_type or ():
        type_known_as(name)
    with opened(settings_for(data_dir)) as application, application.state.reading() as connection:
        check_narrowing(connection, account, region)
        every = by_savings(connection, account, region, resource_type)
        found, stands = where_they_stand(application, connection, every, state)
        without = Counter() if every else left_without(connection)
    if output is Format.JSON:
        print_json(
            {
                "recommendations": [
                    _row(one) | standing_columns(stand)
                    for one, stand in zip(found, stands, strict=True)
                ],
                "totalEstimatedMonthlySavings": round(sum(map(counted_savings, found)), 2),
            }
        )
    else:
        print_recommendations(
            found, limit, stands, bool(account or region or resource_type or state), without
        )


def _recommend_idle(
    accounts: list[str] | None,
    regions: list[str] | None,
    types: list[str],
    states: list[State] | None,
    limit: int,
    output: Format,
    data_dir: Path | None,
) -> None:
    """Print what is idle; raise InvalidInput where other types are asked for, too."""
    if set(types) != {IDLE}:
        raise InvalidInput(f"--type {IDLE} lists every type at once; leave the other types out")
    settings = settings_for(data_dir)
    hidden = hidden_types(settings.newer_idle_types)
    with opened(settings) as application, application.state.reading() as connection:
        check_narrowing(connection, accounts, regions)
        every = idle_by_savings(connection, accounts, regions, hidden)
        found, stands = where_they_stand(application, connection, every, states)
    print_idle(found, limit, output, stands, bool(accounts or regions or states))


def print_recommendations(
    found: Sequence[Recommendation],
    limit: int = SHOWN,
    stands: Sequence[Standpoint] = (),
    narrowed: bool = False,
    without: Counter[str] | None = None,
) -> None:
    """Print the first recommendations as a table, then findings and savings of all of them.

    `stands` says where each stands; without it that is not shown. `narrowed` says that others may
    have been left out; `without` counts resources that have none, by the code that says why.
    """
    if not found:
        print(NONE_LEFT if narrowed else _none_of(without or Counter()))
        return
    shown = found[:limit] if limit else found
    title = title_of_largest(len(shown), len(found), "recommendations")
    rows = [_for_people(_row(one)) for one in shown]
    if stands:
        pairs = zip(rows, stands, strict=False)
        rows = [row | standing_columns(stand) for row, stand in pairs]
    known = any(row["estimatedMonthlySavingsAfterDiscounts"] is not None for row in rows)
    headings = HEADINGS | (AFTER if known else {}) | (STANDING if stands else {})
    print_rows(rows, headings, Format.TABLE, title)
    for row in rows:
        if row["mind"] is not None:
            tell(f"Mind: {row['name']}: {row['mind']}.")
    findings = Counter(one.finding.value for one in found)
    told = (f"{count:,} {_in_words(finding)}" for finding, count in findings.most_common())
    print(", ".join(told))
    print(f"Total estimated savings: {sum(map(counted_savings, found)):,.2f} USD a month.")


def _none_of(without: Counter[str]) -> str:
    if not without:
        return NONE_YET
    codes = ", ".join(f"{count:,} {code}" for code, count in sorted(without.items()))
    return NONE_AT_ALL.format(resources=counted(without.total(), "resources"), codes=codes)


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    risk = row["violationRisk"]
    return row | {"violationRisk": "" if risk is None else percent(risk)}


def _in_words(finding: str) -> str:
    """Return such as `not optimized` for NotOptimized."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", finding).lower()


def _row(one: Recommendation) -> dict[str, Any]:
    kind = type_of(one)
    summary = kind.summary(one)
    region = region_of(one.resource_arn)
    row = {
        "resourceArn": one.resource_arn,
        "resourceType": kind.name,
        "accountId": one.account_id,
        "region": region,
        "name": summary.name or short_name(one.resource_arn),
        "finding": one.finding.value,
        "findingReasonCodes": list(summary.reason_codes),
        "current": summary.current,
        "recommended": summary.recommended,
        "performanceRisk": summary.performance_risk,
        "violationRisk": summary.violation_risk,
        "profile": summary.profile,
        "otherProfileRecommends": summary.other_recommended,
        "estimatedMonthlySavings": round(counted_savings(one), 2),
        "estimatedMonthlySavingsAfterDiscounts": _after_discounts(one),
        "strandedMonthlyUsd": stranded_monthly_usd(one),
        "mind": stranding(one),
    }
    return row | _as_instance(row) if kind.name == EC2_INSTANCE else row


def _after_discounts(one: Recommendation) -> float | None:
    """Return the savings at effective rates of what totals count; None where they are unknown."""
    found = savings_after(one)
    if found is None:
        return None
    return round(found, 2) if counted_savings(one) else 0.0


def _as_instance(row: dict[str, Any]) -> dict[str, Any]:
    """Return what an instance's row has besides: the names that programs knew before volumes."""
    return {
        "instanceArn": row["resourceArn"],
        "currentInstanceType": row["current"],
        "recommendedInstanceType": row["recommended"],
    }
