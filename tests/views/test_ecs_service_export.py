"""A row of an export of ECS services."""

from datetime import timedelta

import pytest

from compute_optimizer.model.ecs_service import Container
from tests.exporting import exported_row
from tests.records import NOW
from tests.services import service_arn, service_recommendation

CURRENT, FIRST = "currentServiceContainerConfiguration_", "recommendationOptions_1_"


def test_a_service_is_a_row_of_its_sizes_its_containers_and_its_option() -> None:
    row = exported_row("EcsService", service_recommendation())

    assert (row["serviceArn"], row["launchType"]) == (service_arn("api"), "Fargate")
    assert row["currentServiceConfiguration_autoScalingConfiguration"] == "TargetTrackingScalingCpu"
    assert row["currentServiceConfiguration_taskDefinitionArn"].endswith("/api:7")
    assert row["currentServiceConfiguration_memory"] == 3072
    assert row["currentServiceConfiguration_cpu"] == 1024
    members = ("containerName", "memory", "memoryReservation", "cpu")
    assert [row[f"{CURRENT}1_{name}"] for name in members] == ["api", 3072, 2048, 1024]
    assert (row["utilizationMetrics_CPU_MAXIMUM"], row["finding"]) == (9.0, "Overprovisioned")
    assert row["findingReasonCodes_isMemoryOverprovisioned"] is True
    assert row["findingReasonCodes_isMemoryUnderprovisioned"] is False
    assert (row[f"{FIRST}memory"], row[f"{FIRST}cpu"]) == (512, 256)
    recommended = ("Name", "Memory", "MemoryReservation", "Cpu")
    assert [row[f"{FIRST}container{name}_1"] for name in recommended] == ["api", 512, 341, 256]
    projected = f"{FIRST}projectedUtilizationMetrics_"
    assert row[f"{projected}CPU_MAXIMUM_lowerBoundValue"] == 32.4
    assert row[f"{projected}MEMORY_MAXIMUM_upperBoundValue"] == 72.6
    assert row[f"{FIRST}estimatedMonthlySavings_value"] == 30.275
    assert row[f"{FIRST}estimatedMonthlySavingsAfterDiscounts_value"] == 30.275
    assert row["effectiveRecommendationPreferencesSavingsEstimationModeSource"] == "PublicPricing"


def test_moments_have_a_fraction() -> None:
    one = service_recommendation(last_refresh=NOW + timedelta(milliseconds=7))

    row = exported_row("EcsService", one)

    assert row["lastRefreshTimestamp_UTC"] == "2026-03-15T06:30:00.007Z"


@pytest.mark.parametrize(("containers", "told"), [(1, 1), (10, 10), (11, 10)])
def test_a_row_has_room_for_ten_containers(containers: int, told: int) -> None:
    many = tuple(Container(f"c{n}", cpu=n) for n in range(1, containers + 1))

    row = exported_row("EcsService", service_recommendation(containers=many))

    names = [name for name in row if name.startswith(CURRENT) and name.endswith("_containerName")]
    assert len(names) == told
    assert row[f"{CURRENT}{told}_cpu"] == told


def test_a_service_that_stays_as_it_is_has_no_option() -> None:
    row = exported_row("EcsService", service_recommendation(options=()))

    assert row["recommendations_count"] == 0
    assert not any(name.startswith(FIRST) for name in row)
