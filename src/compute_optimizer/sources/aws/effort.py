"""What calls of GetMetricData take: time by CloudWatch's quotas, and money by its list price."""

from collections.abc import Iterable

from compute_optimizer.model.collection import Effort
from compute_optimizer.sources.aws.queries import Batch

USD_PER_METRIC = 0.01 / 1_000
"""Of GetMetricData: list price of a metric requested, the same for any length of time (Amazon
CloudWatch pricing, us-east-1, 2026-11-26). It says that up to five statistics of one metric in a
call are one; here each counts, so that a bill is at most this."""

REQUESTS_PER_SECOND = 50.0
"""Of GetMetricData in one account and Region, unless AWS grants more (AWS re:Post, knowledge
centre, "cloudwatch getmetricdata api", read 2026-11-26)."""

SAMPLES_PER_SECOND = 180_000.0
"""Which GetMetricData returns in one account and Region where the time begins within the last three
hours; for an earlier beginning it is 396,000 (the same). The lower one holds for every call, and
leaves more than half of the other to whoever else asks there."""


def effort_of(batches: Iterable[Batch], requests_per_second: float) -> Effort:
    """Return what calls in one account and Region take; at the pace 0 requests do not wait."""
    calls = metrics = samples = 0
    for batch in batches:
        calls += 1
        metrics += batch.queries
        samples += batch.samples
    waiting = calls / requests_per_second if requests_per_second else 0.0
    seconds = max(waiting, samples / SAMPLES_PER_SECOND)
    return Effort(calls, metrics, seconds, metrics * USD_PER_METRIC)
