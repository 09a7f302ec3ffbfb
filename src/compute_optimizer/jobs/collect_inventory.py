"""The first half of a collection: which resources a source has, and what their types can do."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from compute_optimizer.jobs.collect_run import Run, each, failures
from compute_optimizer.jobs.ingest import unknown_types_of
from compute_optimizer.jobs.noticed import notice_changes
from compute_optimizer.model.collection import Scope
from compute_optimizer.model.described_type import DescribedType
from compute_optimizer.model.resource import AUTO_SCALING_GROUP, EC2_INSTANCE, Resource
from compute_optimizer.store import inventory
from compute_optimizer.store.described_types import described_types, keep_types

MACHINES = frozenset({EC2_INSTANCE, AUTO_SCALING_GROUP})
"""Resource types whose types are instance types."""


@dataclass(frozen=True, slots=True)
class Found:
    """The inventory of a source."""

    resources: tuple[Resource, ...]
    complete: tuple[Scope, ...]
    """Scopes that could be read: what is not among the resources is not there."""


def inventory_of(run: Run) -> Found:
    """Return the resources of all accounts, each ARN once."""
    scopes: list[Scope] = []
    for account, listed in each(run, "Accounts", run.report.accounts, run.source.scopes):
        with failures(run.report, Scope(account, "", "")):
            scopes += [one for one in listed.result() if _is_wanted(run, one)]
    complete: list[Scope] = []
    found: dict[str, Resource] = {}
    for scope, owned in each(run, "Inventory", sorted(scopes), run.source.inventory):
        with failures(run.report, scope):
            found |= {one.arn: one for one in owned.result()}
            complete.append(scope)
    resources = list(found.values())
    run.report.resources = Counter(one.resource_type for one in resources)
    run.report.unknown_types = unknown_types_of(resources)
    return Found(tuple(resources), tuple(complete))


def _is_wanted(run: Run, scope: Scope) -> bool:
    wanted = run.request.resource_types
    return wanted is None or scope.resource_type in wanted


def store_inventory(run: Run, found: Found) -> None:
    """Bring the inventory to what the source has, in the scopes that could be read."""
    with run.state.writing() as connection:
        run.fence(connection)
        run.report.counts = inventory.upsert_resources(connection, found.resources)
        gone = [] if run.request.keep_gone else _remove_gone(connection, found)
        run.report.gone += len(gone)
        notice_changes(connection, [*run.report.counts.changed_arns, *gone], run.now)


def _remove_gone(connection: Connection, found: Found) -> list[str]:
    """Remove what the source has no longer, in the scopes that could be read; return the ARNs."""
    arns = {one.arn for one in found.resources}
    return [
        arn
        for scope in found.complete
        for arn in inventory.remove_others(
            connection, (scope.account_id, scope.region, scope.resource_type), arns
        )
    ]


def describe_types(run: Run, resources: Sequence[Resource]) -> None:
    """Keep what the source says of instance types that the catalog lacks, asked by Region."""
    lacking = {(kind, name) for kind, name in run.report.unknown_types if kind in MACHINES}
    if not lacking:
        return
    scopes: dict[str, Scope] = {}
    names: defaultdict[str, set[str]] = defaultdict(set)
    for one in resources:
        if (one.resource_type, one.instance_type) in lacking:
            scopes.setdefault(one.region, Scope(one.account_id, one.region, one.resource_type))
            names[one.region].add(one.instance_type)

    def describe(region: str) -> Sequence[DescribedType]:
        return run.source.described(scopes[region], sorted(names[region]))

    for region, told in each(run, "Instance types", sorted(scopes), describe):
        with failures(run.report, scopes[region]):
            types = told.result()
            with run.state.writing() as connection:
                run.fence(connection)
                run.report.described_types |= {one.name for one in keep_types(connection, types)}
    with run.state.reading() as connection:
        known = {one.name for one in described_types(connection)}
    run.report.unknown_types = unknown_types_of(resources, known)
