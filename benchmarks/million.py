"""A fleet of any size on one machine: tiles written, read, analyzed, and its pages asked for.

    python -m benchmarks.million [--instances 1000000] [--folder FOLDER] [--keep] [--processes 2]
                                 [--only write]

The fleet is generated: accounts of 50,000 instances in two Regions, 14 days of CPU, memory,
network in and out and disk operations without gaps. Percentages are in hundredths, bytes in whole
kilobytes. Each shard has the same 4,096 loads in an order of its own, so that neighbours differ in
type and load. Tiles are written by the store's own writer.

Reading and analyzing run in processes of their own, as many for the one as for the other: a small
fleet is worth no second one. Printed are wall time, processor time of all processes, their start
and imports among it, and the most memory that they had together: private (what a limit of memory
has to hold) and resident, which counts pages of tiles that the kernel may take back. Every analysis
is a first one: days in short of an earlier one are removed. With --keep the folder stays, and the
next measurement takes what it finds and writes what is missing; --only write ends there. A disk
that is too small is refused before anything is written.
"""

import argparse
import resource
import shutil
import statistics
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.analysis_rate import LOOK_BACK_DAYS, FixedClock
from benchmarks.engine_speed import AS_OF, FLEET_TYPES, SEED, generated_samples
from benchmarks.measurement import Measurement, Report, add_output, show
from compute_optimizer.api.protocols.encodings import JSON
from compute_optimizer.errors import StoreUnavailable
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.executors.local import locally
from compute_optimizer.model.metrics import SLOTS_PER_DAY, ShardSamples, look_back
from compute_optimizer.model.resource import EC2_INSTANCE, Resource, ShardKey
from compute_optimizer.operations import OPERATIONS
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.resources import RESOURCE_TYPES
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import current_scopes
from compute_optimizer.store.enrollments import opted_in_accounts
from compute_optimizer.store.freshness import state_bytes, tile_bytes
from compute_optimizer.store.inventory import (
    SHARD_RESOURCES,
    arns_of,
    shard_sizes,
    shards,
    upsert_resources,
)
from compute_optimizer.store.ranked import Wanted, read_ranked
from compute_optimizer.store.tile_files import Tile
from compute_optimizer.store.tiles import (
    DIGESTS,
    StagedTile,
    TileStore,
    publish,
    read_samples,
    tile_paths,
)

ACCOUNT_INSTANCES = 50_000
REGIONS = ("us-east-1", "eu-west-1")
FIRST_ACCOUNT = 100_000_000_001
KILOBYTE = 1_000
OPERATIONS_SHARE = 1 / 20
"""Of the generated counters, which are millions in five minutes: disk operations are fewer."""
EC2, SUMMARIES = "GetEC2InstanceRecommendations", "GetRecommendationSummaries"
PAGES = 9
GIB = 2**30
SAMPLED_SECONDS = 0.25
WRITE = "write"

TILE_BYTES, DIGEST_BYTES, STATE_BYTES = 14 * 3_200, 14 * 350, 7_500
"""By instance: its tiles and days in short (8,000 instances, 2026-11-26, rounded up), and what the
state has of it after an analysis of each of the parts: 800 bytes and 3,160 for each run, and
some to spare."""

SPARE_BYTES = 10**10
"""That a fleet leaves free: others use the disk."""


def accounts_of(instances: int) -> list[str]:
    """Return the accounts of a fleet."""
    return [str(FIRST_ACCOUNT + n) for n in range(-(-instances // ACCOUNT_INSTANCES))]


def resources_of(account: str, count: int) -> Iterator[Resource]:
    """Yield the instances of an account, in its Regions by turns."""
    for number in range(count):
        region, name = REGIONS[number % len(REGIONS)], f"i-{number:017x}"
        yield Resource(
            arn=f"arn:aws:ec2:{region}:{account}:instance/{name}",
            account_id=account,
            region=region,
            resource_type=EC2_INSTANCE,
            resource_id=name,
            # Halved, so that either Region has all types.
            instance_type=FLEET_TYPES[number // len(REGIONS) % len(FLEET_TYPES)],
        )


@cache
def loads() -> ShardSamples:
    """Return the samples that every shard has, as coarse as metrics are."""
    found = generated_samples(SHARD_RESOURCES, gaps=False, both=False)
    for key, matrix in found.series.items():
        if key.metric.endswith("Ops"):
            np.round(matrix * np.float32(OPERATIONS_SHARE), out=matrix)
        elif key.metric.startswith("Network"):
            np.round(matrix / KILOBYTE, out=matrix)
            np.multiply(matrix, KILOBYTE, out=matrix)
        else:
            np.round(matrix, 2, out=matrix)
    return found


def check_room(folder: Path, wanted: int) -> None:
    """Raise StoreUnavailable where a fleet of so many more bytes leaves less free than it must."""
    free = shutil.disk_usage(folder).free
    if free < wanted + SPARE_BYTES:
        raise StoreUnavailable(
            f"{folder} has {free / GIB:,.1f} GiB free, and the fleet needs {wanted / GIB:,.1f} GiB "
            f"more and leaves {SPARE_BYTES / GIB:,.1f} GiB: give another --folder, or fewer "
            "--instances"
        )


def write_shard(root: Path, key: ShardKey, arns: tuple[str, ...], seed: int) -> list[StagedTile]:
    """Write the tiles of one shard, not yet visible."""
    check_room(root, len(arns) * TILE_BYTES)
    tiles, samples = TileStore(root, durable=False), loads()
    rows = np.random.default_rng(seed).permutation(SHARD_RESOURCES)[: len(arns)]
    found = []
    for day in range(samples.window.days):
        slots = slice(day * SLOTS_PER_DAY, (day + 1) * SLOTS_PER_DAY)
        series = {metric: matrix[rows, slots] for metric, matrix in samples.series.items()}
        found.append(
            tiles.stage(key, samples.window.first + timedelta(days=day), Tile(arns, series))
        )
    return found


def make_fleet(folder: Path, processes: int, instances: int) -> None:
    """Store a fleet of opted-in instances and its tiles, or what is missing of it."""
    tiles = TileStore(folder / "tiles", durable=False)
    with closing(State(state_url(folder))) as state:
        state.migrate()
        _store_inventory(state, instances)
        with state.reading() as connection:
            written = {key for key, _ in tile_paths(connection)}
            tasks = [(key, arns_of(connection, key)) for key in shards(connection)]
        missing = [
            (key, arns, SEED + number)
            for number, (key, arns) in enumerate(tasks)
            if key not in written
        ]
        each = TILE_BYTES + DIGEST_BYTES + STATE_BYTES
        check_room(folder, each * sum(len(arns) for _, arns, _ in missing))
        with tiles.locked(), _pool(processes) as pool:
            _write_shards(state, tiles, pool, missing)


def _store_inventory(state: State, instances: int) -> None:
    with state.reading() as connection:
        known = opted_in_accounts(connection)
    for number, account in enumerate(accounts_of(instances)):
        count = min(ACCOUNT_INSTANCES, instances - number * ACCOUNT_INSTANCES)
        if account not in known:
            with state.writing() as connection:
                upsert_resources(connection, list(resources_of(account, count)))
            # Last: who is opted in has its inventory.
            change_enrollment(state, FixedClock(), account, "Active")


def _write_shards(
    state: State,
    tiles: TileStore,
    pool: ProcessPoolExecutor,
    missing: Sequence[tuple[ShardKey, tuple[str, ...], int]],
) -> None:
    """Write and publish shards, each as soon as it is written."""
    writing = [pool.submit(write_shard, tiles.root, *one) for one in missing]
    try:
        for done, one in enumerate(writing, 1):
            publish(state, tiles, one.result())
            print(f"\r  {done} of {len(writing)} shards", end="", file=sys.stderr, flush=True)
    finally:
        pool.shutdown(cancel_futures=True)
    print(file=sys.stderr)


@dataclass(frozen=True, slots=True)
class ReadTask:
    """A shard to be read, as another process needs it."""

    folder: Path
    shard: ShardKey

    @property
    def name(self) -> str:
        """Return what people call its shard."""
        return self.shard.name


def read_shard(task: ReadTask) -> None:
    """Only read what an analysis reads of one shard."""
    window, tiles = look_back(AS_OF, LOOK_BACK_DAYS), TileStore(task.folder / "tiles")
    with closing(State(state_url(task.folder))) as state, state.reading() as connection:
        read_samples(connection, tiles, task.shard, window, RESOURCE_TYPES[0].metrics)


def read_all(folder: Path, processes: int, accounts: Sequence[str]) -> None:
    """Read all shards of some accounts in as many processes as an analysis takes for them."""
    with closing(State(state_url(folder))) as state, state.reading() as connection:
        sizes = shard_sizes(connection, accounts)
    tasks = [ReadTask(folder, shard) for shard in sizes]
    work_off = locally(processes)
    work_off(read_shard, tasks, lambda done, total: None, resources=sum(sizes.values()))


def analyze_all(folder: Path, processes: int, accounts: Sequence[str]) -> None:
    """Run the whole analysis of some accounts: tiles to stored, visible recommendations."""
    with closing(State(state_url(folder))) as state:
        tiles = TileStore(folder / "tiles")
        analyze(state, tiles, FixedClock(), accounts=accounts, workers=processes)


def forget_digests(folder: Path) -> None:
    """Remove the days in short, so that the next analysis is a first one."""
    shutil.rmtree(folder / "tiles" / DIGESTS, ignore_errors=True)


def parts_of(accounts: Sequence[str]) -> list[Sequence[str]]:
    """Return growing parts of a fleet: one account, two fifths of them, all."""
    sizes = sorted({1, max(1, len(accounts) * 2 // 5), len(accounts)})
    return [accounts[:size] for size in sizes]


@dataclass(slots=True)
class Cost:
    """What a step took; memory is the most that all of its processes had together."""

    seconds: float = 0.0
    processor_seconds: float = 0.0
    private_bytes: int = 0
    resident_bytes: int = 0
    _done: threading.Event = field(default_factory=threading.Event)

    def watch(self, pid: int) -> None:
        """Look at the memory of a process and all below it until it is done."""
        while not self._done.wait(SAMPLED_SECONDS):
            found = [_memory(one) for one in _family(pid)]
            self.private_bytes = max(self.private_bytes, sum(one for one, _ in found))
            self.resident_bytes = max(self.resident_bytes, sum(one for _, one in found))

    def end(self) -> None:
        """End the watch."""
        self._done.set()


def measured(step: Callable[..., None], *arguments: Any) -> Cost:
    """Return what a step costs in a process of its own."""
    found, before = Cost(), _children_seconds()
    start = perf_counter()
    process = get_context("spawn").Process(target=step, args=arguments)
    process.start()
    assert process.pid is not None
    watch = threading.Thread(target=found.watch, args=(process.pid,))
    watch.start()
    process.join()
    found.seconds = perf_counter() - start
    found.end()
    watch.join()
    if process.exitcode:
        raise SystemExit(f"{step.__name__} failed")
    found.processor_seconds = _children_seconds() - before
    return found


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _family(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        below = [int(one) for task in threads for one in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(one for child in below for one in _family(child))]


def _memory(pid: int) -> tuple[int, int]:
    """Return the private and the resident bytes of a process; none of one that has gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0, 0
    told = dict(line.split(":", 1) for line in lines)
    private, resident = (told.get(name, "0 kB").split()[0] for name in ("RssAnon", "VmRSS"))
    return int(private) * 1024, int(resident) * 1024


def ask_pages(folder: Path, instances: int) -> Iterator[tuple[str, float]]:
    """Yield what is asked of the stored recommendations, and the median milliseconds."""
    tiles, accounts = TileStore(folder / "tiles"), accounts_of(instances)
    with closing(State(state_url(folder))) as state:
        for operation in (EC2, SUMMARIES):
            for account in dict.fromkeys((accounts[0], accounts[-1])):
                who = f"arn:aws:iam::{account}:user/benchmark"
                context = Context(account, REGIONS[0], "benchmark", who, state, FixedClock(), tiles)
                ask = partial(_answered, context, operation)
                yield f"{operation} of {account}", _median(ask)
        with state.reading() as connection:
            scopes = tuple(sorted(current_scopes(connection, accounts)))
            largest = partial(read_ranked, connection, Wanted(scopes), 100)
            yield "the 100 largest savings of all accounts", _median(largest)


def _answered(context: Context, operation: str) -> bytes:
    return JSON.encode(OPERATIONS[operation](context, {}), operation)


def _median(call: Callable[[], Any]) -> float:
    found = []
    for _ in range(PAGES):
        start = perf_counter()
        call()
        found.append((perf_counter() - start) * 1e3)
    return statistics.median(found)


def state_url(folder: Path) -> str:
    """Return where the state of a fleet is."""
    return f"sqlite:///{folder / 'state.db'}"


def _pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(processes, get_context("spawn"))


@contextmanager
def _folder(given: Path | None, keep: bool) -> Iterator[Path]:
    if given is not None and keep:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="million-", dir=given) as name:
        yield Path(name)


def _sizes(folder: Path, instances: int, when: str) -> Iterator[Measurement]:
    _, size = tile_bytes(TileStore(folder / "tiles"))
    with closing(State(state_url(folder))) as state, state.reading() as connection:
        kept = state_bytes(connection)
    by_day = size / instances / LOOK_BACK_DAYS
    yield Measurement(f"tiles, an instance and day, {when}", "bytes", (by_day,))
    yield Measurement(f"state, an instance, {when}", "bytes", (kept / instances,))


def _costs(name: str, cost: Cost, baseline: str = "") -> Iterator[Measurement]:
    """Yield what something took; ratios are of time on the clock and of processor time."""
    for what, seconds in (("wall", cost.seconds), ("processor", cost.processor_seconds)):
        beside = (f"{baseline}, {what}",) if baseline else ()
        yield Measurement(f"{name}, {what}", "s", (seconds,), beside)
    yield Measurement(f"{name}, private memory", "GiB", (cost.private_bytes / GIB,))
    yield Measurement(f"{name}, resident memory", "GiB", (cost.resident_bytes / GIB,))


def _measured(folder: Path, count: int, processes: int) -> Iterator[Measurement]:
    """Yield all figures of a fleet that was made."""
    yield from _sizes(folder, count, "before")
    for part in parts_of(accounts_of(count)):
        size = f"{min(count, len(part) * ACCOUNT_INSTANCES):,} instances"
        reading, whole = f"only read {size}", f"analyze {size}"
        yield from _costs(reading, measured(read_all, folder, processes, part))
        forget_digests(folder)
        yield from _costs(whole, measured(analyze_all, folder, processes, part), reading)
    yield from _sizes(folder, count, "after")
    for name, milliseconds in ask_pages(folder, count):
        yield Measurement(name, "ms", (milliseconds,))


def _told(one: Measurement) -> Measurement:
    """Print a figure as soon as it is known: a large fleet takes long."""
    print(f"  {one.name:<60}{one.samples[0]:>14,.2f} {one.unit}", file=sys.stderr, flush=True)
    return one


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the fleet where it is missing, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", choices=(WRITE,), help="leave the measuring out; with --keep")
    add_output(parser)
    given = parser.parse_args(arguments)
    count, processes = given.instances, given.processes
    with _folder(given.folder, given.keep) as folder:
        make_fleet(folder, processes, count)
        if given.only == WRITE:
            return
        found = tuple(_told(one) for one in _measured(folder, count, processes))
    fleet = f"{count:,} generated instances x {LOOK_BACK_DAYS} days x 5 metrics"
    show(Report(found, {"fleet": fleet}), given.output)


if __name__ == "__main__":
    main()
