"""From what a group and its members sent to the samples of one machine of the group."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from compute_optimizer.engine.arrays import Integers
from compute_optimizer.engine.usage import MINIMUM_SAMPLES, count_samples
from compute_optimizer.model.auto_scaling_group import AutoScalingGroup
from compute_optimizer.model.metrics import Matrix, MetricKey, ShardSamples, Statistic
from compute_optimizer.model.resource import Resource


def per_machine(
    groups: Sequence[AutoScalingGroup],
    own: ShardSamples,
    members: Sequence[Resource] = (),
    of_members: ShardSamples | None = None,
) -> ShardSamples:
    """Return the samples of one machine of each group, in the row order of the groups.

    `own` is what CloudWatch reports of the groups: its counters are those of all instances, so
    they are divided by the desired capacity. A series of which a group has under 30 hours is taken
    from its members where these have more. They are in the row order of their samples: in each
    slot the highest of them counts for maxima and counters, the mean for averages (spec 6.2, a
    proposal).
    """
    machines = np.array([max(group.desired_capacity, 1) for group in groups], np.float32)
    series = {
        key: matrix / machines[:, None] if key.statistic is Statistic.SUM else matrix.copy()
        for key, matrix in own.series.items()
    }
    if of_members is not None and members:
        for key, (rows, pooled) in _pooled(groups, members, of_members).items():
            _fill_gaps(series, key, rows, pooled, (len(groups), pooled.shape[1]))
    return replace(own, series=series)


def _pooled(
    groups: Sequence[AutoScalingGroup], members: Sequence[Resource], samples: ShardSamples
) -> Mapping[MetricKey, tuple[Integers, Matrix]]:
    """Return for each series the groups that have members, and what those say together."""
    row_of = {group.arn: row for row, group in enumerate(groups)}
    owners = np.array([row_of.get(one.auto_scaling_group_arn or "", -1) for one in members])
    order = np.argsort(owners, kind="stable")
    order = order[owners[order] >= 0]
    if not len(order):
        return {}
    rows, starts = np.unique(owners[order], return_index=True)
    return {
        key: (rows, _together(matrix[order], starts, key.statistic))
        for key, matrix in samples.series.items()
    }


def _together(matrix: Matrix, starts: Integers, statistic: Statistic) -> Matrix:
    """Return one row for each run of rows that begins at `starts`, (runs, slots)."""
    if statistic is not Statistic.AVERAGE:
        highest: Matrix = np.fmax.reduceat(matrix, starts, axis=0)
        return highest
    known = np.isfinite(matrix)
    counts = np.add.reduceat(known, starts, axis=0, dtype=np.int64)
    sums = np.add.reduceat(np.where(known, matrix, 0), starts, axis=0)
    means: Matrix = np.full(sums.shape, np.nan, np.float32)
    np.divide(sums, counts, out=means, where=counts > 0, casting="same_kind")
    return means


def _fill_gaps(
    series: dict[MetricKey, Matrix],
    key: MetricKey,
    rows: Integers,
    pooled: Matrix,
    shape: tuple[int, int],
) -> None:
    """Write, in place, what members say where the group itself has too few samples, and fewer."""
    target = series.setdefault(key, np.full(shape, np.nan, np.float32))
    own = count_samples(target[rows])
    lacking = (own < MINIMUM_SAMPLES) & (own < count_samples(pooled))
    target[rows[lacking]] = pooled[lacking]
