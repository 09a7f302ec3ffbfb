"""Fleets in the stores, ready to be analyzed: inventory and samples of a few weeks."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.model.resource import EC2_INSTANCE, Resource
from compute_optimizer.store import State
from compute_optimizer.store.inventory import place, upsert_resources
from compute_optimizer.store.tiles import TileStore
from tests.records import REGION, arn
from tests.samples import put_samples

CPU = MetricKey("CPUUtilization", Statistic.MAXIMUM)
MEMORY = MetricKey("mem_used_percent", Statistic.MAXIMUM)

LAST_DAY = date(2026, 3, 14)
"""The last whole day before the clocks of the tests start."""

QUIET, BUSY = 10.0, 95.0
"""Percent of CPU: of a m5.xlarge too little, and too much for the headroom of 20 %."""


def machine(number: int, account: str, region: str = REGION) -> Resource:
    """Return a m5.xlarge."""
    name = arn(number, account, region)
    return Resource(
        name, account, region, EC2_INSTANCE, name.rpartition("/")[2], "m5.xlarge", f"web-{number}"
    )


def store_fleet(
    state: State,
    tiles: TileStore,
    account: str,
    region: str = REGION,
    *,
    cpu: Sequence[float] = (QUIET,),
    last: date = LAST_DAY,
    days: int = 14,
) -> list[Resource]:
    """Store one machine for each level of CPU, all at 20 % of their memory."""
    fleet = [machine(number, account, region) for number in range(len(cpu))]
    with state.writing() as connection:
        upsert_resources(connection, fleet)
        keys = place(connection, fleet)
    window = Window(last - timedelta(days=days - 1), last)
    shape = (len(fleet), days * SLOTS_PER_DAY)
    levels = np.broadcast_to(np.array(cpu, np.float32)[:, np.newaxis], shape).copy()
    series = {CPU: levels, MEMORY: np.full(shape, 20, np.float32)}
    samples = ShardSamples(tuple(one.arn for one in fleet), window, series)
    put_samples(state, tiles, keys[fleet[0].arn], samples)
    return fleet
