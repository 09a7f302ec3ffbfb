"""The evidence behind one instance's recommendation, from the analysis of a batch of one."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from compute_optimizer.catalog.instance_types import INSTANCE_TYPES_FILE
from compute_optimizer.catalog.prices import price_date
from compute_optimizer.engine.demand import CPU
from compute_optimizer.engine.evidence import ONLY, chosen_metrics, history_of
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.engine.figures import known
from compute_optimizer.engine.finding import finding_of, reason_codes
from compute_optimizer.engine.type_evidence import (
    Violations,
    Weighed,
    dimensions_told,
    types_told,
)
from compute_optimizer.engine.usage import CPU_METRIC
from compute_optimizer.model.metrics import ShardSamples, Statistic
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.resource import Resource
from compute_optimizer.model.risk import RiskModel
from compute_optimizer.resources.ec2.analysis import Ec2Analysis
from compute_optimizer.resources.ec2.cautions import cautions
from compute_optimizer.resources.ec2.dimensions import DIMENSION_NAMES, DIMENSIONS, METRICS
from compute_optimizer.resources.ec2.predicted import (
    capped_peak,
    prediction_evidence,
    type_risks,
)
from compute_optimizer.resources.ec2.records import (
    binding_dimensions,
    other_answers,
    violation_risks,
)
from compute_optimizer.resources.ec2.sensitivity import what_would_change

STATISTICS = {key.metric: key.statistic for key in METRICS if key.statistic != Statistic.AVERAGE}
"""Of the samples that are no averages, by metric."""


def explanation_of(
    resource: Resource,
    samples: ShardSamples,
    analysis: Ec2Analysis,
    *,
    as_of: datetime,
    preferences: Preferences,
    risk_model: RiskModel | None = None,
    searching: bool = True,
) -> Explanation:
    """Return the explanation of the one resource that was analyzed; without `searching` it does
    not say what would change the answer, which takes four fifths of the time."""
    decisions, obstacle = analysis.decisions, analysis.obstacles[ONLY]
    over, under = decisions.over[ONLY].tolist(), decisions.under[ONLY].tolist()
    weighed = _weighed(analysis)
    told = types_told(weighed)
    return Explanation(
        resource_arn=resource.arn,
        instance_type=resource.instance_type,
        as_of=as_of,
        window=samples.window,
        finding=obstacle.code if obstacle else finding_of(any(over), any(under)).value,
        finding_reason_codes=reason_codes(DIMENSION_NAMES, over, under),
        binding_dimension=binding_dimensions(analysis.fleet.demand)[ONLY],
        idle=bool(analysis.idle[ONLY]),
        history=history_of(analysis.fleet.chosen.series.get(CPU_METRIC), samples.window, CPU),
        metrics=tuple(chosen_metrics(analysis.fleet.chosen, STATISTICS)),
        dimensions=tuple(dimensions_told(weighed)),
        current_hourly_usd=known(decisions.current_price[ONLY]),
        price_date=price_date(analysis.market.types, resource.region, resource.platform),
        types_date=analysis.market.types.provenance[INSTANCE_TYPES_FILE].date,
        considered=told.considered,
        refusals=told.refusals,
        fitting_types=told.fitting,
        what_would_change=(
            what_would_change(resource, samples, analysis, preferences, risk_model)
            if searching
            else None
        ),
        prediction=prediction_evidence(analysis, preferences, risk_model),
        other=None if obstacle else other_answers(analysis, preferences)[ONLY],
        cautions=cautions(analysis, samples.window),
    )


def _weighed(analysis: Ec2Analysis) -> Weighed:
    def violations(places: Sequence[int]) -> Violations:
        of_any = violation_risks(analysis, np.array([places], np.int64))[ONLY]
        return Violations(of_any, type_risks(analysis, places))

    return Weighed(
        fleet=analysis.fleet,
        market=analysis.market,
        decisions=analysis.decisions,
        dimensions=DIMENSIONS,
        options=analysis.decisions.options,
        violations=violations,
        capped=lambda place: capped_peak(analysis, place),
    )
