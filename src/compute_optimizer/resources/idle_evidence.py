"""What the rules of idleness say of one resource, and the figures beside their limits."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from compute_optimizer.engine.comparison import Comparison, Side
from compute_optimizer.engine.evidence import ONLY, chosen_metrics, history_of
from compute_optimizer.engine.explanation import Explanation, IdleEvidence
from compute_optimizer.engine.idle import limit_evidence
from compute_optimizer.engine.obstacles import RECOMMENDATION_NOT_FOUND
from compute_optimizer.engine.usage import choose_series
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Statistic
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.idleness import (
    IdleRule,
    concerned_rows,
    idle_recommendations,
)


def idle_evidence(
    rule: IdleRule, resource: Resource, samples: ShardSamples, catalog: Any, *, as_of: datetime
) -> IdleEvidence:
    """Return the evidence of one rule; the samples are a batch of one and span its window."""
    days = samples.window.days
    metrics = sorted({metric for limit in rule.limits for metric in limit.metrics})
    chosen = choose_series(rule.prepared([resource], samples, catalog), metrics)
    return IdleEvidence(
        finding=rule.finding.value,
        window=samples.window,
        concerned=bool(concerned_rows(rule, [resource], catalog, as_of, days)[ONLY]),
        is_idle=bool(idle_recommendations(rule, [resource], samples, catalog, as_of=as_of)),
        limits=tuple(limit_evidence(chosen, one, rule.required, days) for one in rule.limits),
    )


def with_idle_rules(
    told: Explanation, rules: Sequence[IdleEvidence], *, says_all: bool
) -> Explanation:
    """Return an explanation with what the rules say, whose limits may not be the published ones.

    `says_all`: of resources of this type nothing else is said, so the finding is theirs.
    """
    if not rules:
        return told
    found = [one.finding for one in rules if one.is_idle]
    finding = found[0] if says_all and found else told.finding
    return replace(told, idle_rules=tuple(rules), finding=finding, idle=bool(found))


def with_idle_sides(
    found: Comparison, rules: Mapping[datetime, Sequence[IdleEvidence]]
) -> Comparison:
    """Return a comparison with what the rules say as of each of its moments, as `with_idle_rules`.

    A type without rules says what it said.
    """

    def with_rules(side: Side) -> Side:
        said = rules[side.as_of]
        return replace(side, idle=any(one.is_idle for one in said)) if said else side

    return replace(found, before=with_rules(found.before), after=with_rules(found.after))


def unsized_evidence(
    resource: Resource,
    samples: ShardSamples,
    keys: Sequence[MetricKey],
    *,
    as_of: datetime,
    monthly_usd: float | None,
    price_date: date | None = None,
) -> Explanation:
    """Return the evidence for a resource that has no size to recommend: its metrics and price.

    `keys` are its series, that which tells its history first. What the rules of idleness say is
    told beside it, as of any type.
    """
    metrics = tuple(dict.fromkeys(key.metric for key in keys))
    exact = {key.metric: key.statistic for key in keys if key.statistic is not Statistic.AVERAGE}
    chosen = choose_series(samples, metrics)
    return Explanation(
        resource_arn=resource.arn,
        instance_type=resource.instance_type,
        as_of=as_of,
        window=samples.window,
        finding=RECOMMENDATION_NOT_FOUND.code,
        finding_reason_codes=(),
        binding_dimension=None,
        idle=None,
        history=history_of(chosen.series.get(metrics[0]), samples.window, metrics[0]),
        metrics=tuple(chosen_metrics(chosen, exact)),
        dimensions=(),
        price_date=price_date,
        current_monthly_usd=monthly_usd,
    )
