"""Milliseconds for pages of the console over a store of many recommendations.

    python -m benchmarks.console_pages [--recommendations 100000] [--rounds 7] [--keep FOLDER]

The store is that of `benchmarks.page_latency`. Each page is made whole, by the program's own room,
without HTTP; the first time, with nothing remembered, is told by itself, and so is processor time,
which does not hang on what else the machine does. Then the list is exported as CSV, and the private
memory is told that the process gained meanwhile, and that of the file's second half alone.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import getpid
from pathlib import Path
from time import perf_counter, process_time

from benchmarks.measurement import Measurement, Report, add_output, show
from benchmarks.page_latency import ACCOUNT, FixedClock, arn_of, fill
from benchmarks.process_memory import private_mb
from compute_optimizer.app import opened
from compute_optimizer.app.console import console_of
from compute_optimizer.app.serving import front_door
from compute_optimizer.config import load_settings
from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import Request, read_values
from compute_optimizer.console.room import answer
from compute_optimizer.console.sessions import COOKIE
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.operations.enrollment import change_enrollment

LIST = "/console/recommendations/ec2-instances"

PAGES = {
    "dashboard": ("/console/", ""),
    "first page, largest savings": (LIST, ""),
    "500 on a page": (LIST, "size=500"),
    "by ARN": (LIST, "sort=arn"),
    "underprovisioned, one in 10,000": (LIST, "filter.Finding=Underprovisioned"),
    "by reason code": (LIST, "filter.FindingReasonCodes=MemoryOverprovisioned"),
    "by a rare tag": (LIST, "tag=rare"),
    "by part of a name": (LIST, "q=web-prod"),
    "by an id at the end": (LIST, f"q={arn_of(99_999)[-17:]}"),
    "by a text that nothing has": (LIST, "q=nothing-has-this"),
    "by a tag that nothing has": (LIST, "tag=rare=no"),
    "text and tag that meet nowhere": (LIST, "q=web-prod&tag=rare=no"),
    "text, tag, finding, state": (LIST, "q=web&tag=rare&filter.Finding=Optimized&state=accepted"),
    "idle": ("/console/recommendations/idle", ""),
}


@contextmanager
def furnished(folder: Path, count: int) -> Iterator[Room]:
    """Open the console over a store of so many recommendations, made where it is not there."""
    settings = load_settings({"data_dir": folder, "auth": "off"}, {})
    is_new = not (folder / "state.db").exists()
    with opened(settings, FixedClock()) as application, front_door(application) as door:
        if is_new:
            change_enrollment(application.state, FixedClock(), ACCOUNT, "Active")
            advance_enrollments(application.state, FixedClock())
            fill(application.state, count)
        yield console_of(application, door)


def milliseconds(room: Room, path: str, query: str) -> tuple[float, float]:
    """Return how long a page takes, and its processor time; raise RuntimeError where it is none."""
    headers = {"cookie": f"{COOKIE}={ACCOUNT}.token"}
    request = Request("GET", path, read_values(query), {}, headers, "", query)
    began, worked = perf_counter(), process_time()
    response = answer(room, request)
    took = (perf_counter() - began) * 1_000, (process_time() - worked) * 1_000
    if response.status != 200:
        raise RuntimeError(f"{path}?{query} answered {response.status}")
    return took


def exported(room: Room) -> Iterator[Measurement]:
    """Export the list as it is sent, piece by piece, and yield what that took."""
    headers = {"cookie": f"{COOKIE}={ACCOUNT}.token"}
    response = answer(room, Request("GET", f"{LIST}/export", {}, {}, headers, ""))
    if response.pieces is None:
        raise RuntimeError(f"the export answered {response.status}")
    before, worked = private_mb(getpid()), process_time()
    memory, rows = [], -1  # Its first line are the headings.
    for piece in response.pieces:
        rows += piece.count(b"\n")
        memory.append(private_mb(getpid()))
    seconds = process_time() - worked
    middle = len(memory) // 2
    gained = max(memory) - before, max(memory[middle:]) - max(memory[:middle])
    yield Measurement("CSV of all rows, processor", "rows/s", (rows / seconds,))
    yield Measurement("CSV of all rows", "rows", (float(rows),))
    yield Measurement("CSV of all rows, memory gained at most", "MB", (gained[0],))
    yield Measurement("CSV of all rows, of it in the second half", "MB", (max(gained[1], 0.0),))


def measure(room: Room, rounds: int) -> Report:
    """Return the milliseconds of each page, and those of a processor; and an export."""
    found = []
    for name, (path, query) in PAGES.items():
        first, *others = (milliseconds(room, path, query) for _ in range(rounds + 1))
        took, worked = zip(*others, strict=True)
        found.append(Measurement(f"{name}, first", "ms", (first[0],)))
        found.append(Measurement(name, "ms", took))
        found.append(Measurement(f"{name}, processor", "ms", worked))
    found += exported(room)
    return Report(tuple(found))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, on a store that is kept or not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--recommendations", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--keep", type=Path)
    add_output(parser)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        with furnished(folder, given.recommendations) as room:
            show(measure(room, given.rounds), given.output)


if __name__ == "__main__":
    main()
