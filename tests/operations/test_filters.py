"""AND across filters, OR inside one; the spellings that are accepted, and no others."""

from typing import Any, get_args

import pytest

from compute_optimizer.model.facets import Facets, names_of
from compute_optimizer.operations.filters import (
    DATABASE_FILTERS,
    EC2_FILTERS,
    LICENSE_FILTERS,
    FilterRule,
    selection,
)
from compute_optimizer.resources.licenses.reading import LICENSE_NAME
from compute_optimizer.resources.rds.reading import (
    IDLE,
    INSTANCE_FINDING,
    STORAGE_CODES,
    STORAGE_FINDING,
)
from compute_optimizer.shapes import FilterName, InvalidParameterValueException

WEB = Facets(
    finding="Overprovisioned",
    reason_codes=("CPUOverprovisioned", "MemoryOverprovisioned"),
    source_type="Ec2Instance",
    workload_types=("Nginx", "Redis"),
    tags={"team": "web", "stage": "prod"},
)
BARE = Facets("Optimized", (), "AutoScalingGroup", (), {})


def matches(facets: Facets, *filters: dict[str, Any]) -> bool:
    match = selection(list(filters), EC2_FILTERS).matches  # type: ignore[arg-type] # plain dicts
    assert match is not None
    return match(facets)


def named(name: str, *values: str) -> dict[str, Any]:
    return {"name": name, "values": list(values)}


def test_no_filter_selects_everything() -> None:
    assert selection([], EC2_FILTERS).findings is None
    assert selection([], EC2_FILTERS).matches is None


def test_the_filters_are_those_of_the_service_model() -> None:
    assert set(EC2_FILTERS) == set(get_args(FilterName))


@pytest.mark.parametrize(
    ("value", "finding"),
    [
        ("Overprovisioned", "Overprovisioned"),
        ("OVER_PROVISIONED", "Overprovisioned"),
        ("Underprovisioned", "Underprovisioned"),
        ("UNDER_PROVISIONED", "Underprovisioned"),
        ("Optimized", "Optimized"),
        ("OPTIMIZED", "Optimized"),
    ],
)
def test_findings_are_accepted_in_both_documented_spellings(value: str, finding: str) -> None:
    filters: Any = [named("Finding", value)]
    assert selection(filters, EC2_FILTERS).findings == frozenset({finding})


def test_values_of_one_filter_are_alternatives_and_filters_are_conditions() -> None:
    both: Any = [named("Finding", "Optimized", "OVER_PROVISIONED")]
    assert selection(both, EC2_FILTERS).findings == frozenset({"Optimized", "Overprovisioned"})
    contradiction: Any = [named("Finding", "Optimized"), named("Finding", "Overprovisioned")]
    assert selection(contradiction, EC2_FILTERS).findings == frozenset()
    nginx, kafka = named("InferredWorkloadTypes", "Nginx"), named("InferredWorkloadTypes", "Kafka")
    assert matches(WEB, named("InferredWorkloadTypes", "Kafka", "Nginx"))
    assert not matches(WEB, nginx, kafka)


@pytest.mark.parametrize(
    ("one", "web", "bare"),
    [
        (named("FindingReasonCodes", "MemoryOverprovisioned"), True, False),
        (named("FindingReasonCodes", "CPUUnderprovisioned"), False, False),
        (named("RecommendationSourceType", "Ec2Instance"), True, False),
        (named("RecommendationSourceType", "AutoScalingGroup"), False, True),
        (named("InferredWorkloadTypes", "Redis"), True, False),
        (named("tag:team", "web"), True, False),
        (named("tag:team", "data", "web"), True, False),
        (named("tag:team", "Web"), False, False),
        (named("tag:Team", "web"), False, False),
        (named("tag-key", "stage"), True, False),
        (named("tag-key", "owner"), False, False),
        (named("tag-key", ""), False, True),
        (named("tag-key", "", "stage"), True, True),
    ],
)
def test_each_filter_looks_at_its_own_facet(one: dict[str, Any], web: bool, bare: bool) -> None:
    assert (matches(WEB, one), matches(BARE, one)) == (web, bare)


@pytest.mark.parametrize(
    ("one", "complaint"),
    [
        (named("Finding", "overprovisioned"), "'overprovisioned' of the filter Finding"),
        (named("Finding", "NotOptimized"), "'NotOptimized' of the filter Finding"),
        (named("Finding", "Optimized", "OVERPROVISIONED"), "'OVERPROVISIONED' of the filter"),
        (named("RecommendationSourceType", "EC2Instance"), "filter RecommendationSourceType"),
        (named("RecommendationSourceType", "EbsVolume"), "filter RecommendationSourceType"),
        (named("FindingReasonCodes", "CpuOverprovisioned"), "filter FindingReasonCodes"),
        (named("InferredWorkloadTypes", "nginx"), "filter InferredWorkloadTypes"),
        (named("finding", "Optimized"), "filter name 'finding'"),
        (named("tag:", "x"), "filter name 'tag:'"),
        (named("Tag-Key", "x"), "filter name 'Tag-Key'"),
        (named("Finding"), "filter 'Finding' has no values"),
        ({"name": "Finding"}, "filter 'Finding' has no values"),
        ({"values": ["Optimized"]}, "A filter has no name; expected one of Finding, .*tag-key"),
        ({}, "A filter has no name"),
    ],
)
def test_anything_else_is_refused_by_the_name_of_the_filter(
    one: dict[str, Any], complaint: str
) -> None:
    filters: Any = [one]
    with pytest.raises(InvalidParameterValueException, match=complaint):
        selection(filters, EC2_FILTERS)


DATABASE = Facets(
    "NotOptimized",
    ("CPUUnderprovisioned",),
    "",
    (),
    {"team": "web", "empty": ""},
    {
        INSTANCE_FINDING: ("Underprovisioned",),
        STORAGE_FINDING: ("NotOptimized",),
        STORAGE_CODES: ("EBSVolumeAllocatedStorageUnderprovisioned",),
        IDLE: ("False",),
    },
)
LICENSE = Facets(
    "NotOptimized", ("LicenseOverprovisioned",), "", (), {}, {LICENSE_NAME: ("SQLServer",)}
)


@pytest.mark.parametrize(
    ("facets", "rules"),
    [
        (WEB, EC2_FILTERS),
        (BARE, EC2_FILTERS),
        (DATABASE, DATABASE_FILTERS),
        (LICENSE, LICENSE_FILTERS),
    ],
)
def test_whoever_matches_a_filter_has_a_facet_by_the_name_that_is_looked_up(
    facets: Facets, rules: dict[str, FilterRule]
) -> None:
    asked = [(name, value) for name, rule in rules.items() for value in rule.accepted]
    asked += [("tag:team", "web"), ("tag:team", "data"), ("tag:empty", ""), ("tag-key", "team")]
    # The store keeps the finding in a column of its own.
    asked = [(name, value) for name, value in asked if name != "Finding"]
    matching = 0
    for name, value in asked:
        chosen = selection([named(name, value)], rules)  # type: ignore[list-item] # plain dicts
        assert chosen.matches is not None
        (names,) = chosen.named
        if chosen.matches(facets):
            matching += 1
            assert not names.isdisjoint(names_of(facets)), name
    assert 0 < matching < len(asked)


def test_whoever_has_a_finding_has_a_facet_by_the_name_that_is_looked_up() -> None:
    facets = Facets("Optimized", (), "Ec2Instance", (), {})
    for value in ("Optimized", "OPTIMIZED", "Overprovisioned"):
        asked = [named("Finding", value), named("tag-key", "team")]
        chosen = selection(asked, EC2_FILTERS)  # type: ignore[arg-type] # plain dicts
        _, names = chosen.named
        assert names.isdisjoint(names_of(facets)) is (value == "Overprovisioned")


def test_resources_without_any_tag_are_looked_up_by_no_facet() -> None:
    chosen = selection([named("tag-key", "team", "")], EC2_FILTERS)  # type: ignore[list-item] # plain dicts
    assert chosen.named == ()
