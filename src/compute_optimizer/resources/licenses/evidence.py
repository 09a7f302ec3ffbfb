"""The evidence for one license: what was counted, beside what would keep Enterprise."""

from collections.abc import Iterator
from datetime import datetime

from compute_optimizer.catalog.license_prices import STANDARD_MOST_VCPUS
from compute_optimizer.engine.evidence import ONLY, history_of, in_order, metric_evidence
from compute_optimizer.engine.explanation import ChoiceEvidence, Explanation, Figure
from compute_optimizer.engine.figures import known
from compute_optimizer.model.license import LicensedInstance
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.recommendation import HOURS_PER_MONTH
from compute_optimizer.resources.licenses.analysis import (
    FEATURES,
    METRICS,
    LicenseAnalysis,
    license_of,
    wanted_edition,
)
from compute_optimizer.resources.licenses.reading import edition_text
from compute_optimizer.resources.licenses.records import price_date_of, verdict_at

AS_IT_IS = "the edition as it is"
IN_USE = "what only Enterprise has is in use, or may be"


def explanation_of(
    one: LicensedInstance, samples: ShardSamples, analysis: LicenseAnalysis, *, as_of: datetime
) -> Explanation:
    """Return the explanation of the one license that was analyzed."""
    finding, code = verdict_at(analysis, ONLY)
    series = samples.series
    return Explanation(
        resource_arn=one.arn,
        instance_type=one.instance_type,
        current=edition_text(license_of(one).edition),
        as_of=as_of,
        window=samples.window,
        finding=finding.value,
        finding_reason_codes=(code,),
        binding_dimension=None,
        idle=None,
        history=history_of(series.get(FEATURES), samples.window, FEATURES.metric),
        metrics=tuple(metric_evidence(key, series[key]) for key in METRICS if key in series),
        dimensions=(),
        price_date=price_date_of(one, analysis.types),
        current_monthly_usd=_monthly(float(analysis.hourly_usd[ONLY])),
        choices=in_order(_choices(one, analysis)),
        figures=tuple(_figures(one, analysis)),
    )


def _choices(one: LicensedInstance, analysis: LicenseAnalysis) -> Iterator[ChoiceEvidence]:
    """Yield the edition that would do and the present one."""
    own, moves = license_of(one), bool(analysis.over[ONLY])
    wanted = wanted_edition(own)
    if wanted != own.edition:
        kept = () if moves else (IN_USE,)
        yield _choice(wanted, float(analysis.option_usd[ONLY]) if moves else None, moves, kept)
    yield _choice(own.edition, float(analysis.hourly_usd[ONLY]), False, (AS_IT_IS,))


def _choice(
    edition: str, hourly: float | None, moves: bool, refused: tuple[str, ...]
) -> ChoiceEvidence:
    return ChoiceEvidence(
        of="license",
        configuration=edition_text(edition),
        rank=1 if moves else None,
        monthly_usd=None if hourly is None else _monthly(hourly),
        performance_risk=None,
        capacity={},
        refused_because=refused,
    )


def _figures(one: LicensedInstance, analysis: LicenseAnalysis) -> Iterator[Figure]:
    stated = license_of(one).features
    yield Figure(
        "Enterprise features in use, counted",
        "features",
        known(float(analysis.features_used[ONLY])),
        0.0,
        "any above keeps Enterprise",
    )
    yield Figure(
        "Enterprise features in use, as the inventory says",
        "features",
        None if stated is None else float(len(stated)),
        0.0,
        "any above keeps Enterprise",
    )
    yield Figure(
        "vCPUs",
        "vCPUs",
        known(float(analysis.vcpus[ONLY])),
        float(STANDARD_MOST_VCPUS),
        "any above keeps Enterprise: Standard uses no more",
    )


def _monthly(hourly: float) -> float | None:
    found = known(hourly)
    return None if found is None else found * HOURS_PER_MONTH
