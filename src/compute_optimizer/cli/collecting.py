"""What the commands that collect share: opting in, progress, and how a report is printed."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from compute_optimizer.app import Application
from compute_optimizer.cli.auditing import record_command
from compute_optimizer.cli.figures import percent
from compute_optimizer.cli.output import Format, print_rows, printable
from compute_optimizer.jobs.collect_run import CollectReport, Coverage
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.model.counted import counted
from compute_optimizer.model.metrics import MetricKey
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.resources import plural_of
from compute_optimizer.store.enrollments import opted_in_accounts

COVERAGE = {
    "resourceType": "Type",
    "metric": "Metric",
    "statistic": "Statistic",
    "resources": "Resources",
    "withSamples": "With samples",
    "covered": "Of the time asked for",
}


def enroll(application: Application, accounts: Sequence[str]) -> list[str]:
    """Opt in those accounts that are not, as UpdateEnrollmentStatus would, and return them."""
    with application.state.reading() as connection:
        opted_in = opted_in_accounts(connection)
    new = [account for account in accounts if account not in opted_in]
    for account in new:
        change_enrollment(application.state, application.clock, account, "Active")
    advance_enrollments(application.state, application.clock)
    if new:
        record_command(application, "collect --enroll", new)
    return new


def report_as_json(report: CollectReport) -> dict[str, Any]:
    """Return the report for programs."""
    return {
        "accounts": list(report.accounts),
        "accountsNotOptedIn": list(report.not_opted_in),
        "from": report.first.isoformat(),
        "until": report.end.isoformat(),
        "notKeptSince": report.not_kept_since and report.not_kept_since.isoformat(),
        "resources": dict(sorted(report.resources.items())),
        "added": report.counts.added,
        "changed": report.counts.changed,
        "unchanged": report.counts.unchanged,
        "gone": report.gone,
        "coverage": [_coverage_row(*one) for one in sorted(report.coverage.items(), key=_place)],
        "tilesWritten": report.tiles,
        "describedTypes": sorted(report.described_types),
        "unknownTypes": [
            {"resourceType": kind, "type": name, "count": count}
            for (kind, name), count in sorted(report.unknown_types.items())
        ],
        "failures": [
            {
                "accountId": one.account_id,
                "region": one.region,
                "resourceType": one.resource_type,
                "message": one.message,
            }
            for one in sorted(report.failures)
        ],
    }


def estimate_as_json(report: CollectReport) -> dict[str, Any]:
    """Return what an estimate found, for programs."""
    whole = report_as_json(report)
    kept = ("accounts", "accountsNotOptedIn", "from", "until", "notKeptSince", "resources")
    return {
        **{name: whole[name] for name in (*kept, "failures")},
        "calls": report.effort.calls,
        "metrics": report.effort.metrics,
        "seconds": round(report.effort.seconds, 1),
        "usd": round(report.effort.usd, 4),
    }


def print_report(report: CollectReport) -> None:
    """Print the report for people."""
    console = Console(soft_wrap=True, highlight=False)
    _print_found(report, console)
    counts = report.counts
    console.print(
        f"{counts.added:,} added, {counts.changed:,} changed, {counts.unchanged:,} unchanged, "
        f"{report.gone:,} gone."
    )
    rows = [
        row | {"covered": percent(row["covered"], 0)}
        for row in (_coverage_row(*one) for one in sorted(report.coverage.items(), key=_place))
        if row["withSamples"]
    ]
    if rows:
        print_rows(rows, COVERAGE, Format.TABLE)
    console.print(f"{counted(report.tiles, 'day tiles')} written.")
    if report.described_types:
        console.print(
            f"EC2 described the types {', '.join(sorted(report.described_types))}, which the "
            "catalog lacks: they are known from now on, and have a price where you bring one."
        )
    for (kind, name), count in sorted(report.unknown_types.items()):
        console.print(
            f"warning: the catalog does not know the type {name!r} "
            f"({counted(count, plural_of(kind))}): they get no recommendation",
            markup=False,
        )
    print_failures(report, console)


def print_estimate(report: CollectReport) -> None:
    """Print what collecting would take, for people."""
    console = Console(soft_wrap=True, highlight=False)
    _print_found(report, console)
    effort = report.effort
    # A source that is not paid for, and that nobody paces, has neither of these.
    seconds = f", at least {effort.seconds:,.0f} s" if effort.seconds else ""
    price = f", and cost {_dollars(effort.usd)} USD at list price" if effort.usd else ""
    console.print(
        f"Metrics would take {counted(effort.calls, 'calls')} for "
        f"{counted(effort.metrics, 'series')}{seconds}{price}. "
        "Nothing was collected."
    )
    print_failures(report, console)


def _dollars(usd: float) -> str:
    """Return an amount; with more places where it is less than a dollar."""
    return f"{usd:,.2f}" if usd >= 1 else f"{usd:.4f}"


def print_failures(report: CollectReport, console: Console) -> None:
    """Print what could not be read, and what was left alone."""
    if report.not_opted_in:
        console.print(
            f"Not opted in, so nothing was read of: {', '.join(report.not_opted_in)} (--enroll "
            "opts them in)."
        )
    for one in sorted(report.failures):
        console.print(printable(f"could not be read: {one}"), style="red", markup=False)


def _print_found(report: CollectReport, console: Console) -> None:
    counts = [counted(count, plural_of(kind)) for kind, count in sorted(report.resources.items())]
    console.print(
        f"{counted(len(report.accounts), 'accounts')}: {', '.join(counts) or 'no resources'}; from "
        f"{report.first:%Y-%m-%d %H:%M} to {report.end:%Y-%m-%d %H:%M} UTC."
    )
    if report.not_kept_since is not None:
        console.print(
            f"Asked for since {report.not_kept_since:%Y-%m-%d}, but the source keeps five-minute "
            f"samples only since {report.first:%Y-%m-%d}: what is older is not there."
        )


def _place(item: tuple[tuple[str, MetricKey], Coverage]) -> tuple[str, MetricKey]:
    return item[0]


def _coverage_row(place: tuple[str, MetricKey], found: Coverage) -> dict[str, Any]:
    """Return one row; the share is that of the resources that have any samples at all."""
    kind, key = place
    return {
        "resourceType": kind,
        "metric": key.metric,
        "statistic": key.statistic.value,
        "resources": found.resources,
        "withSamples": found.with_samples,
        "covered": round(found.slots / found.slots_wanted, 4) if found.slots_wanted else 0.0,
    }
