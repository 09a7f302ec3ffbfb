"""The evidence behind one volume's recommendation, from the analysis of a batch of one."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from compute_optimizer.catalog.volume_prices import volume_price_date
from compute_optimizer.catalog.volume_types import VolumeTypes
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
from compute_optimizer.engine.usage import MINIMUM_SAMPLES
from compute_optimizer.model.ebs_volume import EbsVolume
from compute_optimizer.model.metrics import SLOT_SECONDS, ShardSamples
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.resources.ebs.analysis import VolumeAnalysis
from compute_optimizer.resources.ebs.configurations import (
    AS_IT_IS,
    SEQUENTIAL_BYTES,
    UNKNOWN_TYPE,
    Configurations,
)
from compute_optimizer.resources.ebs.demand import CHECKS, DIMENSIONS, METRICS, SCALES
from compute_optimizer.resources.ebs.reading import configuration_text
from compute_optimizer.resources.ebs.records import configuration_at

STATISTICS = {key.metric: key.statistic for key in METRICS}

OPERATIONS = DIMENSIONS[0].metrics[0]


def explanation_of(
    volume: EbsVolume,
    samples: ShardSamples,
    analysis: VolumeAnalysis,
    types: VolumeTypes,
    *,
    as_of: datetime,
    preferences: Preferences,
) -> Explanation:
    """Return the explanation of the one volume that was analyzed."""
    obstacle = analysis.obstacles[ONLY]
    judged = Finding.NOT_OPTIMIZED if analysis.not_optimized[ONLY] else Finding.OPTIMIZED
    dimensions = tuple(_dimension_evidence(analysis, preferences.other_headroom))
    is_known = analysis.now.types[ONLY] != UNKNOWN_TYPE
    choices = in_order(_choices(analysis, types)) if is_known else ()
    chosen = analysis.demand.chosen
    return Explanation(
        resource_arn=volume.arn,
        instance_type=volume.instance_type,
        current=configuration_text(configuration_at(analysis.now, types, (ONLY,)))
        if is_known
        else "",
        as_of=as_of,
        window=samples.window,
        finding=obstacle.code if obstacle else judged.value,
        finding_reason_codes=(),
        binding_dimension=binding(dimensions),
        idle=bool(analysis.idle[ONLY]),
        history=history_of(chosen.series.get(OPERATIONS), samples.window, OPERATIONS),
        metrics=tuple(chosen_metrics(chosen, STATISTICS)),
        dimensions=dimensions,
        price_date=volume_price_date(volume.region, types.own_prices),
        current_monthly_usd=known(analysis.now.monthly_usd[ONLY]),
        choices=choices,
        figures=tuple(_figures(analysis)),
        refusals=refusals_of(choices),
        fitting_types=fitting(choices),
    )


def _dimension_evidence(analysis: VolumeAnalysis, headroom: float) -> Iterator[DimensionEvidence]:
    demand, now = analysis.demand, analysis.now
    for place, capacity in enumerate((now.iops, now.throughput)):
        asked = DimensionNeed(
            percentile=OTHER_PERCENTILE,
            headroom=headroom,
            scale=float(SCALES[place]),
            required=float(demand.required[ONLY, place]),
            limit=float(demand.required[ONLY, place]),
            capacity=float(capacity[ONLY]),
            risk=float(analysis.risks_by_dimension[ONLY, -1, place]),
        )
        yield dimension_evidence(DIMENSIONS[place], demand.usage.dimensions[place], asked)


def _choices(analysis: VolumeAnalysis, types: VolumeTypes) -> Iterator[ChoiceEvidence]:
    every = analysis.choices.all
    ranks = {choice: rank for rank, choice in enumerate(analysis.ranked[ONLY].tolist(), 1)}
    against = {**analysis.choices.refused, **analysis.not_worth}
    repeated = analysis.choices.refused[AS_IT_IS]
    for place in [(ONLY, choice) for choice in range(every.types.shape[1])]:
        if repeated[place]:
            continue
        yield ChoiceEvidence(
            of="volume",
            configuration=_text(every, types, place),
            rank=ranks.get(place[1]),
            monthly_usd=known(every.monthly_usd[place]),
            performance_risk=known(analysis.risks[place]),
            capacity={
                dimension.name: known(figures[place])
                for dimension, figures in zip(
                    DIMENSIONS, (every.iops, every.throughput), strict=True
                )
            },
            refused_because=reasons_at(against, *place),
        )


def _text(every: Configurations, types: VolumeTypes, place: tuple[int, int]) -> str:
    if not (np.isfinite(every.iops[place]) and np.isfinite(every.throughput[place])):
        return f"{types.types[every.types[place]].name} of any size"
    return configuration_text(configuration_at(every, types, place))


def _figures(analysis: VolumeAnalysis) -> Iterator[Figure]:
    demand = analysis.demand
    yield Figure(
        "longest run of samples",
        "hours",
        float(demand.longest_run[ONLY]) * SLOT_SECONDS / 3600,
        MINIMUM_SAMPLES * SLOT_SECONDS / 3600,
        "with fewer there is no recommendation",
    )
    yield Figure(
        "mean size of an operation",
        "bytes",
        known(demand.mean_operation_bytes[ONLY]),
        float(SEQUENTIAL_BYTES),
        "with smaller ones no hard disk is an option",
    )
    yield Figure(
        "operations",
        "a month",
        float(demand.monthly_operations[ONLY]),
        None,
        "the price of volumes that are paid by operation",
    )
    for place, metric in enumerate(CHECKS.values()):
        if metric in demand.chosen.series:
            yield Figure(
                metric,
                "1 where it was asked for more",
                float(demand.exceeded[ONLY, place]),
                1.0,
                "more often than the percentile forgives: all it can do counts as used",
            )
