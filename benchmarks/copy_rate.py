"""Rows of an analysis into PostgreSQL by COPY, beside the INSERT that SQLAlchemy makes of them.

    python -m benchmarks.copy_rate [--rows 4000] [--rounds 5] [--url postgresql://...]

A shard's recommendations as `store.recommendations` writes them, in a transaction each that is
rolled back, both ways in turns. Without a URL a server of its own is started (fsync stays on).
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import Connection, insert

from benchmarks.measurement import Report, add_output, measurements_of, show
from benchmarks.postgresql import postgresql_in
from compute_optimizer.store import State
from compute_optimizer.store.bulk import insert_rows
from compute_optimizer.store.schema import recommendations

BODY_BYTES = 4_000
"""Of a recommendation as JSON, about: three options with their figures."""

FACETS = '{"finding":["Overprovisioned"],"reasons":["CPUOverprovisioned"],"tags":{"team":"web"}}'


def main(arguments: Sequence[str] | None = None) -> None:
    """Print rows a second of both ways and their ratio."""
    options = _options(arguments)
    with _server(options.url) as url, closing(State(url)) as state:
        state.migrate()
        rows = [_row(number) for number in range(options.rows)]
        ways: dict[str, Callable[[Connection], Any]] = {
            "INSERT": lambda connection: connection.execute(insert(recommendations), rows),
            "COPY": lambda connection: insert_rows(connection, recommendations, rows),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.rounds):
            for name, put in ways.items():
                seconds[name].append(_taken(state, put))
    rates = {name: [options.rows / one for one in taken] for name, taken in seconds.items()}
    notes = {"rows": f"{options.rows:,} of {BODY_BYTES / 1000:.0f} kB a transaction"}
    show(Report(measurements_of(rates, "rows/s", of="COPY"), notes), options.output)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--url", default="")
    add_output(parser)
    return parser.parse_args(arguments)


@contextmanager
def _server(url: str) -> Iterator[str]:
    if url:
        yield url
        return
    with (
        tempfile.TemporaryDirectory(prefix="copy-rate-") as folder,
        postgresql_in(Path(folder)) as own,
    ):
        yield own


def _taken(state: State, put: Callable[[Connection], Any]) -> float:
    with state.engine.connect() as connection:
        start = perf_counter()
        put(connection)
        taken = perf_counter() - start
        connection.rollback()
    return taken


def _row(number: int) -> dict[str, Any]:
    return {
        "run_id": "00000000-0000-0000-0000-000000000000",
        "account_id": "111111111111",
        "region": "us-east-1",
        "resource_type": "Ec2Instance",
        "resource_arn": f"arn:aws:ec2:us-east-1:111111111111:instance/i-{number:017x}",
        "finding": "Overprovisioned",
        "facets": FACETS,
        "monthly_savings_usd": number / 7,
        "body": bytes([number % 251]) * BODY_BYTES,
    }


if __name__ == "__main__":
    main()
