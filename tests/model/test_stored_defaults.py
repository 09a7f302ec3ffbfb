"""What stored records leave out stands for what earlier releases meant: it never changes."""

import pickle
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

import msgspec

from compute_optimizer.model.metrics import Statistic
from compute_optimizer.model.preferences import PUBLISHED, Preferences, with_shared_defaults
from compute_optimizer.model.recommendation import IdleRecommendation, UtilizationMetric
from compute_optimizer.resources import RESOURCE_TYPES
from tests.records import recommendation

RATES = {"after_discounts": None}
LEFT_BEHIND = {**RATES, "stranded_monthly_usd": None}
OPTION = {"hourly_usd": None, "violation_risk": None, **LEFT_BEHIND}
DECIDED = {
    "inferred_workload_types": (),
    "evidence": None,
    "other": None,
    "current_hourly_usd": None,
    "discounts": None,
}

DEFAULTS: dict[str, dict[str, Any]] = {
    "AutoScalingGroupRecommendation": DECIDED,
    "ClassOption": LEFT_BEHIND,
    "DatabaseRecommendation": {
        "multi_az": None,
        "writer": None,
        "cluster_costs": None,
        "discounts": None,
    },
    "EbsVolumeRecommendation": {"discounts": None},
    "Ec2InstanceRecommendation": {
        **DECIDED,
        "auto_scaling_group_arn": None,
        "follows_group": False,
    },
    "EcsServiceRecommendation": {"discounts": None},
    "Evidence": {"profile": PUBLISHED, "published_because": None},
    "GroupOption": {**OPTION, "hour_reduction": None},
    "IdleRecommendation": RATES,
    "LambdaFunctionRecommendation": {"timeout_seconds": None, "discounts": None},
    "LicenseRecommendation": {},
    "MemorySizeOption": {"monthly_low_usd": None, "monthly_high_usd": None, **RATES},
    "Preferences": {
        "cpu_percentile": 99.5,
        "cpu_headroom": 0.2,
        "memory_headroom": 0.2,
        "other_headroom": 0.2,
        "lookback_days": 14,
        "enhanced_infrastructure_metrics": False,
        "inferred_workload_types": True,
        "external_metrics_source": None,
        "include_types": (),
        "exclude_types": (),
        "savings_estimation_mode": "AfterDiscounts",
        "profile": PUBLISHED,
        "risk_cap": 0.2,
        "incident_usd": None,
    },
    "RecommendationOption": OPTION,
    "StorageOption": {"cost_variation": None, "cluster_costs": None},
    "TaskSizeOption": RATES,
    "UtilizationMetric": {"source_statistic": "Maximum", "dimensions": ()},
    "VolumeOption": RATES,
}


def test_no_default_that_is_left_out_has_changed() -> None:
    roots = [IdleRecommendation, *(kind.recommendation for kind in RESOURCE_TYPES)]
    found = {one for root in roots for one in _records_in(root)}
    short = {one for one in found if getattr(one, "__struct_config__").omit_defaults}  # noqa: B009

    assert {one.__name__: _defaults_of(one) for one in short} == DEFAULTS


def test_a_body_leaves_out_what_has_its_default_and_reads_the_same() -> None:
    one = recommendation(1)
    body = msgspec.json.encode(one)
    whole = {**msgspec.json.decode(body), "follows_group": False, "discounts": None}

    assert whole.keys() - msgspec.json.decode(body).keys() == {"follows_group", "discounts"}
    assert msgspec.convert(whole, type(one)) == one == msgspec.json.decode(body, type=type(one))


def test_what_a_metric_usually_is_goes_without_saying() -> None:
    usual = UtilizationMetric("Cpu", 1.0, Statistic.MAXIMUM.value)
    other = UtilizationMetric("Cpu", 1.0, Statistic.AVERAGE.value)

    assert msgspec.json.encode(usual) == b'{"name":"Cpu","value":1.0}'
    assert msgspec.json.encode(other) == b'{"name":"Cpu","value":1.0,"source_statistic":"Average"}'


def test_preferences_are_stored_alike_in_a_process_that_was_sent_them() -> None:
    own = Preferences(include_types=("c5",), risk_cap=0.1)
    sent = pickle.loads(pickle.dumps(own))

    # Equal, but its numbers are copies, which are not left out.
    assert sent == own
    assert msgspec.json.encode(sent) != msgspec.json.encode(own)
    shared = with_shared_defaults(sent)
    assert shared == own
    assert msgspec.json.encode(shared) == b'{"include_types":["c5"],"risk_cap":0.1}'


def _records_in(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """Yield the structs that lie in a type, the type itself among them."""
    for inner in get_args(kind):
        yield from _records_in(inner)
    if not isinstance(kind, type):
        return
    is_struct = issubclass(kind, msgspec.Struct)
    if is_struct:
        yield kind
    if is_struct or is_dataclass(kind):
        for hint in get_type_hints(kind).values():
            yield from _records_in(hint)


def _defaults_of(record: type[msgspec.Struct]) -> dict[str, Any]:
    fields = msgspec.structs.fields(record)
    return {one.name: one.default for one in fields if not one.required}
