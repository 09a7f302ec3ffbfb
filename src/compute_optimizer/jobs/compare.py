"""Compare: join what the AWS service exported with what is recommended here, by ARN."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.recommend import by_savings, idle_of
from compute_optimizer.model.arn import account_and_region
from compute_optimizer.model.export import IDLE
from compute_optimizer.model.recommendation import IdleRecommendation
from compute_optimizer.sources.files.aws_export import AwsExport, read_aws_export
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import Scope, current_run
from compute_optimizer.store.described_types import instance_types
from compute_optimizer.store.enrollments import opted_in_accounts
from compute_optimizer.store.recommendations import read_errors
from compute_optimizer.views.compared_types import PLACES, ComparedType, compared_type
from compute_optimizer.views.export_columns import ExportTable, Shown, recommended_rows
from compute_optimizer.views.export_comparison import (
    Cells,
    Disagreement,
    Verdict,
    as_cells,
    compared_aspects,
    described,
    monthly_savings,
    verdict,
)
from compute_optimizer.views.exports import EXPORT_TABLES

SAME, DIFFERENT, ONLY_THERE, ONLY_HERE = "same", "different", "only there", "only here"
OUTCOMES = (DIFFERENT, ONLY_THERE, ONLY_HERE, SAME)
"""What may come of one resource, in the order in which it is told."""


@dataclass(frozen=True, slots=True)
class ComparedResource:
    """One resource of either side."""

    arn: str
    resource: str | None
    """What it is, such as m5.large."""
    outcome: str
    disagreements: tuple[Disagreement, ...]
    causes: tuple[str, ...]
    savings_there: float
    """A month, in the currency of the Region, as totals count them."""
    savings_here: float


@dataclass(frozen=True, slots=True)
class ExportComparison:
    """Everything that a file and the current recommendations differ in."""

    resource_type: str
    resources: tuple[ComparedResource, ...]
    skipped_rows: int
    """Of the file: they could not be read."""
    aspects: tuple[str, ...]
    """What resources of that type may differ in."""
    not_compared: tuple[str, ...]
    """Aspects whose columns the file does not have."""

    def count(self, outcome: str) -> int:
        """Return how many resources came out so."""
        return sum(one.outcome == outcome for one in self.resources)

    @property
    def by_aspect(self) -> Mapping[str, int]:
        """How many resources differ in each aspect."""
        found = Counter(each.aspect for one in self.resources for each in one.disagreements)
        return {aspect: found[aspect] for aspect in self.aspects}


def compare_export(state: State, path: Path, enum_style: str = "wire") -> ExportComparison:
    """Compare a CSV file of the AWS service with the current recommendations.

    Looks at the accounts and Regions that the file names. Raises InvalidInput for a file that is no
    such export.
    """
    comparable = {name: EXPORT_TABLES[name] for name in PLACES if name in EXPORT_TABLES}
    kinds = {name: compared_type(name, table.columns) for name, table in comparable.items()}
    theirs = read_aws_export(path, {name for kind in kinds.values() for name in kind.columns})
    if theirs.resource_type not in kinds:
        raise InvalidInput(
            f"{path} is an export of type {theirs.resource_type}, which has no columns here to "
            f"compare with yet; expected one of {', '.join(kinds)}"
        )
    table, kind = comparable[theirs.resource_type], kinds[theirs.resource_type]
    with state.reading() as connection:
        ours = dict(_our_rows(connection, theirs, table, enum_style))
        excuses = _excuses(connection, theirs)
    found = [_compared(kind, theirs, ours, arn, excuses) for arn in {**theirs.rows, **ours}]
    order = {outcome: place for place, outcome in enumerate(OUTCOMES)}
    found.sort(
        key=lambda one: (order[one.outcome], -abs(one.savings_there - one.savings_here), one.arn)
    )
    aspects = tuple(aspect for aspect, _ in compared_aspects(kind))
    return ExportComparison(
        theirs.resource_type, tuple(found), theirs.skipped, aspects, _left_out(kind, theirs)
    )


def _our_rows(
    connection: Connection, theirs: AwsExport, table: ExportTable, enum_style: str
) -> Iterator[tuple[str, Cells]]:
    places = {account_and_region(arn) for arn in theirs.rows}
    accounts, regions = {account for account, _ in places}, {region for _, region in places}
    if theirs.resource_type == IDLE:
        found: Iterable[Any] = _idle(connection, places)
    else:
        found = by_savings(connection, accounts, regions, [theirs.resource_type])
    types = instance_types(connection)
    for one in found:
        account, region = account_and_region(one.resource_arn)
        if (account, region) in places:
            subject = table.subject(one, Shown(region, enum_style=enum_style, types=types))
            (row,) = recommended_rows(table.columns, [subject])
            yield one.resource_arn, as_cells(table.columns, row)


def _idle(
    connection: Connection, places: Collection[tuple[str, str]]
) -> Iterator[IdleRecommendation]:
    """Yield what is idle in accounts that are opted in."""
    opted_in = opted_in_accounts(connection)
    for account, region in sorted(places):
        if account in opted_in:
            yield from idle_of(connection, account, region)


def _excuses(connection: Connection, theirs: AwsExport) -> dict[str, str]:
    """Return why resources of the file, or all of an account, have no recommendation here."""
    opted_in = opted_in_accounts(connection)
    excuses = {}
    for account, region in {account_and_region(arn) for arn in theirs.rows}:
        run_id = current_run(connection, scope := Scope(account, region, theirs.resource_type))
        if account not in opted_in:
            excuses[f"{account}/{region}"] = f"account {account} is not opted in here"
        elif theirs.resource_type == IDLE:
            excuses[f"{account}/{region}"] = "no rule here finds it idle"
        elif run_id is None:
            excuses[f"{account}/{region}"] = f"account {account} was never analyzed in {region}"
        else:
            errors = read_errors(connection, run_id, scope)
            excuses |= {error.resource_arn: f"here: {error.message}" for error in errors}
    return excuses


def _compared(
    kind: ComparedType,
    theirs: AwsExport,
    ours: Mapping[str, Cells],
    arn: str,
    excuses: Mapping[str, str],
) -> ComparedResource:
    there, here = theirs.rows.get(arn), ours.get(arn)
    if here is None or there is None or "errorcode" in there:
        outcome, cause = _one_sided(arn, there, here, excuses)
        found = Verdict((), (cause,))
    else:
        found = verdict(kind, there, here, theirs.columns)
        outcome = DIFFERENT if found.disagreements else SAME
    return ComparedResource(
        arn=arn,
        resource=described(kind, here or there or {}),
        outcome=outcome,
        disagreements=found.disagreements,
        causes=found.causes,
        savings_there=monthly_savings(kind, there or {}),
        savings_here=monthly_savings(kind, here or {}),
    )


def _one_sided(
    arn: str, there: Cells | None, here: Cells | None, excuses: Mapping[str, str]
) -> tuple[str, str]:
    """Return what came of a resource that has a recommendation on one side at most, and why."""
    refused = f"there: {there['errormessage']}" if there and "errormessage" in there else ""
    if here is not None:
        return ONLY_HERE, refused or "the file does not have it"
    account, region = account_and_region(arn)
    missing = excuses.get(arn) or excuses.get(f"{account}/{region}")
    if there is not None and "errorcode" in there:
        return SAME, "neither side has a recommendation"
    return ONLY_THERE, missing or "it is not in the inventory"


def _left_out(kind: ComparedType, theirs: AwsExport) -> tuple[str, ...]:
    return tuple(
        aspect for aspect, columns in compared_aspects(kind) if not theirs.columns >= set(columns)
    )
