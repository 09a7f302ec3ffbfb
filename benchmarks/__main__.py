"""Run benchmarks, and write what they measured to benchmarks/results.

    python -m benchmarks [NAME ...] [--full] [--list] [--results FOLDER]

Without names all that have a size for CI run at it; with --full all run at full size. The exit code
is 1 where one of them failed.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.listing import BENCHMARKS, CI, FULL, Benchmark, chosen, size_of
from benchmarks.measurement import figure, ratios, read
from benchmarks.runner import RESULTS, measure, write


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is asked for."""
    given = _arguments(arguments)
    size = FULL if given.full else CI
    wanted = chosen(given.names, size)
    console = Console(highlight=False, soft_wrap=True)
    console.print(told_before(wanted, size))
    if given.list:
        return
    failed = run_all(wanted, size, given.results, console)
    if failed:
        console.print("failed: " + ", ".join(failed))
        sys.exit(1)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    names = [one.name for one in BENCHMARKS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--full", action="store_true", help="at full size")
    parser.add_argument("--list", action="store_true", help="only say what would run")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(names))
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; expected some of {', '.join(names)}")
    return given


def told_before(wanted: Sequence[Benchmark], size: str) -> str:
    """Return what runs, how long that takes and what disk it needs, for people."""
    lines = []
    for one in wanted:
        at = size_of(one, size)
        lines.append(f"  {one.name:<18} {at.told:<28} {at.seconds:>5} s {at.disk_mb:>7,} MB")
    seconds = sum(size_of(one, size).seconds for one in wanted)
    disk = max(size_of(one, size).disk_mb for one in wanted)
    whole = f"About {seconds / 60:.0f} minutes on two quiet cores, at most {disk:,} MB of disk"
    return "\n".join([*lines, f"{whole} in the folder for temporary files."])


def run_all(wanted: Sequence[Benchmark], size: str, folder: Path, console: Console) -> list[str]:
    """Run one after the other, write their results, and return the names of those that failed."""
    failed = []
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("", total=len(wanted))
        for one in wanted:
            progress.update(task, description=f"{one.name}, {size_of(one, size).told}")
            record, problem = measure(one, size)
            if problem:
                failed.append(one.name)
                console.print(f"{one.name}: {problem}")
            else:
                console.print(f"{one.name}: {record['seconds']:.0f} s, {write(record, folder)}")
                for (name, baseline), found in ratios(read(record)).items():
                    console.print(f"  {name} / {baseline}: {figure(found.median)}")
            progress.advance(task)
    return failed


if __name__ == "__main__":
    main()
