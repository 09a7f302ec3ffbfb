"""`compute-optimizer import`: bring in an inventory and metrics from files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn

from compute_optimizer.app import opened, tiles_of
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    print_rows,
    printable,
    settings_for,
)
from compute_optimizer.cli.progress import bars
from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.ingest import ImportReport, ImportRequest, ingest
from compute_optimizer.model.counted import counted
from compute_optimizer.model.metrics import Statistic
from compute_optimizer.sources.files.mapping import NO_MAPPING, read_mapping
from compute_optimizer.sources.files.tables import ReadProgress


def import_files(
    inventory: Annotated[
        Path | None,
        typer.Option(help="The resources: CSV, JSON lines or Parquet."),
    ] = None,
    metrics: Annotated[
        list[Path] | None,
        typer.Option(help="Their metrics: CSV or Parquet; may be given several times."),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(help="YAML that says what the columns of foreign metric files mean."),
    ] = None,
    statistic: Annotated[
        Statistic | None,
        typer.Option(help="Statistic of samples that do not say theirs."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Bring in nothing when anything is refused.")
    ] = False,
    data_dir: DataDirOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Bring in an inventory, metrics or both; what is refused is reported with file and row."""
    if inventory is None and not metrics:
        raise InvalidInput("nothing to import: give --inventory FILE, --metrics FILE, or both")
    request = ImportRequest(
        inventory=inventory,
        metrics=tuple(metrics or ()),
        mapping=read_mapping(mapping) if mapping else NO_MAPPING,
        statistic=statistic,
        strict=strict,
    )
    settings = settings_for(data_dir)
    with opened(settings) as application, _progress_bar() as progress:
        report = ingest(application.state, tiles_of(settings), application.clock, request, progress)
    if output is Format.JSON:
        print_json(report_as_json(report))
    else:
        print_report(report)


def report_as_json(report: ImportReport) -> dict[str, Any]:
    """Return the report for programs."""
    return {
        "resources": {
            "added": report.resources.added,
            "changed": report.resources.changed,
            "unchanged": report.resources.unchanged,
        },
        "samples": [
            {"metric": key.metric, "statistic": key.statistic.value, "count": count}
            for key, count in sorted(report.samples.items())
        ],
        "first_sample": report.first and report.first.isoformat(),
        "last_sample": report.last and report.last.isoformat(),
        "tiles_written": report.tiles,
        "unknown_instance_types": dict(sorted(report.unknown_types.items())),
        "unknown_volume_types": dict(sorted(report.unknown_volume_types.items())),
        "unknown_database_classes": dict(sorted(report.unknown_classes.items())),
        "columns_not_read": {str(path): names for path, names in report.not_read.items()},
        "refused": [
            {"file": str(path), "reason": reason.value, "count": count}
            for (path, reason), count in sorted(report.refusals.counts.items())
        ],
        "refused_examples": [
            {
                "file": str(one.file),
                "row": one.row,
                "reason": one.reason.value,
                "found": one.found,
            }
            for one in report.refusals.examples
        ],
    }


def print_report(report: ImportReport) -> None:
    """Print the report for people."""
    console = Console(soft_wrap=True, highlight=False)
    counts = report.resources
    console.print(
        f"Resources: {counts.added:,} added, {counts.changed:,} changed, "
        f"{counts.unchanged:,} unchanged."
    )
    if report.samples:
        taken = [
            {"metric": key.metric, "statistic": key.statistic.value, "count": f"{count:,}"}
            for key, count in sorted(report.samples.items())
        ]
        headings = {"metric": "Metric", "statistic": "Statistic", "count": "Samples taken"}
        print_rows(taken, headings, Format.TABLE)
        console.print(
            f"From {report.first:%Y-%m-%d %H:%M} to {report.last:%Y-%m-%d %H:%M} UTC; "
            f"{counted(report.tiles, 'day tiles')} written."
        )
    for what, unknown in (
        ("instance type", report.unknown_types),
        ("volume type", report.unknown_volume_types),
        ("database class or storage", report.unknown_classes),
    ):
        for name, count in sorted(unknown.items()):
            console.print(
                f"warning: the catalog does not know the {what} {name!r} "
                f"({counted(count, 'resources')}): they get no recommendation",
                markup=False,
            )
    for path, names in report.not_read.items():
        told = f"warning: {path.name}: columns not read: {', '.join(names)}"
        console.print(printable(told), markup=False)
    _print_refusals(report, console)


def _print_refusals(report: ImportReport, console: Console) -> None:
    if not report.refusals.total:
        console.print("Nothing was refused.")
        return
    rows = []
    for (path, reason), count in sorted(report.refusals.counts.items()):
        shown = report.refusals.examples_of(path, reason)
        rows.append(
            {
                "file": path.name,
                "reason": reason.value,
                "count": f"{count:,}",
                "rows": ", ".join(str(one.row) for one in shown),
                "found": shown[0].found if shown else "",
            }
        )
    headings = {
        "file": "File",
        "reason": "Refused because",
        "count": "In all",
        "rows": "First rows",
        "found": "Found in the first",
    }
    print_rows(rows, headings, Format.TABLE)
    console.print(f"{report.refusals.total:,} refused in all; everything else was taken.")


@contextmanager
def _progress_bar() -> Iterator[ReadProgress]:
    """Show how far each file has been read, on a terminal."""
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    with bars(*columns) as bar:
        tasks: dict[Path, TaskID] = {}

        def show(path: Path, share: float) -> None:
            if path not in tasks:
                tasks[path] = bar.add_task(path.name, total=1.0)
            bar.update(tasks[path], completed=share)

        yield show
