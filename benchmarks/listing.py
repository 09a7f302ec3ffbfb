"""Every benchmark with the arguments of each size: a new one is a row here.

It is a module of this folder with `main(arguments)` that prints its report as
`benchmarks.measurement` says.
What its figures are held against, and what limits them, are rows of `benchmarks.aims`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """One way to run a benchmark."""

    arguments: tuple[str, ...]
    told: str
    """The size for people, such as 4,000 instances."""
    seconds: int
    """That it takes on two quiet cores, about; one that takes LATE times as long is ended."""
    disk_mb: int = 100
    """That it takes in the folder for temporary files, about."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One module of this folder."""

    name: str
    what: str
    full: Size
    ci: Size | None = None
    """None for a tool of those who tune a part: it runs at full size, or when it is named."""


LATE = 8
"""Times the expected seconds after which a benchmark is taken to hang, on a busy machine too."""

CI, FULL = "ci", "full"


def _size(told: str, seconds: int, words: str, disk_mb: int = 100) -> Size:
    return Size(tuple(words.split()), told, seconds, disk_mb)


BENCHMARKS = (
    Benchmark(
        "analysis_rate",
        "Analysis, from day tiles to stored recommendations, beside one percentile of the columns",
        _size("20,000 instances", 290, "--instances 20000 --rounds 5 --fleet traces", 1_500),
        _size("8,000 instances", 150, "--instances 8000 --rounds 7 --fleet traces", 900),
    ),
    Benchmark(
        "percentile_peers",
        "One percentile of one column, by the engine and by its peers",
        _size("20,000 instances", 120, "--instances 20000 --rounds 7", 1_000),
        _size("2,000 instances", 20, "--instances 2000 --rounds 7", 150),
    ),
    Benchmark(
        "import_rate",
        "Import of files, to the visible change",
        _size("4,000 resources", 180, "4000 --rounds 3", 4_000),
        _size("250 resources", 15, "250 --rounds 3", 400),
    ),
    Benchmark(
        "enrollment_rate",
        "Signed calls of the API over kept-alive connections, beside other servers",
        _size("16 connections", 330, "--seconds 5 --rounds 7"),
        _size("16 connections", 90, "--seconds 2 --rounds 3"),
    ),
    Benchmark(
        "page_latency",
        "Pages and summaries of the API out of a large store",
        _size("1,000,000 recommendations", 300, "--recommendations 1000000 --rounds 15", 8_000),
        _size("100,000 recommendations", 25, "--recommendations 100000 --rounds 7", 1_000),
    ),
    Benchmark(
        "console_pages",
        "Pages of the console out of a large store",
        _size("100,000 recommendations", 140, "--recommendations 100000 --rounds 9", 1_000),
        _size("20,000 recommendations", 20, "--recommendations 20000 --rounds 5", 200),
    ),
    Benchmark(
        "million",
        "Fleets on one machine: tiles read, analyzed, and pages asked for, two processes",
        _size("1,000,000 instances", 1_900, "--instances 1000000", 65_000),
        _size("8,000 instances", 30, "--instances 8000", 700),
    ),
    Benchmark(
        "daily_rate",
        "A daily analysis from days in short, beside one that reads all samples",
        _size("4,000 instances", 60, "--instances 4000 --rounds 5", 800),
        _size("1,000 instances", 15, "--instances 1000 --rounds 3", 200),
    ),
    Benchmark(
        "api_load",
        "Hundreds of clients of two serving processes, while an account opts in and out",
        _size("1,000,000 requests of 200 clients", 450, "--requests 1000000 --clients 200"),
        _size("10,000 requests of 200 clients", 65, "--requests 10000 --clients 200 --rung 20000"),
    ),
    Benchmark(
        "export_rate",
        "Exports with every column, and the memory that they take",
        _size("100,000 and 1,000,000 rows", 1_000, "--rows 100000,1000000", 12_000),
        _size("20,000 rows", 15, "--rows 20000 --to folder", 300),
    ),
    Benchmark(
        "ray_scaling",
        "An analysis by one and by two workers of Ray, beside one process without it",
        _size("4,000 instances in 8 shards", 140, "--instances 4000 --rounds 5 --tasks 500", 400),
        _size("800 instances in 8 shards", 40, "--instances 800 --rounds 3 --tasks 200", 100),
    ),
    Benchmark(
        "simulate_rate",
        "Simulations of other preferences, by the size of the grid",
        _size("1,000 instances", 150, "--instances 1000 --rounds 3"),
        _size("100 instances", 50, "--instances 100 --rounds 3"),
    ),
    Benchmark(
        "copy_rate",
        "Rows of an analysis into PostgreSQL",
        _size("4,000 rows", 10, "--rows 4000 --rounds 9"),
        _size("2,000 rows", 10, "--rows 2000 --rounds 5"),
    ),
    Benchmark(
        "emulator_start",
        "Emulators started and ended one after the other, as tests do",
        _size("200 emulators", 50, "--count 200 --rounds 3"),
        _size("20 emulators", 10, "--count 20 --rounds 3"),
    ),
    Benchmark(
        "disk_use",
        "What a fleet takes on the disk",
        _size("1,000 instances", 10, "--instances 1000"),
        _size("250 instances", 10, "--instances 250"),
    ),
    Benchmark(
        "engine_speed",
        "Stages of the engine on samples in memory",
        _size("4,000 instances", 20, "4000"),
        _size("1,000 instances", 10, "1000"),
    ),
    Benchmark(
        "wire_speed",
        "Encoding and decoding of bodies",
        _size("bodies of 1,000", 15, ""),
        _size("bodies of 1,000", 15, ""),
    ),
    Benchmark(
        "collection",
        "Collecting from a local AWS that throttles as CloudWatch documents",
        _size("5,000 instances", 900, "--instances 5000", 1_000),
    ),
    Benchmark(
        "tile_layouts",
        "File layouts for day tiles",
        _size("4,000 resources", 390, "4000", 2_000),
    ),
)
"""In the order in which they run and are shown. What full sizes take is of one run of all of them,
2026-11-27, beside other work for the most part."""


def named(name: str) -> Benchmark:
    """Return a benchmark; raises KeyError."""
    return {one.name: one for one in BENCHMARKS}[name]


def size_of(benchmark: Benchmark, size: str) -> Size:
    """Return how a benchmark runs at CI or FULL size; full where it has no other."""
    return benchmark.ci if size == CI and benchmark.ci is not None else benchmark.full


def chosen(names: list[str], size: str) -> list[Benchmark]:
    """Return the benchmarks with these names, or all that have the size; raises KeyError."""
    if names:
        return [named(name) for name in names]
    return [one for one in BENCHMARKS if size == FULL or one.ci is not None]
