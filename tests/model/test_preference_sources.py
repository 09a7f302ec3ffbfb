"""Who decides each preference: the narrowest scope that states it."""

from compute_optimizer.model.effective_preferences import PreferenceLayers, effective_preferences
from compute_optimizer.model.preference_sources import Source, sources_of
from compute_optimizer.model.stated_preferences import (
    ACTIVE,
    CPU_UTILIZATION,
    DAYS_93,
    MEMORY_UTILIZATION,
    StatedPreferences,
    UtilizationPreference,
)

ARN, GROUP = "arn:one", "arn:group"


def test_every_field_that_the_service_knows_has_a_source() -> None:
    found = sources_of(PreferenceLayers())

    known = set(effective_preferences(PreferenceLayers(), "").__struct_fields__)
    # These are no preferences of the service.
    assert set(found) == known - {"other_headroom", "profile", "risk_cap", "incident_usd"}
    assert set(found.values()) == {Source.DEFAULT}


def test_the_narrowest_scope_that_states_a_preference_decides_it() -> None:
    layers = PreferenceLayers(
        organization=StatedPreferences(
            look_back_period="DAYS_32", inferred_workload_types="Inactive"
        ),
        account=StatedPreferences(look_back_period="DAYS_14"),
        resources={ARN: StatedPreferences(savings_estimation_mode="BeforeDiscounts")},
        groups={GROUP: StatedPreferences(look_back_period="DAYS_32")},
    )

    of_account, of_one = sources_of(layers), sources_of(layers, ARN)
    assert of_account["lookback_days"] is Source.ACCOUNT
    assert of_account["inferred_workload_types"] is Source.ORGANIZATION
    assert of_account["savings_estimation_mode"] is Source.DEFAULT
    assert of_one["savings_estimation_mode"] is Source.RESOURCE
    assert sources_of(layers, ARN, GROUP)["lookback_days"] is Source.GROUP


def test_thresholds_and_headrooms_are_decided_together() -> None:
    """An account that states CPU alone does not take the memory headroom from elsewhere."""
    memory = (UtilizationPreference(MEMORY_UTILIZATION, headroom="PERCENT_30"),)
    cpu = (UtilizationPreference(CPU_UTILIZATION, threshold="P90"),)
    layers = PreferenceLayers(
        organization=StatedPreferences(utilization=memory),
        account=StatedPreferences(utilization=cpu),
    )

    found, in_force = sources_of(layers), effective_preferences(layers, "")
    assert (found["cpu_percentile"], in_force.cpu_percentile) == (Source.ACCOUNT, 90)
    assert (found["cpu_headroom"], in_force.cpu_headroom) == (Source.DEFAULT, 0.2)
    assert (found["memory_headroom"], in_force.memory_headroom) == (Source.DEFAULT, 0.2)


def test_93_days_without_enhanced_metrics_are_passed_over() -> None:
    asked = StatedPreferences(look_back_period=DAYS_93)
    layers = PreferenceLayers(
        organization=StatedPreferences(look_back_period="DAYS_32"), account=asked
    )

    assert sources_of(layers)["lookback_days"] is Source.ORGANIZATION
    assert effective_preferences(layers, "").lookback_days == 32


def test_enhanced_metrics_alone_mean_93_days() -> None:
    active = StatedPreferences(enhanced_infrastructure_metrics=ACTIVE)
    layers = PreferenceLayers(organization=active)

    assert sources_of(layers)["lookback_days"] is Source.ORGANIZATION
    assert effective_preferences(layers, "").lookback_days == 93


def test_external_metrics_do_not_reach_the_members_of_a_group() -> None:
    layers = PreferenceLayers(account=StatedPreferences(external_metrics_source="Datadog"))

    assert sources_of(layers, ARN)["external_metrics_source"] is Source.ACCOUNT
    assert sources_of(layers, ARN, GROUP)["external_metrics_source"] is Source.DEFAULT
