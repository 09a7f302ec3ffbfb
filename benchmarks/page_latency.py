"""Milliseconds for pages and summaries out of a store of many recommendations.

    python -m benchmarks.page_latency [--recommendations 1000000] [--rounds 9] [--keep FOLDER]
                                      [--store postgresql] [--output json]

All of them are generated: those of 256 analyzed machines of the demo's fleet, repeated under ARNs
of their own, in one account and Region of a SQLite database; beyond 10,000 they are copied there.
Each answer is computed by its operation and written as JSON or CBOR, without HTTP and signature, in
a process that spares its collector as `serve` does. On a machine that others use, the processor
time says what an answer costs. With --store postgresql they are brought into a server of its own,
and what of a core that takes is told beside what the program does.
With --keep the store is left in the folder, and used again by the next measurement.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from msgspec import structs
from sqlalchemy import text

from benchmarks.copies import arn_ending, copy_run
from benchmarks.measurement import Measurement, Report, add_output, show
from benchmarks.postgresql import backends, busy_seconds, postgresql_in
from compute_optimizer.api.protocols.encodings import CBOR, JSON, Encoding, entry_writer
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.cli.serve import spare_the_collector
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.model.metrics import Window
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    Finding,
    IdleRecommendation,
    Savings,
    UtilizationMetric,
)
from compute_optimizer.model.resource import AUTO_SCALING_GROUP, EC2_INSTANCE
from compute_optimizer.operations import OPERATIONS, paging
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.resources.ec2_instance import recommend
from compute_optimizer.scenario.fleet import generate_fleet
from compute_optimizer.scenario.samples import generate_samples
from compute_optimizer.store import State, analysis_runs
from compute_optimizer.store.analysis_runs import Scope, current_run
from compute_optimizer.store.facet_holders import facet_number
from compute_optimizer.store.state_copy import replace_state
from compute_optimizer.store.tiles import TileStore

ACCOUNT, REGION = "111111111111", "us-east-1"
AS_OF = datetime(2026, 3, 15, tzinfo=UTC)
SEED = 1
MACHINES = 256
SHARD = 4_096
IDLE_EVERY = 20
RARE_EVERY = 10_000
"""One in so many has the rare tag; and the rare finding."""
RARE_TAG = "tag:rare"
LATE_SHARE = 5
"""The last one in so many lots is of instances of Auto Scaling groups, and no other is: more than
are listed at once, and none of them near the beginning."""
APART: tuple[tuple[tuple[str, str], ...], ...] = (
    (("Environment", "prod"), ("Environment", "dev")),
    (("Team", "storefront"), ("Application", "db")),
    (("Environment", "prod"), ("Team", "storefront"), ("Application", "db")),
)
"""Tags that 17 to 61 % of the fleet have, in every part of it, and nobody has together."""
SQLITE, POSTGRESQL = "sqlite", "postgresql"
EC2, IDLE, SUMMARIES = (
    "GetEC2InstanceRecommendations",
    "GetIdleRecommendations",
    "GetRecommendationSummaries",
)


class FixedClock:
    """Stand still."""

    def now(self) -> datetime:
        """Return the moment of the analysis."""
        return AS_OF


def arn_of(number: int, originals: int = RARE_EVERY) -> str:
    """Return the ARN of one generated machine; higher numbers follow."""
    ending = arn_ending(number, originals)
    return f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-{ending}"


def templates() -> tuple[Ec2InstanceRecommendation, ...]:
    """Return the recommendations of the analyzed machines."""
    fleet, types = generate_fleet(SEED, MACHINES), load_instance_types()
    window = Window(date(2026, 3, 1), date(2026, 3, 14))
    samples = generate_samples(fleet, window, types, SEED)
    machines = [one.resource for one in fleet]
    found = recommend(machines, samples, types, as_of=AS_OF, preferences=DEFAULT_PREFERENCES)
    return tuple(
        structs.replace(one, finding=Finding.OPTIMIZED)
        if one.finding is Finding.UNDER_PROVISIONED
        else one
        for one in found.recommendations
    )


def generated(likes: Sequence[Ec2InstanceRecommendation], number: int) -> Ec2InstanceRecommendation:
    """Return one generated recommendation."""
    like = likes[number % len(likes)]
    rare = number % RARE_EVERY == RARE_EVERY // 2
    return structs.replace(
        like,
        resource_arn=arn_of(number),
        account_id=ACCOUNT,
        finding=Finding.UNDER_PROVISIONED if rare else like.finding,
        tags={**like.tags, "rare": "yes"} if rare else like.tags,
    )


def generated_idle(one: Ec2InstanceRecommendation, number: int) -> IdleRecommendation:
    """Return the idle recommendation of a generated machine."""
    return IdleRecommendation(
        resource_arn=one.resource_arn,
        resource_id=one.resource_arn.rpartition("/")[2],
        account_id=ACCOUNT,
        name=one.name,
        idle_type="EC2Instance",
        tags=one.tags,
        finding=Finding.IDLE,
        description="Generated.",
        utilization=(UtilizationMetric("CPU", 1.0),),
        lookback_days=14.0,
        savings=Savings(100.0, number % 997 / 7),
        last_refresh=AS_OF,
    )


def fill(state: State, count: int, originals: int = RARE_EVERY) -> None:
    """Write a run of so many recommendations: the first shard by shard as an analysis does, the
    others as copies of all of these. Beyond one lot of originals, only whole lots are written."""
    first, copies = min(count, originals), max(count // originals, 1) - 1
    if first * (copies + 1) != count:
        raise SystemExit(f"{count} recommendations are not whole lots of {originals}")
    scope = Scope(ACCOUNT, REGION, "Ec2Instance")
    with state.writing() as connection:
        run_id = analysis_runs.begin_run(connection, AS_OF, AS_OF)
    _write_originals(state, run_id, scope, first)
    copy_run(state, run_id, copies)
    mark_late(state, arn_of(count - (copies + 1) // LATE_SHARE * originals, originals))
    with state.writing() as connection:
        analysis_runs.complete_run(connection, run_id, [scope], AS_OF)


def mark_late(state: State, first: str) -> None:
    """Let filters find instances of Auto Scaling groups from an ARN on, which begins a lot."""
    with state.writing() as connection:
        connection.execute(
            text(
                "UPDATE recommendations SET facets = replace(facets, :alone, :grouped)"
                " WHERE resource_arn >= :first"
            ),
            {"alone": f'"{EC2_INSTANCE}"', "grouped": f'"{AUTO_SCALING_GROUP}"', "first": first},
        )
        connection.execute(
            text(
                "UPDATE facet_holders SET facet = :grouped"
                " WHERE facet = :alone AND beginning >= substr(:first, 1, length(beginning))"
            ),
            {
                "alone": facet_number(EC2_INSTANCE),
                "grouped": facet_number(AUTO_SCALING_GROUP),
                "first": first,
            },
        )


def _write_originals(state: State, run_id: str, scope: Scope, count: int) -> None:
    likes = templates()
    for first in range(0, count, SHARD):
        found = [generated(likes, number) for number in range(first, min(first + SHARD, count))]
        idle = [
            generated_idle(one, number)
            for number, one in enumerate(found, first)
            if number % IDLE_EVERY == 0
        ]
        with state.writing() as connection:
            analysis_runs.write_result(connection, run_id, scope, found, [], idle=idle, now=AS_OF)


def questions(context: Context, count: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what is asked: its name, the operation and the request."""
    with context.state.reading() as connection:
        run_id = current_run(connection, Scope(ACCOUNT, REGION, "Ec2Instance"))
    for share in (0.0, 0.5, 0.99):
        place = f"at {share:.0%}"
        yield (
            f"1,000 instances {place}",
            EC2,
            _from(context, f"{run_id} {arn_of(int(share * count))}", []),
        )
    for name, values in (
        ("Finding", ["Overprovisioned"]),
        ("Finding", ["Underprovisioned"]),
        ("Finding", ["Overprovisioned", "Optimized"]),
        ("RecommendationSourceType", [EC2_INSTANCE]),
        ("RecommendationSourceType", [AUTO_SCALING_GROUP]),
        (RARE_TAG, ["yes"]),
        (RARE_TAG, ["no"]),
    ):
        filters = [{"name": name, "values": values}]
        yield f"1,000 instances, {name} {', '.join(values)}", EC2, {"filters": filters}
    for tags in APART:
        filters = [{"name": f"tag:{key}", "values": [value]} for key, value in tags]
        told = ", ".join(f"{key} {value}" for key, value in tags)
        yield f"1,000 instances, {told}: nobody", EC2, {"filters": filters}
    rare = [{"name": RARE_TAG, "values": ["yes"]}]
    half_way = _from(context, f"{run_id} {arn_of(count // 2)}", rare)
    yield f"1,000 instances, {RARE_TAG} yes at 50%", EC2, half_way
    yield f"100 idle, {RARE_TAG} yes", IDLE, {"filters": rare}
    yield "100 idle by ARN", IDLE, {}
    for order in ("Asc", "Desc"):
        asked = {"orderBy": {"dimension": "SavingsValue", "order": order}}
        yield f"100 idle by savings, {order}", IDLE, asked
    yield "summaries", SUMMARIES, {}


def _from(context: Context, position: str, filters: list[dict[str, Any]]) -> dict[str, Any]:
    bound = {"account": ACCOUNT, "arns": [], "filters": filters, "cpu": ["CURRENT"]}
    return {"filters": filters, "nextToken": paging.seal_token(context, EC2, bound, position)}


def _written(answer: Callable[[], dict[str, Any]], operation: str, encoding: Encoding) -> bytes:
    return encoding.encode(answer(), operation)


def timed(name: str, call: Callable[[], Any], rounds: int, servers: list[int]) -> list[Measurement]:
    """Return milliseconds of each round, and how many of them a core was busy with it: in this
    process, and in those of the database where it has some."""
    clocks: dict[str, Callable[[], float]] = {
        name: perf_counter,
        f"{name}, processor": process_time,
    }
    if servers:
        clocks[f"{name}, processor of the database"] = partial(busy_seconds, servers)
    taken: dict[str, list[float]] = {one: [] for one in clocks}
    for _ in range(rounds):
        before = {one: read() for one, read in clocks.items()}
        call()
        for one, read in clocks.items():
            taken[one].append((read() - before[one]) * 1000)
    return [
        Measurement(one, "ms" if one == name else "ms of a core", tuple(found))
        for one, found in taken.items()
    ]


@contextmanager
def opened(folder: Path, store: str) -> Iterator[State]:
    """Open the newest schema in a folder."""
    if store == POSTGRESQL:
        with postgresql_in(folder / POSTGRESQL) as url, closing(State(url)) as state:
            state.migrate()
            yield state
        return
    with closing(State(f"sqlite:///{folder / 'state.db'}")) as state:
        state.migrate()
        yield state


def filled(state: State, folder: Path, count: int) -> None:
    """Write so many recommendations of an account that is enrolled, unless there are some."""
    with state.reading() as connection:
        if current_run(connection, Scope(ACCOUNT, REGION, "Ec2Instance")) is not None:
            return
    if not state.is_sqlite:
        # Copies are made in SQLite's words.
        with opened(folder, SQLITE) as source:
            filled(source, folder, count)
        replace_state(folder / "state.db", state, lambda *_: None)
        with state.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text("VACUUM ANALYZE"))
        return
    change_enrollment(state, FixedClock(), ACCOUNT, "Active")
    advance_enrollments(state, FixedClock())
    fill(state, count)


def measure(folder: Path, count: int, rounds: int, store: str = SQLITE) -> Report:
    """Return the milliseconds of each question."""
    with opened(folder, store) as state:
        start = perf_counter()
        filled(state, folder, count)
        if (seconds := perf_counter() - start) >= 1:
            print(f"{count:,} recommendations written in {seconds:.0f} s", file=sys.stderr)
        spare_the_collector()
        principal = f"arn:aws:iam::{ACCOUNT}:user/benchmark"
        tiles = TileStore(folder / "tiles")
        context = Context(ACCOUNT, REGION, "benchmark", principal, state, FixedClock(), tiles)
        found = tuple(_answers(context, count, rounds))
        kind = "SQLite" if state.is_sqlite else "PostgreSQL"
    return Report(found, {"store": f"{count:,} generated recommendations in {kind}"})


def _answers(context: Context, count: int, rounds: int) -> Iterator[Measurement]:
    for name, operation, request in questions(context, count):
        for encoding in (JSON, CBOR) if operation == EC2 and "nextToken" in request else (JSON,):
            asking = replace(context, write_entry=entry_writer(encoding, operation))
            answer = partial(OPERATIONS[operation], asking, request)
            written = partial(_written, answer, operation, encoding)
            if not context.state.is_sqlite:
                # Connections are opened when they are wanted, and their processes with them.
                written()
            told = name if encoding is JSON else f"{name}, CBOR"
            yield from timed(told, written, rounds, backends(context.state))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the milliseconds of each question."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--recommendations", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--store", choices=(SQLITE, POSTGRESQL), default=SQLITE)
    add_output(parser)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        kept = given.keep or Path(folder)
        report = measure(kept, given.recommendations, given.rounds, given.store)
        show(report, given.output)


if __name__ == "__main__":
    main()
