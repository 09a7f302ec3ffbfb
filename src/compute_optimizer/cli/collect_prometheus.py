"""`compute-optimizer collect prometheus`: from any server of the Prometheus API."""

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from compute_optimizer.app import opened, prometheus_source
from compute_optimizer.cli.collect import (
    AgainOption,
    ConcurrencyOption,
    DaysOption,
    EnrollOption,
    EstimateOption,
    SinceOption,
    TypesOption,
    Wish,
    carry_out,
    commands,
    show,
)
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_rows,
    printable,
    settings_for,
)
from compute_optimizer.jobs.collect_run import CONCURRENCY, Failure
from compute_optimizer.sources.prometheus import PrometheusSource, read_configuration
from compute_optimizer.sources.prometheus.discovery import Found
from compute_optimizer.sources.prometheus.source import Planned

SHOWN = 20
"""Machines of each kind that are listed for people; programs get all."""

PLAN = {
    "url": "Server",
    "exporter": "Exporter",
    "metric": "Metric",
    "statistic": "Statistic",
    "series": "Series now",
    "query": "Query",
}


@commands.command()
def prometheus(
    config: Annotated[
        Path, typer.Option("--config", help="YAML: servers, who owns the machines, exporters.")
    ],
    url: Annotated[
        str, typer.Option("--url", help="URL of the server, instead of that in the file.")
    ] = "",
    types: TypesOption = "",
    days: DaysOption = None,
    since: SinceOption = None,
    concurrency: ConcurrencyOption = CONCURRENCY,
    estimate: EstimateOption = False,
    again: AgainOption = False,
    remove_gone: Annotated[
        bool,
        typer.Option(
            "--remove-gone",
            help="Remove resources that no server has seen of late, whatever brought them in.",
        ),
    ] = False,
    enroll_accounts: EnrollOption = False,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Collect from Prometheus, Thanos, Mimir or VictoriaMetrics: machines, and missing samples.

    The exit code is 6 where a server or a part of it could not be read; the rest is kept.
    """
    settings, configuration = settings_for(data_dir), read_configuration(config, url)
    with (
        opened(settings) as application,
        closing(prometheus_source(application, configuration)) as source,
    ):
        # What a server that is down would tell of is not gone.
        keep_gone = not remove_gone or bool(source.found().unread)
        wish = Wish(types, days, since, concurrency, estimate, again, keep_gone, enroll_accounts)
        report = carry_out(application, source, wish)
        report.failures += [Failure("", "", "", one) for one in source.found().unread.values()]
        more = _found_as_json(source.found())
        plan = [_planned(one) for one in source.plan()] if estimate else []
        if output is Format.TABLE:
            print_found(source, plan)
    show(report, wish, output, {**more, "plan": plan} if estimate else more)


def print_found(source: PrometheusSource, plan: list[dict[str, Any]]) -> None:
    """Print what was found out about the machines, and what is asked, for people."""
    console = Console(soft_wrap=True, highlight=False)
    found = source.found()
    for one in found.matches[:SHOWN]:
        console.print(
            f"matched by size: {one.arn.rpartition('/')[2]} ({one.vcpus:g} vCPUs, "
            f"{one.memory_mib / 1024:.1f} GiB) counts as {one.instance_type}",
            markup=False,
        )
    _print_more(console, len(found.matches), "matched by size")
    for left in found.left_out[:SHOWN]:
        told = printable(f"left out: {left.machine}: {left.reason}")
        console.print(told, style="yellow", markup=False)
    _print_more(console, len(found.left_out), "left out")
    if plan:
        print_rows(plan, PLAN, Format.TABLE)


def _print_more(console: Console, count: int, what: str) -> None:
    if count > SHOWN:
        console.print(f"{what}: {count - SHOWN:,} more (all with --output json).")


def _found_as_json(found: Found) -> dict[str, Any]:
    return {
        "matchedTypes": [
            {
                "resourceArn": one.arn,
                "type": one.instance_type,
                "vcpus": one.vcpus,
                "memoryMib": round(one.memory_mib, 1),
            }
            for one in found.matches
        ],
        "leftOut": [{"machine": one.machine, "reason": one.reason} for one in found.left_out],
    }


def _planned(one: Planned) -> dict[str, Any]:
    return {
        "url": one.url,
        "exporter": one.exporter,
        "resourceType": one.resource_type,
        "metric": one.rule.metric,
        "statistic": one.rule.statistic.value,
        "series": one.series,
        "query": one.query,
    }
