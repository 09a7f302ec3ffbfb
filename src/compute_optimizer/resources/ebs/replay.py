"""How the advice for volumes is replayed."""

from collections.abc import Mapping, Sequence

import numpy as np

from compute_optimizer.catalog.volume_types import VolumeTypes
from compute_optimizer.engine.dimensions import combine
from compute_optimizer.engine.peaks import FORGIVEN
from compute_optimizer.engine.replay import Move, Replay, ReplayedDimension
from compute_optimizer.engine.usage import choose_series
from compute_optimizer.model.ebs_volume import EbsVolume, EbsVolumeRecommendation
from compute_optimizer.model.metrics import Matrix, ShardSamples
from compute_optimizer.resources.ebs.demand import DIMENSIONS, SCALES, WIRE_NAMES


def _demand(
    _volumes: Sequence[EbsVolume], samples: ShardSamples, _types: VolumeTypes
) -> Mapping[str, Matrix]:
    chosen = choose_series(samples, tuple(WIRE_NAMES))
    return {
        dimension.name: combine(parts, dimension.combine) * np.float32(scale)
        for dimension, scale in zip(DIMENSIONS, SCALES, strict=True)
        if (parts := chosen.parts(dimension))
    }


def _move(_volume: EbsVolume, found: EbsVolumeRecommendation, _types: VolumeTypes) -> Move:
    """Return the advice: what there is counts with its bursts, what is advised without any."""
    now = found.configuration
    today = (float(now.burst_iops), float(now.burst_throughput))
    first = found.options[0] if found.options else None
    if first is None or first.configuration == now:
        return Move(today, today, found.monthly_usd, found.monthly_usd)
    then = first.configuration
    advised = (float(then.baseline_iops), float(then.baseline_throughput))
    return Move(today, advised, found.monthly_usd, first.monthly_usd)


REPLAY = Replay(
    dimensions=tuple(ReplayedDimension(one.name, one.unit, FORGIVEN) for one in DIMENSIONS),
    demand=_demand,
    move=_move,
)
