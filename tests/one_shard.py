"""Samples of one shard in a metric store, and what is read of them."""

from datetime import date, timedelta

from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.model.resource import ShardKey
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore, read_samples
from tests.inventoried import ACCOUNT, instance, upsert
from tests.samples import put_samples

CPU = MetricKey("CPUUtilization", Statistic.MAXIMUM)
NETWORK = MetricKey("NetworkIn", Statistic.SUM)
DAY = date(2026, 1, 31)
KEY = ShardKey(ACCOUNT, "us-east-1", "Ec2Instance", 0)


def put(state: State, store: TileStore, series: dict[MetricKey, Matrix], first: date = DAY) -> None:
    """Store samples of instances 1, 2, ... beginning on a day."""
    rows, slots = next(iter(series.values())).shape
    upsert(state, *(instance(number + 1) for number in range(rows)))
    arns = tuple(instance(number + 1).arn for number in range(rows))
    window = Window(first, first + timedelta(days=slots // SLOTS_PER_DAY - 1))
    put_samples(state, store, KEY, ShardSamples(arns, window, series))


def read(state: State, store: TileStore, window: Window, *wanted: MetricKey) -> ShardSamples:
    with state.reading() as connection:
        return read_samples(connection, store, KEY, window, wanted)


def files(store: TileStore, part: str) -> list[str]:
    return sorted(one.path for one in store.place.files(part))
