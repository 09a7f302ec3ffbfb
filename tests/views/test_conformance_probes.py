"""What a conformance run asks for."""

from datetime import UTC, datetime

import pytest

from compute_optimizer.model.conformance import Probe
from compute_optimizer.operations import OPERATIONS
from compute_optimizer.views.conformance_probes import NONSENSE, probes, reading_operations

NOW = datetime(2026, 3, 15, tzinfo=UTC)
CHANGING = ("Put", "Delete", "Update", "Export")


def named(operation: str) -> dict[str, Probe]:
    found = probes(operation, NOW)
    assert len({one.name for one in found}) == len(found)
    return {one.name: one for one in found}


def test_every_operation_either_reads_or_is_never_asked() -> None:
    others = set(OPERATIONS) - set(reading_operations())

    assert set(reading_operations()) < set(OPERATIONS)
    assert all(name.startswith(CHANGING) for name in others)


@pytest.mark.parametrize("operation", reading_operations())
def test_first_request_is_the_plainest_and_names_are_unique(operation: str) -> None:
    assert next(iter(named(operation))) == "plain"


def test_filters_and_enums_have_every_name_and_a_nonsense_value() -> None:
    found = named("GetIdleRecommendations")

    assert found["filter ResourceType=EBSVolume"].members == {
        "filters": [{"name": "ResourceType", "values": ["EBSVolume"]}]
    }
    assert found[f"filter Finding={NONSENSE}"].nonsense
    assert found["orderBy.order=Desc"].members == {"orderBy": {"order": "Desc"}}
    assert found[f"orderBy.order={NONSENSE}"].nonsense
    assert found["another account"].members == {"accountIds": ["111122223333"]}


def test_operations_about_one_resource_ask_about_one_of_each_side() -> None:
    found = named("GetEC2RecommendationProjectedMetrics")

    assert found["plain"].own == found["stat=Average"].own == "instanceArn"
    # Nothing that exists is needed to see that a value or a resource is refused.
    assert found[f"stat={NONSENSE}"].own == found["unknown instanceArn"].own == ""
