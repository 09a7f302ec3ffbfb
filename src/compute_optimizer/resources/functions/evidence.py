"""The evidence behind one function's recommendation, from the analysis of a batch of one."""

from collections.abc import Iterator
from datetime import datetime
from math import nan

from compute_optimizer.catalog.lambda_memory import MAXIMUM_ANALYZED_MB
from compute_optimizer.catalog.serverless_prices import lambda_price_date
from compute_optimizer.engine.evidence import (
    ONLY,
    binding,
    fitting,
    history_of,
    in_order,
    metric_evidence,
    refusals_of,
)
from compute_optimizer.engine.explanation import (
    ChoiceEvidence,
    DimensionEvidence,
    Explanation,
    Figure,
)
from compute_optimizer.engine.figures import known
from compute_optimizer.model.lambda_function import LambdaFunction
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.resources.functions.analysis import (
    FULL_SHARE,
    MEASURED_SHARE,
    MEMORY_RESERVE,
    MINIMUM_INVOCATIONS,
    TIMEOUT_SHARE,
    WORTHWHILE_SHARE,
    FunctionAnalysis,
)
from compute_optimizer.resources.functions.reading import size_text
from compute_optimizer.resources.functions.records import finding_at, reason_codes_at
from compute_optimizer.resources.functions.use import HIGHEST_MEMORY, INVOCATIONS, METRICS

FEW_INVOCATIONS = f"fewer than {MINIMUM_INVOCATIONS} invocations"
INCONCLUSIVE = "no figures to be sure of"
NOT_SMALLER = "not smaller than what there is"
NOT_WORTHWHILE = f"saves less than {WORTHWHILE_SHARE:.0%} of the cost of duration"
AS_IT_IS = "the size as it is"

MEMORY = "Memory"

HIGHEST = 100.0
"""Percentile: nothing is forgiven."""


def explanation_of(
    function: LambdaFunction, samples: ShardSamples, analysis: FunctionAnalysis, *, as_of: datetime
) -> Explanation:
    """Return the explanation of the one function that was analyzed."""
    dimensions = (_memory(samples, analysis),)
    choices = in_order(_choices(analysis))
    series = samples.series
    return Explanation(
        resource_arn=function.arn,
        instance_type=function.instance_type,
        current=size_text(function.memory_size),
        as_of=as_of,
        window=samples.window,
        finding=finding_at(analysis, ONLY).value,
        finding_reason_codes=reason_codes_at(analysis, ONLY),
        binding_dimension=binding(dimensions),
        idle=None,
        history=history_of(series.get(INVOCATIONS), samples.window, INVOCATIONS.metric, 1),
        metrics=tuple(metric_evidence(key, series[key]) for key in METRICS if key in series),
        dimensions=dimensions,
        price_date=lambda_price_date(function.region, analysis.own),
        current_monthly_usd=known(analysis.monthly_usd[ONLY]),
        choices=choices,
        figures=tuple(_figures(function, analysis)),
        refusals=refusals_of(choices),
        fitting_types=fitting(choices),
    )


def _memory(samples: ShardSamples, analysis: FunctionAnalysis) -> DimensionEvidence:
    """Return what the use of memory asks for: the highest of it, and a reserve."""
    used, risk = known(analysis.use.highest_mb[ONLY]), int(analysis.risk[ONLY])
    series = samples.series.get(HIGHEST_MEMORY)
    required = None if used is None else float(analysis.for_memory[ONLY])
    return DimensionEvidence(
        dimension=MEMORY,
        unit="MB",
        samples=0 if series is None else history_of(series, samples.window, MEMORY).samples,
        percentile=HIGHEST,
        forgiven_hours=0.0,
        maximum=used,
        demand=used,
        headroom=1 - 1 / MEMORY_RESERVE,
        required=required,
        limit=required,
        current_capacity=float(analysis.size[ONLY]),
        current_risk=None if risk < 0 else float(risk),
    )


def _choices(analysis: FunctionAnalysis) -> Iterator[ChoiceEvidence]:
    """Yield the least size that carries what was used, and the present one."""
    size, wanted = (float(one[ONLY]) for one in (analysis.size, analysis.recommended))
    moves = bool(analysis.under[ONLY] or analysis.over[ONLY])
    if wanted != size:
        refused = () if moves else (_why_not(analysis),)
        yield _choice(wanted, float(analysis.recommended_usd[ONLY]), moves, refused)
    yield _choice(size, float(analysis.monthly_usd[ONLY]), False, (AS_IT_IS,))


def _choice(size: float, usd: float, moves: bool, refused: tuple[str, ...]) -> ChoiceEvidence:
    return ChoiceEvidence(
        of="memory",
        configuration=size_text(int(size)),
        rank=1 if moves else None,
        monthly_usd=known(usd),
        performance_risk=None,
        capacity={MEMORY: size},
        refused_because=refused,
    )


def _why_not(analysis: FunctionAnalysis) -> str:
    """Return why the least size that would do is not recommended."""
    if analysis.insufficient[ONLY]:
        return FEW_INVOCATIONS
    if analysis.inconclusive[ONLY]:
        return INCONCLUSIVE
    smaller = analysis.recommended[ONLY] < analysis.size[ONLY]
    return NOT_WORTHWHILE if smaller else NOT_SMALLER


def _figures(function: LambdaFunction, analysis: FunctionAnalysis) -> Iterator[Figure]:
    use, size = analysis.use, float(analysis.size[ONLY])
    timeout = function.timeout_seconds
    yield Figure(
        "invocations",
        "in the period",
        float(use.invocations[ONLY]),
        float(MINIMUM_INVOCATIONS),
        "with fewer nothing is recommended",
    )
    yield Figure(
        "memory known",
        "share of the slots with invocations",
        float(use.memory_share[ONLY]),
        MEASURED_SHARE,
        "with less the answer is Inconclusive",
    )
    yield Figure(
        "size",
        "MB",
        size,
        float(MAXIMUM_ANALYZED_MB),
        "larger functions are not analyzed, and no larger size is recommended",
    )
    yield Figure(
        "highest use of memory",
        "MB",
        known(use.highest_mb[ONLY]),
        FULL_SHARE * size,
        "beyond it the memory is too small",
    )
    yield Figure(
        "longest run",
        "ms",
        known(use.highest_ms[ONLY]),
        known(nan if timeout is None else TIMEOUT_SHARE * timeout * 1000),
        "a smaller size may stretch it up to here, if the function only computes",
    )
    yield Figure(
        "memory for that",
        "MB",
        known(nan if timeout is None else analysis.in_time[ONLY]),
        size,
        "a smaller size has at least as much",
    )
    yield Figure(
        "cost of duration",
        "share of the present",
        known(analysis.cost[ONLY]),
        1 - WORTHWHILE_SHARE,
        "a smaller size costs at most as much",
    )
