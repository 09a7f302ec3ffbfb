"""The evidence behind one service's recommendation, from the analysis of a batch of one."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from compute_optimizer.catalog.fargate_sizes import TaskSizes
from compute_optimizer.catalog.serverless_prices import fargate_price_date
from compute_optimizer.engine.demand import OTHER_PERCENTILE
from compute_optimizer.engine.evidence import (
    ONLY,
    DimensionNeed,
    binding,
    chosen_metrics,
    dimension_evidence,
    fitting,
    history_of,
    in_order,
    reasons_at,
    refusals_of,
)
from compute_optimizer.engine.explanation import (
    ChoiceEvidence,
    DimensionEvidence,
    Explanation,
    Figure,
)
from compute_optimizer.engine.figures import known
from compute_optimizer.engine.usage import CPU_METRIC, MEMORY_METRIC
from compute_optimizer.model.ecs_service import EcsService
from compute_optimizer.model.metrics import ShardSamples, Statistic
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.resources.services.analysis import ServiceAnalysis, monthly_usd
from compute_optimizer.resources.services.demand import DIMENSIONS, MINIMUM_SAMPLES
from compute_optimizer.resources.services.reading import size_text
from compute_optimizer.resources.services.records import finding_at, reason_codes_at

GROWS = "grows where nothing falls short"
AS_IT_IS = "the size as it is"

STATISTICS = dict.fromkeys((CPU_METRIC, MEMORY_METRIC), Statistic.MAXIMUM)


def explanation_of(
    service: EcsService,
    samples: ShardSamples,
    analysis: ServiceAnalysis,
    sizes: TaskSizes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Explanation:
    """Return the explanation of the one service that was analyzed."""
    obstacle, demand = analysis.obstacles[ONLY], analysis.demand
    dimensions = tuple(_dimension_evidence(analysis, preferences.other_headroom))
    choices = in_order(_choices(service, analysis, sizes))
    cpu = demand.chosen.series.get(CPU_METRIC)
    return Explanation(
        resource_arn=service.arn,
        instance_type=service.instance_type,
        current=size_text(service.cpu_units, service.task_memory),
        as_of=as_of,
        window=samples.window,
        finding=obstacle.code if obstacle else finding_at(analysis, ONLY).value,
        finding_reason_codes=() if obstacle else reason_codes_at(analysis, ONLY),
        binding_dimension=binding(dimensions),
        idle=bool(demand.idle[ONLY]),
        history=history_of(cpu, samples.window, DIMENSIONS[0].name, MINIMUM_SAMPLES),
        metrics=tuple(chosen_metrics(demand.chosen, STATISTICS)),
        dimensions=dimensions,
        price_date=fargate_price_date(service.region, analysis.own),
        current_monthly_usd=known(analysis.monthly_usd[ONLY]),
        choices=choices,
        figures=tuple(_figures(analysis)),
        refusals=refusals_of(choices),
        fitting_types=fitting(choices),
    )


def _dimension_evidence(analysis: ServiceAnalysis, headroom: float) -> Iterator[DimensionEvidence]:
    demand = analysis.demand
    for place, dimension in enumerate(DIMENSIONS):
        size = float(analysis.size[ONLY, place])
        asked = DimensionNeed(
            percentile=OTHER_PERCENTILE,
            headroom=headroom,
            scale=size / 100,
            required=float(demand.required[ONLY, place]),
            limit=float(analysis.required[ONLY, place]),
            capacity=size,
            risk=float(demand.risks[ONLY, place]),
        )
        yield dimension_evidence(dimension, demand.usage.dimensions[place], asked)


def _choices(
    service: EcsService, analysis: ServiceAnalysis, sizes: TaskSizes
) -> Iterator[ChoiceEvidence]:
    """Yield every valid size; today's too."""
    best, size = (tuple(pair[ONLY].tolist()) for pair in (analysis.best, analysis.size))
    pairs = zip(sizes.cpu_units.tolist(), sizes.memory.tolist(), strict=True)
    for place, pair in enumerate(pairs):
        moves_here = pair == best and bool(analysis.moves[ONLY])
        against = reasons_at(analysis.refused, ONLY, place)
        if not against and not moves_here:
            against = _no_option(pair, best, size)
        usd = monthly_usd([service], analysis.demand, np.array([pair]), analysis.own)[ONLY]
        yield ChoiceEvidence(
            of="task",
            configuration=size_text(int(pair[0]), int(pair[1])),
            rank=1 if moves_here else None,
            monthly_usd=known(usd),
            performance_risk=None,
            capacity={
                dimension.name: figure for dimension, figure in zip(DIMENSIONS, pair, strict=True)
            },
            refused_because=against,
        )


def _no_option(
    pair: tuple[float, ...], best: tuple[float, ...], size: tuple[float, ...]
) -> tuple[str, ...]:
    """Return why a size that carries the demand is no option; nothing for those after the first."""
    if pair == size:
        return (AS_IT_IS,)
    return (GROWS,) if pair == best else ()


def _figures(analysis: ServiceAnalysis) -> Iterator[Figure]:
    demand = analysis.demand
    yield Figure(
        "tasks", "while running", float(demand.tasks[ONLY]), None, "the price is that of all"
    )
    yield Figure(
        "running time",
        "share of the period",
        float(demand.running_share[ONLY]),
        None,
        "the price is that of as much of a month",
    )
