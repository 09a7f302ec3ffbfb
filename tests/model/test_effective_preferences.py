"""Which scope decides: laws over arbitrary statements, and the exceptions one by one."""

from dataclasses import fields, replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compute_optimizer.model.effective_preferences import (
    PreferenceLayers,
    by_effective_preferences,
    default_savings_mode,
    effective_preferences,
    longest_look_back,
)
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES, Preferences
from compute_optimizer.model.resource import Resource
from compute_optimizer.model.stated_preferences import (
    NOTHING_STATED,
    PreferredResource,
    StatedPreferences,
    UtilizationPreference,
)
from tests.stored_fleets import machine

ACCOUNT = "222222222222"

NO_LAYERS = PreferenceLayers()
GROUP = f"arn:aws:autoscaling:us-east-1:{ACCOUNT}:autoScalingGroup:1:autoScalingGroupName/web"
ALONE = machine(1, ACCOUNT)
MEMBER = replace(machine(2, ACCOUNT), auto_scaling_group_arn=GROUP)

SCOPES = ("groups", "instances", "account", "organization")
"""The narrowest first."""

CPU_P90 = UtilizationPreference("CpuUtilization", "P90", "PERCENT_0")
MEMORY_10 = UtilizationPreference("MemoryUtilization", None, "PERCENT_10")

VALUES: dict[str, list[Any]] = {
    "enhanced_infrastructure_metrics": ["Active", "Inactive"],
    "inferred_workload_types": ["Active", "Inactive"],
    "external_metrics_source": ["Datadog", "NewRelic"],
    "look_back_period": ["DAYS_14", "DAYS_32", "DAYS_93"],
    "utilization": [(CPU_P90,), (MEMORY_10,), (CPU_P90, MEMORY_10)],
    "preferred_resources": [
        (PreferredResource("Ec2InstanceTypes", ("m5",), ("m5.large",)),),
        (PreferredResource("Ec2InstanceTypes", (), ("t3",)),),
    ],
    "savings_estimation_mode": ["AfterDiscounts", "BeforeDiscounts"],
}
INDEPENDENT = sorted(set(VALUES) - {"enhanced_infrastructure_metrics", "look_back_period"})
"""The look-back period also looks at enhanced infrastructure metrics."""

SHOWN_AS = {
    "external_metrics_source": ("external_metrics_source",),
    "inferred_workload_types": ("inferred_workload_types",),
    "preferred_resources": ("include_types", "exclude_types"),
    "savings_estimation_mode": ("savings_estimation_mode",),
    "utilization": ("cpu_percentile", "cpu_headroom", "memory_headroom"),
}
"""Fields of the effective preferences that each of them decides."""

statements = st.builds(
    StatedPreferences, **{name: st.sampled_from([None, *some]) for name, some in VALUES.items()}
)
statements_by_scope = st.fixed_dictionaries(dict.fromkeys(SCOPES, statements))


def layered(stated: dict[str, StatedPreferences]) -> PreferenceLayers:
    """Return layers that hold for MEMBER at every scope and for ALONE at all but the group's."""
    return PreferenceLayers(
        organization=stated.get("organization", NOTHING_STATED),
        account=stated.get("account", NOTHING_STATED),
        resources=dict.fromkeys((ALONE.arn, MEMBER.arn), stated.get("instances", NOTHING_STATED)),
        groups={GROUP: stated.get("groups", NOTHING_STATED)},
    )


def in_force(layers: PreferenceLayers, resource: Resource = ALONE) -> Preferences:
    return effective_preferences(layers, resource.arn, resource.auto_scaling_group_arn)


def test_without_any_statement_the_defaults_are_in_force() -> None:
    assert in_force(NO_LAYERS) == in_force(NO_LAYERS, MEMBER) == DEFAULT_PREFERENCES


def test_every_preference_is_tried() -> None:
    assert set(VALUES) == {field.name for field in fields(StatedPreferences)}


@pytest.mark.parametrize("name", INDEPENDENT)
@settings(max_examples=20)  # Each tries every combination of the preference that is looked at.
@given(others=statements_by_scope)
def test_the_narrowest_scope_that_states_a_preference_decides_it_alone(
    name: str, others: dict[str, StatedPreferences]
) -> None:
    for values in product([None, *VALUES[name]], repeat=len(SCOPES)):
        stated = dict(zip(SCOPES, values, strict=True))
        whole = layered({one: _with(others[one], name, stated[one]) for one in SCOPES})
        # What is stated for a group does not reach an instance outside.
        for resource, scopes in ((MEMBER, SCOPES), (ALONE, SCOPES[1:])):
            value = next((stated[one] for one in scopes if stated[one] is not None), None)
            alone = PreferenceLayers(organization=_with(NOTHING_STATED, name, value))

            found, expected = in_force(whole, resource), in_force(alone, resource)

            for one in SHOWN_AS[name]:
                assert getattr(found, one) == getattr(expected, one)


def _with(stated: StatedPreferences, name: str, value: Any) -> StatedPreferences:
    changes: dict[str, Any] = {name: value}
    return replace(stated, **changes)


@given(stated=statements_by_scope)
def test_93_days_are_in_force_only_with_enhanced_infrastructure_metrics(
    stated: dict[str, StatedPreferences],
) -> None:
    found = in_force(layered(stated), MEMBER)

    periods = [stated[one].look_back_period for one in SCOPES]
    enhanced = next(
        (a for one in SCOPES if (a := stated[one].enhanced_infrastructure_metrics)), "Inactive"
    )
    assert found.enhanced_infrastructure_metrics == (enhanced == "Active")
    if enhanced == "Inactive":
        periods = [one for one in periods if one != "DAYS_93"]
    expected = next((one for one in periods if one), None)
    # Enhanced infrastructure metrics alone mean three months.
    default = 93 if enhanced == "Active" else 14
    assert found.lookback_days == (int(expected.removeprefix("DAYS_")) if expected else default)


@given(stated=statements_by_scope)
def test_groups_of_resources_are_what_each_resource_gets_by_itself(
    stated: dict[str, StatedPreferences],
) -> None:
    for scopes in (SCOPES, SCOPES[2:]):
        layers = layered({one: stated[one] for one in scopes})
        if scopes is not SCOPES:
            layers = replace(layers, resources={}, groups={})
        others = [machine(number, ACCOUNT) for number in (3, 4)]
        resources = [ALONE, MEMBER, *others]

        groups = by_effective_preferences(layers, resources)

        assert sorted(place for places in groups.values() for place in places) == [0, 1, 2, 3]
        for preferences, places in groups.items():
            assert {in_force(layers, resources[place]) for place in places} == {preferences}


@given(stated=statements_by_scope)
def test_no_resource_looks_back_longer_than_the_longest(
    stated: dict[str, StatedPreferences],
) -> None:
    layers = layered(stated)

    longest = longest_look_back([NO_LAYERS, layers])

    assert max(in_force(layers, one).lookback_days for one in (ALONE, MEMBER)) <= longest


def test_without_layers_the_longest_look_back_is_the_default() -> None:
    assert longest_look_back([]) == longest_look_back([NO_LAYERS]) == 14


def test_the_preference_of_a_group_comes_before_that_of_its_instance() -> None:
    layers = layered(
        {
            "groups": StatedPreferences(look_back_period="DAYS_32"),
            "instances": StatedPreferences(look_back_period="DAYS_14", utilization=(CPU_P90,)),
        }
    )

    assert in_force(layers, MEMBER).lookback_days == 32
    assert in_force(layers, ALONE).lookback_days == 14
    # What the group does not state is still the instance's.
    assert in_force(layers, MEMBER).cpu_percentile == 90


def test_utilization_preferences_are_one_preference() -> None:
    layers = layered(
        {
            "account": StatedPreferences(utilization=(CPU_P90,)),
            "organization": StatedPreferences(utilization=(MEMORY_10,)),
        }
    )

    found = in_force(layers)

    assert (found.cpu_percentile, found.cpu_headroom) == (90, 0)
    assert found.memory_headroom == DEFAULT_PREFERENCES.memory_headroom


def test_external_metrics_do_not_count_for_members_of_a_group() -> None:
    layers = layered({"account": StatedPreferences(external_metrics_source="Instana")})

    assert in_force(layers).external_metrics_source == "Instana"
    assert in_force(layers, MEMBER).external_metrics_source is None


def test_a_member_account_starts_before_discounts() -> None:
    assert default_savings_mode(is_member=True) == "BeforeDiscounts"
    assert default_savings_mode(is_member=False) == "AfterDiscounts"
    layers = PreferenceLayers(savings_estimation_mode="BeforeDiscounts")
    assert in_force(layers).savings_estimation_mode == "BeforeDiscounts"
