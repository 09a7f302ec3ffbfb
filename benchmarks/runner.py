"""Runs benchmarks, each in a process of its own, and writes what each measured as one JSON file.

A benchmark that fails or takes too long does not keep the others from running.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from time import perf_counter
from typing import Any

from benchmarks.listing import FULL, LATE, Benchmark, size_of
from benchmarks.machine import ROOT, load_averages, these_versions, this_machine
from benchmarks.measurement import JSON, document, read_any

RESULTS = ROOT / "benchmarks" / "results"

ENDING_SECONDS = 10
"""That a benchmark has to clean up after it is told to end."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one process."""

    output: str
    seconds: float
    processor_seconds: float
    """Of it and the processes that it waited for, on all cores."""
    problem: str = ""
    """Why it measured nothing; empty where it did."""


def measure(benchmark: Benchmark, size: str) -> tuple[dict[str, Any], str]:
    """Run a benchmark and return its record, and its problem: one of the two is empty."""
    wanted = size_of(benchmark, size)
    words = [sys.executable, "-m", f"benchmarks.{benchmark.name}", *wanted.arguments]
    before, began = load_averages(), datetime.now(UTC)
    ran = run([*words, "--output", JSON], wanted.seconds * LATE)
    if ran.problem:
        return {}, ran.problem
    try:
        measured = document(read_any(json.loads(ran.output)))
    except (ValueError, KeyError) as error:
        return {}, f"its output is no report: {error!r}"
    record = {
        "benchmark": benchmark.name,
        "what": benchmark.what,
        "size": {"name": size, "told": wanted.told, "arguments": list(wanted.arguments)},
        "began": began.isoformat(timespec="seconds"),
        "seconds": round(ran.seconds, 1),
        "processor_seconds": round(ran.processor_seconds, 1),
        "machine": {**asdict(this_machine()), "load": {"start": before, "end": load_averages()}},
        "versions": asdict(these_versions()),
    }
    return record | measured, ""


def run(command: Sequence[str], limit: float) -> Ran:
    """Run a command for at most so many seconds, with all that it starts.

    Its messages go where those of this process go.
    """
    began, used = perf_counter(), _processor_seconds()
    with _in_a_group(command) as process:
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            output, problem = "", f"took longer than {limit:.0f} s and was ended"
        else:
            problem = f"ended with status {process.returncode}" if process.returncode else ""
    seconds = perf_counter() - began
    return Ran(output, seconds, _processor_seconds() - used, problem)


@contextmanager
def _in_a_group(command: Sequence[str]) -> Iterator["subprocess.Popen[str]"]:
    """Start a process in a group of its own, and leave none of the group behind."""
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                _end(process)


def _end(process: "subprocess.Popen[str]") -> None:
    # As Ctrl-C does, so that servers are stopped and folders removed; then without asking.
    os.killpg(process.pid, signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(ENDING_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _processor_seconds() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def write(record: dict[str, Any], folder: Path) -> Path:
    """Write a record and return its file: NAME.json, of full size NAME.full.json."""
    folder.mkdir(parents=True, exist_ok=True)
    suffix = ".full.json" if record["size"]["name"] == FULL else ".json"
    path = folder / f"{record['benchmark']}{suffix}"
    path.write_text(json.dumps(record, indent=2) + "\n")
    return path
