"""What the rules of idleness say of one resource, and the figures beside their limits."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from compute_optimizer.engine.evidence import ONLY
from compute_optimizer.engine.explanation import Explanation, IdleEvidence
from compute_optimizer.engine.idle import limit_evidence
from compute_optimizer.engine.usage import choose_series
from compute_optimizer.model.metrics import ShardSamples
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
    chosen = choose_series(samples, metrics)
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
    """Return an explanation with what the rules say.

    `says_all`: of resources of this type nothing else is said, so the finding is theirs.
    """
    found = [one.finding for one in rules if one.is_idle]
    if says_all:
        finding = found[0] if found else told.finding
        return replace(told, idle_rules=tuple(rules), finding=finding, idle=bool(found))
    return replace(told, idle_rules=tuple(rules))
