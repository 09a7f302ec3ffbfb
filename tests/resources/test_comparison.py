"""Two moments of a resource of each type: the input that is exchanged alone is blamed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from compute_optimizer.engine.comparison import Comparison, Moment
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Window
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources import type_named
from compute_optimizer.resources.comparison import LEFT
from tests.databases import FREE, GIB, READ_IOS, WRITE_IOS, cluster, database
from tests.fleets import CPU, MEMORY
from tests.functions import function, runs
from tests.services import service
from tests.volumes import use, volume

DAY = 288
DAYS = 20
FIRST = date(2026, 1, 1)

Series = Mapping[MetricKey, Any]


def known(resources: Sequence[Resource], series: Series, start: int) -> Moment:
    """Return the 14 days from the given day on, as seen at their end."""
    first = FIRST + timedelta(days=start)
    window = Window(first, first + timedelta(days=13))
    slots = slice(start * DAY, (start + 14) * DAY)
    shape = (len(resources), DAYS * DAY)
    cut = {
        key: np.array(np.broadcast_to(np.asarray(values), shape), np.float32)[:, slots]
        for key, values in series.items()
    }
    as_of = datetime.combine(window.last, time(), UTC) + timedelta(days=1)
    return Moment(as_of, ShardSamples(tuple(one.arn for one in resources), window, cut))


def compared(one: Resource, series: Series, beside: Sequence[Resource] = ()) -> Comparison:
    """Compare the two weeks from the first day on with those from the sixth on."""
    kind = type_named(one.resource_type)
    assert kind is not None
    assert kind.compare is not None
    moments = tuple(known([one, *beside], series, start) for start in (0, 5))
    others: dict[str, Any] = {"beside": beside} if beside else {}
    found: Comparison = kind.compare(
        one, moments, kind.catalog(), preferences=DEFAULT_PREFERENCES, **others
    )
    return found


def from_day(day: int, low: float, high: float) -> np.ndarray:
    return np.where(np.arange(DAYS * DAY) >= day * DAY, high, low)


def test_a_volume_that_moved_more_is_told_by_its_throughput() -> None:
    # From the 15th day on 200 MiB/s: beyond what gp3 does without paying for more.
    found = compared(volume(1, "gp2", 500), use(100, from_day(14, 10, 200)))

    assert found.changes == ("first_option",)
    assert found.before.answer.first_option == "gp3 500 GiB, 3,000 IOPS, 125 MiB/s"
    # 200 MiB/s and a fifth left free.
    assert found.after.answer.first_option == "gp3 500 GiB, 3,000 IOPS, 250 MiB/s"
    assert found.decisive == ("Throughput samples", "samples that entered the window")
    assert [one.input for one in found.exchanges] == [*found.decisive, LEFT]
    # 500 GiB at 0.08, and later 125 MiB/s more at 0.04 each.
    assert found.before.first_option_monthly_usd == 40
    assert found.after.first_option_monthly_usd == 45
    assert found.before.current == "gp2 500 GiB, 1,500 IOPS, 250 MiB/s"


def test_a_service_is_told_by_the_dimension_that_grew() -> None:
    series = {CPU: from_day(14, 20, 95), MEMORY: 30.0}
    found = compared(service("api", 1024, 3072), series)

    assert found.changes == ("finding", "first_option")
    assert (found.before.answer.finding, found.after.answer.finding) == (
        "Overprovisioned",
        "Underprovisioned",
    )
    assert found.decisive == ("CPU samples", "samples that entered the window")


def test_a_function_is_told_by_its_memory() -> None:
    series = runs(10, 200.0, from_day(14, 300, 1_000))
    found = compared(function("worker", 1024), series)

    assert found.decisive == ("Memory samples", "samples that entered the window")
    # 1,000 MB and a fifth more.
    assert found.after.answer.first_option == "1,200 MB"


def test_a_database_is_told_by_its_class_and_by_its_storage() -> None:
    # From the 15th day on 98 of 100 GiB are in use.
    series = {CPU: 40.0, FREE: from_day(14, 60 * GIB, 2 * GIB)}
    found = compared(database(1, "db.m5.large"), series)

    assert found.changes == ("finding", "first_option")
    assert found.before.answer.finding.endswith(", storage Optimized")
    assert found.after.answer.finding.endswith(", storage Underprovisioned")
    assert found.decisive == ("Free storage samples", "samples that entered the window")


def test_a_cluster_is_told_by_its_io() -> None:
    # 1,000 operations in five minutes cost next to nothing, 600,000 more than the instance.
    io = from_day(14, 500, 300_000_000)
    series = {READ_IOS: io, WRITE_IOS: io, MetricKey("VolumeBytesUsed", FREE.statistic): 10 * GIB}
    found = compared(cluster("shop"), series)

    assert found.after.answer.first_option == "aurora-iopt1"
    assert found.decisive == ("Cluster I/O samples", "samples that entered the window")


def test_a_reader_is_compared_beside_its_writer() -> None:
    shared = {"engine": "aurora-mysql", "cluster": "shop"}
    reader = database(1, "db.r5.large", id="shop-1", promotion_tier=1, **shared)
    writer = database(2, "db.r5.large", id="shop-2", writer=True, promotion_tier=0, **shared)
    cpu = np.stack([np.full(DAYS * DAY, 20.0), from_day(14, 20, 95)])

    found = compared(reader, {CPU: cpu}, beside=[writer])

    assert found.after.finding_reason_codes[-1:] == ("DBClusterWriterUnderprovisioned",)
    assert "DBClusterWriterUnderprovisioned" not in found.before.finding_reason_codes
