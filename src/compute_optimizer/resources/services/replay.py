"""How the advice for services is replayed."""

from collections.abc import Mapping, Sequence

import numpy as np

from compute_optimizer.catalog.fargate_sizes import TaskSizes
from compute_optimizer.engine.demand import MEMORY
from compute_optimizer.engine.dimensions import combine
from compute_optimizer.engine.peaks import FORGIVEN
from compute_optimizer.engine.replay import Move, Replay, ReplayedDimension
from compute_optimizer.engine.usage import CPU_METRIC, MEMORY_METRIC, choose_series
from compute_optimizer.model.ecs_service import EcsService, EcsServiceRecommendation
from compute_optimizer.model.metrics import Matrix, ShardSamples
from compute_optimizer.resources.services.demand import DIMENSIONS


def _demand(
    services: Sequence[EcsService], samples: ShardSamples, _sizes: TaskSizes
) -> Mapping[str, Matrix]:
    chosen = choose_series(samples, (CPU_METRIC, MEMORY_METRIC))
    size = np.array([(one.cpu_units, one.task_memory) for one in services], np.float32)
    return {
        dimension.name: combine(parts, dimension.combine) * (size[:, [place]] / np.float32(100))
        for place, dimension in enumerate(DIMENSIONS)
        if (parts := chosen.parts(dimension))
    }


def _move(_service: EcsService, found: EcsServiceRecommendation, _sizes: TaskSizes) -> Move:
    today = (float(found.cpu_units), float(found.memory))
    if not found.options:
        return Move(today, today, found.monthly_usd, found.monthly_usd)
    first = found.options[0]
    advised = (float(first.cpu_units), float(first.memory))
    return Move(today, advised, found.monthly_usd, first.monthly_usd)


REPLAY = Replay(
    dimensions=tuple(
        ReplayedDimension(one.name, one.unit, 0.0 if one.name == MEMORY else FORGIVEN)
        for one in DIMENSIONS
    ),
    demand=_demand,
    move=_move,
)
