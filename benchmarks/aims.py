"""What the figures of benchmarks are held against, and what limits each: a claim is a row here.

A row says which measurement it is about and to which baseline of the same run its ratio is taken;
with an empty baseline it is about the figure itself.
"""

from dataclasses import dataclass

from benchmarks.measurement import Report, Spread, ratios, spread_of


@dataclass(frozen=True, slots=True)
class Claim:
    """A row of the table in docs/performance.md."""

    benchmark: str
    measurement: str
    baseline: str = ""
    at_least: float | None = None
    at_most: float | None = None
    """The aim; both None where there is none, and the figure is only told."""
    limit: str = ""
    """What keeps the figure from being better."""


_ANALYSIS = (
    "Processor time. Of 8,000 instances (timers and a profile of one process, 2026-11-27) a sixth "
    "is reading and decoding tiles, a quarter making and keeping days in short, a third the engine "
    "(matching each present type against the catalog, ranking, whose credits last) and its "
    "records, a tenth encoding and packing, and a tenth SQLite, half of which is the commit, when "
    "pages are written twice. One shard at a time is written, and the process that has the quicker "
    "of the two shards waits for the other."
)
_PAGE = (
    "A thousand stored records are decoded, shown as the API spells them and encoded; encoding a "
    "page alone is in wire_speed. They are found by an index, so that depth costs nothing."
)

CLAIMS = (
    Claim("analysis_rate", "analyze", "DuckDB quantile_cont", at_least=1.0, limit=_ANALYSIS),
    Claim(
        "analysis_rate",
        "analyze",
        "Polars quantile",
        limit="As above.",
    ),
    Claim(
        "analysis_rate",
        "analyze",
        "read the tiles",
        at_least=1 / 3,
        limit="As above. The floor is read by as many processes.",
    ),
    Claim(
        "analysis_rate",
        "analyze again",
        "DuckDB quantile_cont",
        limit="The same without reading most of the samples; the column of the CPU is read where "
        "bounds do not settle the credits of some instances.",
    ),
    Claim(
        "percentile_peers",
        "tiles and the engine's percentile",
        "DuckDB quantile_cont",
        at_least=1.0,
        limit="Decoding the column. The engine partitions each row once, in blocks that stay in "
        "the cache; the peers group rows by the name of the resource first.",
    ),
    Claim(
        "percentile_peers",
        "tiles and the engine's percentile",
        "Polars quantile",
        at_least=1.0,
        limit="As above.",
    ),
    Claim(
        "percentile_peers",
        "tiles and the engine's percentile",
        "read the column",
        limit="What is missing to 1 is the percentile itself.",
    ),
    Claim(
        "import_rate",
        "Parquet, by resource",
        at_least=2.0,
        limit="Decoding, sorting samples into tiles, and encoding those again. The aim is for one "
        "core, and the run uses about one: its processor time is below.",
    ),
    Claim(
        "import_rate",
        "Parquet, by time",
        at_least=2.0,
        limit="As above, and neighbours in the file lie far apart in the tile.",
    ),
    Claim(
        "enrollment_rate",
        "signed GetEnrollmentStatus, processor",
        "empty handler, processor",
        at_most=2.0,
        limit="The work that the empty handler has not: routing, checking the signature, who may "
        "call, encoding, the audit line, counting; all in Python. The state is asked and the audit "
        "log written once for all that arrive in a turn (docs/decisions/0058). Half of the rate is "
        "twice the processor time, whoever else has the cores.",
    ),
    Claim(
        "enrollment_rate",
        "signed GetEnrollmentStatus, processor",
        "least signed handler, processor",
        limit="What a handler costs that checks the signature and does nothing else.",
    ),
    Claim(
        "enrollment_rate",
        "signed GetEnrollmentStatus, processor",
        "moto GetCallerIdentity, processor",
        at_most=1 / 20,
        limit="As above. The peer checks nothing, and takes a thread for each connection.",
    ),
    Claim(
        "enrollment_rate",
        "signed GetEnrollmentStatus, processor",
        "empty Starlette endpoint, processor",
        limit="As above.",
    ),
    *(
        Claim("page_latency", f"1,000 instances at {share}", at_most=200.0, limit=limit)
        for share, limit in (("0%", _PAGE), ("50%", "As above."), ("99%", "As above."))
    ),
    Claim(
        "page_latency",
        "1,000 instances at 0%, CBOR",
        at_most=200.0,
        limit="As above, and the encoding: no library in C checks and writes CBOR in one go, so "
        "that a function is compiled of each shape (docs/decisions/0063).",
    ),
    Claim(
        "page_latency",
        "1,000 instances, RecommendationSourceType AutoScalingGroup",
        at_most=200.0,
        limit="The last fifth has it and nobody else: some rows are looked at, then the lists of "
        "who has it are unpacked.",
    ),
    Claim(
        "page_latency",
        "1,000 instances, tag:rare yes at 50%",
        at_most=200.0,
        limit="Each part of the run is asked for those who have the tag, of which there are few.",
    ),
    Claim("page_latency", "summaries", limit="Counts that are written with the run are added up."),
    Claim(
        "console_pages",
        "first page, largest savings, first",
        at_most=300.0,
        limit="Nothing is remembered yet: templates are compiled, and counts read.",
    ),
    Claim(
        "million",
        "analyze 8,000 instances, processor",
        "only read 8,000 instances, processor",
        at_most=3.0,
        limit="Making records of what was found, and writing them; matching is next. A small fleet "
        "flatters the ratio: both sides have the start and the imports of a process.",
    ),
    Claim(
        "million",
        "analyze 1,000,000 instances, wall",
        at_most=600.0,
        limit="Processor time of two processes, which do not compute for 8 % of the time "
        "(2026-11-28): tiles come from the disk and commits go there, one shard at a time is "
        "written, and for 4 % (262,144 instances) one process works alone: before the first shard "
        "it looks for licences, after the last one for what is new.",
    ),
    Claim(
        "million",
        "analyze 1,000,000 instances, wall",
        "only read 1,000,000 instances, wall",
        at_most=3.0,
        limit="As above. Only reading waits for the disk, which processor time leaves out. On an "
        "AMD EPYC the same took 352 s and 3.13 times reading (2026-11-28): the aim is just met "
        "here, and just missed there.",
    ),
    Claim(
        "million",
        "analyze 1,000,000 instances, private memory",
        at_most=4.0,
        limit="A shard's series and its records, in each of two processes.",
    ),
    Claim(
        "million",
        "analyze 1,000,000 instances, processor",
        "only read 1,000,000 instances, processor",
        at_most=3.0,
        limit="Reading is decoding, 0.15 ms of a core for an instance; days in short, the engine, "
        "records and SQLite are 0.35 ms. On an AMD EPYC the same took 3.50 (2026-11-28).",
    ),
    Claim(
        "daily_rate",
        "daily analysis",
        "analysis of all samples",
        at_most=1.0,
        limit="Reading and measuring are what is saved; matching and records stay. Where bounds "
        "do not settle the credits of burstable types, a few rows cost a whole column.",
    ),
    Claim("api_load", "errors", at_most=0.0, limit="Every answer is looked at."),
    Claim("api_load", "stale answers", at_most=0.0, limit="Asked on 16 connections each time."),
    Claim(
        "api_load",
        "512 clients, answers",
        "16 clients, answers",
        at_least=0.7,
        limit="Connections cost little while nothing comes on them; more answers of a turn of the "
        "event loop leave the caches.",
    ),
    Claim(
        "api_load",
        "512 clients, p99 for each",
        "64 clients, p99 for each",
        at_most=2.0,
        limit="Who waits, waits for the others: no cliff is a wait in proportion to them.",
    ),
    Claim(
        "api_load",
        "growth with 100,000 answers, after warm-up",
        at_most=1.0,
        limit="10 MB over a million answers, of which some is the allocator's. Told where a run is "
        "long enough (`make bench-full`): what a short one gains is the warm-up.",
    ),
    Claim(
        "ray_scaling",
        "Ray, 2 workers: on the clock",
        "Ray, 1 worker: on the clock",
        at_most=0.7,
        limit="Two cores, which tasks share with Ray's own processes and with who asks; results "
        "are written one shard at a time. Half is the best there is.",
    ),
    Claim(
        "copy_rate",
        "COPY",
        "INSERT",
        at_least=1.0,
        limit="The server's work of writing rows and indexes, which both cause.",
    ),
    Claim(
        "emulator_start",
        "emulator",
        at_most=0.1,
        limit="A database and a server's thread are made and ended for each. The aim is 200 tests "
        "with a fixture each in 20 s.",
    ),
    Claim(
        "emulator_start",
        "emulator",
        "moto",
        at_most=1.0,
        limit="The peer ends slowly: its loop looks twice a second whether it should.",
    ),
)


def claimed(benchmark: str) -> list[Claim]:
    """Return the claims about a benchmark, in order."""
    return [one for one in CLAIMS if one.benchmark == benchmark]


def found(claim: Claim, report: Report) -> Spread | None:
    """Return what a report says about a claim; None where it did not measure it."""
    if claim.baseline:
        return ratios(report).get((claim.measurement, claim.baseline))
    samples = [one.samples for one in report.measurements if one.name == claim.measurement]
    return spread_of(samples[0]) if samples else None


def is_met(claim: Claim, value: Spread) -> bool | None:
    """Return whether the median meets the aim; None where there is none."""
    if claim.at_least is not None:
        return value.median >= claim.at_least
    if claim.at_most is not None:
        return value.median <= claim.at_most
    return None
