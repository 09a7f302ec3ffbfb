"""Recommendation summaries in the spelling of the wire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from compute_optimizer.model.recommendation import Finding, PerformanceRisk, Savings
from compute_optimizer.model.resource import (
    AURORA_STORAGE,
    AUTO_SCALING_GROUP,
    EC2_INSTANCE,
    RDS_DB_INSTANCE,
    RDS_STORAGE,
)
from compute_optimizer.model.tally import Tally, Topic
from compute_optimizer.shapes import (
    CurrentPerformanceRiskRatings,
    InferredWorkloadSaving,
    RecommendationSummary,
    SavingsOpportunity,
    Summary,
)
from compute_optimizer.views.ec2_instance import MODEL_SPELLING, spelling_of
from compute_optimizer.views.savings import savings_opportunity

TOP_WORKLOADS = 5
"""Combinations of workload types that are told (spec 10)."""

TWO = (Finding.OPTIMIZED, Finding.NOT_OPTIMIZED)
THREE = (Finding.OPTIMIZED, Finding.UNDER_PROVISIONED, Finding.OVER_PROVISIONED)

REASONS = ("MemoryOverprovisioned", "MemoryUnderprovisioned")
"""Enum FindingReasonCode: those of Lambda functions (spec 10)."""

RATINGS = {
    PerformanceRisk.HIGH: "high",
    PerformanceRisk.MEDIUM: "medium",
    PerformanceRisk.LOW: "low",
    PerformanceRisk.VERY_LOW: "veryLow",
}


@dataclass(frozen=True, slots=True)
class SummaryParts:
    """What the summary of one resource type tells."""

    findings: tuple[str, ...] = ()
    """In their order on the wire; empty for types that are only looked at for idleness."""
    idle: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    wire_cased: bool = False
    """Whether its findings are spelled OVER_PROVISIONED (spec 3.2)."""


IDLE = (Finding.IDLE,)

SUMMARY_PARTS: Mapping[str, SummaryParts] = {
    EC2_INSTANCE: SummaryParts(THREE, IDLE, wire_cased=True),
    AUTO_SCALING_GROUP: SummaryParts(TWO, IDLE, wire_cased=True),
    "EbsVolume": SummaryParts(TWO, (Finding.IDLE, Finding.UNATTACHED)),
    "LambdaFunction": SummaryParts(TWO, reasons=REASONS),
    "EcsService": SummaryParts(THREE, IDLE),
    # The service's enum Finding has no member for the last one, but licenses have it (spec 10).
    "License": SummaryParts((*TWO, Finding.INSUFFICIENT_METRICS)),
    RDS_DB_INSTANCE: SummaryParts((*THREE, Finding.NOT_OPTIMIZED), IDLE),
    RDS_STORAGE: SummaryParts((*THREE, Finding.NOT_OPTIMIZED)),
    AURORA_STORAGE: SummaryParts(TWO),
    "NatGateway": SummaryParts(idle=(Finding.UNUSED,)),
    "DynamoDBTable": SummaryParts(idle=IDLE),
    "ElastiCacheCluster": SummaryParts(idle=IDLE),
    "MemoryDBCluster": SummaryParts(idle=IDLE),
    "DocumentDBCluster": SummaryParts(idle=IDLE),
    "WorkSpaces": SummaryParts(idle=IDLE),
    "SageMakerEndpoint": SummaryParts(idle=IDLE),
}
"""By enum RecommendationSourceType, in its order."""

PARTS = (RDS_DB_INSTANCE, RDS_STORAGE, AURORA_STORAGE)
"""Entries of which each counts a part of databases: spec 10 has them apart."""

PART_TOPICS = {Topic.PART: Topic.FINDING, Topic.PART_TOGETHER: Topic.TOGETHER}
"""What is counted of parts, and what that is in the entry of one of them."""


def tallies_of(name: str, counted: Mapping[str, Sequence[Tally]]) -> Sequence[Tally]:
    """Return the counts that an entry tells, from those of all types."""
    if name not in PARTS:
        return counted.get(name, ())
    whole = counted.get(RDS_DB_INSTANCE, ())
    own = [_of_part(one) for one in whole if one.topic in PART_TOPICS and _part(one) == name]
    if name != RDS_DB_INSTANCE:
        return own
    # A run that an earlier version wrote has no parts.
    replaced = set(PART_TOPICS.values()) if own else set()
    return [one for one in whole if one.topic not in {*PART_TOPICS, *replaced}] + own


def _part(one: Tally) -> str:
    return one.name.split(" ")[0]


def _of_part(one: Tally) -> Tally:
    """Return a count of a part as it stands in the entry of the part."""
    return replace(one, topic=PART_TOPICS[one.topic], name=one.name.partition(" ")[2])


def recommendation_summary(
    resource_type: str,
    account_id: str,
    region: str,
    tallies: Sequence[Tally],
    enum_style: str = "wire",
) -> RecommendationSummary:
    """Return the summary of one resource type of an account; without resources it is all zeros."""
    parts, counts = SUMMARY_PARTS[resource_type], {(one.topic, one.name): one for one in tallies}
    spelling = spelling_of(enum_style) if parts.wire_cased else MODEL_SPELLING
    found: RecommendationSummary = {
        "summaries": [_summary(name, parts, counts, spelling) for name in parts.findings],
        "idleSummaries": [
            {"name": cast(Any, str(name)), "value": _count(counts, Topic.IDLE, name)}
            for name in parts.idle
        ],
        "recommendationResourceType": cast(Any, resource_type),
        "accountId": account_id,
        "savingsOpportunity": _savings(tallies, Topic.FINDING, region),
        "idleSavingsOpportunity": _savings(tallies, Topic.IDLE, region),
        "aggregatedSavingsOpportunity": _savings(tallies, Topic.TOGETHER, region),
        "currentPerformanceRiskRatings": _ratings(counts),
        "inferredWorkloadSavings": _workloads(tallies, region),
    }
    return found


_Counts = Mapping[tuple[Topic, str], Tally]


def _summary(
    name: str, parts: SummaryParts, counts: _Counts, spelling: Mapping[str, str]
) -> Summary:
    found: Summary = {
        "name": cast(Any, spelling.get(name, str(name))),
        "value": _count(counts, Topic.FINDING, name),
    }
    if parts.reasons:
        found["reasonCodeSummaries"] = [
            {"name": cast(Any, code), "value": _count(counts, Topic.REASON, f"{name} {code}")}
            for code in parts.reasons
        ]
    return found


def _count(counts: _Counts, topic: Topic, name: str) -> float:
    one = counts.get((topic, str(name)))
    return float(one.resources) if one else 0.0


def _savings(tallies: Sequence[Tally], topic: Topic, region: str) -> SavingsOpportunity:
    """Return the savings, with their share of what all analyzed resources of the type cost."""
    saved = sum(one.monthly_savings_usd for one in tallies if one.topic is topic)
    cost = sum(one.monthly_usd for one in tallies if one.topic is Topic.TOGETHER)
    return savings_opportunity(Savings(saved / cost * 100 if cost else 0.0, saved), region)


def _ratings(counts: _Counts) -> CurrentPerformanceRiskRatings:
    found = {name: int(_count(counts, Topic.RISK, risk)) for risk, name in RATINGS.items()}
    return cast(CurrentPerformanceRiskRatings, found)


def _workloads(tallies: Sequence[Tally], region: str) -> list[InferredWorkloadSaving]:
    """Return the combinations of workload types that save the most."""
    known = [one for one in tallies if one.topic is Topic.WORKLOADS and one.monthly_savings_usd]
    first = sorted(known, key=lambda one: (-one.monthly_savings_usd, one.name))[:TOP_WORKLOADS]
    return [
        {
            "inferredWorkloadTypes": cast(Any, one.name.split(" ")),
            "estimatedMonthlySavings": savings_opportunity(
                Savings(0.0, one.monthly_savings_usd), region
            )["estimatedMonthlySavings"],
        }
        for one in first
    ]
