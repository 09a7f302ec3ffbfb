"""What becomes of a state while the clock is moved."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.emulator.running import emulator
from compute_optimizer.emulator.state import Account, ExportJob, Instance, Preferences
from compute_optimizer.errors import Conflict, InvalidInput
from tests.emulating import START, client_of


def instances_of(running: Emulator) -> dict[str, dict[str, Any]]:
    answer = client_of(running).get_ec2_instance_recommendations()
    return {one["instanceName"]: one for one in answer["instanceRecommendations"]}


def cpu_of(recommendation: dict[str, Any]) -> float:
    (found,) = (
        one["value"] for one in recommendation["utilizationMetrics"] if one["name"] == "CPU"
    )
    return float(found)


def test_analyzes_again_when_a_day_has_begun(still: Emulator) -> None:
    still.put(Instance("web"))
    assert instances_of(still)["web"]["lastRefreshTimestamp"] == START

    still.clock.advance(hours=2)
    assert instances_of(still)["web"]["lastRefreshTimestamp"] == START

    still.clock.advance(days=1)
    moved = START + timedelta(days=1, hours=2)
    assert instances_of(still)["web"]["lastRefreshTimestamp"] == moved


def test_the_look_back_slides_over_what_was_sent(still: Emulator) -> None:
    # Busy until today; from then on, it is put again every week with less to do.
    still.put(Instance("web", "m5.2xlarge", load="steady, 70 %", days=14))
    assert cpu_of(instances_of(still)["web"]) == pytest.approx(70)

    still.clock.advance(days=7)
    still.put(Instance("web", "m5.2xlarge", load="steady, 20 %", days=7))
    # The half of the busy weeks that is still looked at; their very highest sample need not be.
    assert 65 < cpu_of(instances_of(still)["web"]) <= 70

    # Two weeks after it was busy for the last time nothing of that is left in 14 days.
    still.clock.advance(days=7)
    still.put(Instance("web", "m5.2xlarge", load="steady, 20 %", days=7))
    assert cpu_of(instances_of(still)["web"]) == pytest.approx(20)


def test_a_resource_that_sends_no_more_loses_its_recommendation_for_a_reason(
    still: Emulator,
) -> None:
    old, _ = still.put(Instance("old"), Instance("new"))
    still.clock.advance(days=20)
    still.put(Instance("new", days=14))

    answer = client_of(still).get_ec2_instance_recommendations(instanceArns=[old])
    assert list(instances_of(still)) == ["new"]
    assert [one["identifier"] for one in answer["errors"]] == [old]


def test_recommendations_stand_where_nothing_at_all_was_sent(
    still: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    still.put(Instance("web"))
    with caplog.at_level(logging.WARNING):
        still.clock.advance(days=30)

    # As with the worker, whose analysis fails then.
    assert instances_of(still)["web"]["lastRefreshTimestamp"] == START
    assert "no sample lies in the look-back period" in caplog.text
    with pytest.raises(InvalidInput, match="no sample lies"):
        still.analyze()


def test_data_that_comes_before_the_opt_in_is_analyzed_on_the_next_day(still: Emulator) -> None:
    still.put(Account(still.account_id, "Inactive"), Instance("web"))
    with pytest.raises(Conflict):
        still.analyze()

    client_of(still).update_enrollment_status(status="Active")
    still.settle()
    assert instances_of(still) == {}

    still.clock.advance(days=1)
    assert list(instances_of(still)) == ["web"]


def test_nothing_is_analyzed_before_that_where_the_test_wants_it_so(still: Emulator) -> None:
    still.put(Instance("web"), analyze=False)
    assert instances_of(still) == {}

    still.analyze()
    assert list(instances_of(still)) == ["web"]


def test_preferences_are_put_by_the_service_and_decide_the_analysis(still: Emulator) -> None:
    still.put(
        Preferences("Ec2Instance", {"lookBackPeriod": "DAYS_32"}),
        Instance("web", "m5.2xlarge", days=32),
    )

    assert instances_of(still)["web"]["lookBackPeriodInDays"] == 32
    details = client_of(still).get_recommendation_preferences(resourceType="Ec2Instance")
    (stated,) = details["recommendationPreferencesDetails"]
    assert stated["scope"] == {"name": "AccountId", "value": still.account_id}
    assert stated["lookBackPeriod"] == "DAYS_32"


def jobs_of(running: Emulator) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client_of(running).describe_recommendation_export_jobs()[
        "recommendationExportJobs"
    ]
    return found


def test_export_jobs_are_in_the_state_that_is_stated(still: Emulator) -> None:
    still.put(
        ExportJob("EbsVolume", "Queued", job_id="queued"),
        ExportJob("Ec2Instance", "InProgress", days_ago=1, bucket="reports", prefix="co"),
        ExportJob("LambdaFunction", "Failed", failure_reason="No such bucket.", days_ago=2),
        ExportJob("License", days_ago=3),
    )

    told = [
        (one["resourceType"], one["status"], one.get("failureReason")) for one in jobs_of(still)
    ]
    # The newest first.
    assert told == [
        ("EbsVolume", "Queued", None),
        ("Ec2Instance", "InProgress", None),
        ("LambdaFunction", "Failed", "No such bucket."),
        ("License", "Complete", None),
    ]
    place = jobs_of(still)[1]["destination"]["s3"]
    assert place["bucket"] == "reports"
    assert place["key"].startswith(
        "co/compute-optimizer/123456789012/us-east-1-2026-03-14T102000Z-"
    )


def test_a_job_in_progress_stands_in_the_way_of_another(still: Emulator) -> None:
    still.put(ExportJob("Ec2Instance", "InProgress"))

    client = client_of(still)
    with pytest.raises(client.exceptions.LimitExceededException):
        client.export_ec2_instance_recommendations(s3DestinationConfig={"bucket": "reports"})


def test_a_queued_job_is_written_and_jobs_expire_after_seven_days(still: Emulator) -> None:
    still.put(Instance("web"), ExportJob("Ec2Instance", "Queued"), ExportJob("License"))
    still.clock.advance(seconds=1)
    assert [one["status"] for one in jobs_of(still)] == ["Complete", "Complete"]

    still.clock.set(START + timedelta(days=7))
    assert len(jobs_of(still)) == 2
    still.clock.advance(seconds=1)
    assert jobs_of(still) == []


def test_page_tokens_expire_after_a_day(still: Emulator) -> None:
    still.put(Instance("web", count=2))
    client = client_of(still)
    token = client.get_ec2_instance_recommendations(maxResults=1)["nextToken"]
    still.clock.advance(days=1)

    with pytest.raises(client.exceptions.InvalidParameterValueException, match="expired"):
        client.get_ec2_instance_recommendations(maxResults=1, nextToken=token)


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (Preferences("Ec2Instance", {"lookBackPeriod": "DAYS_99"}), "lookBackPeriod: expected one"),
        (Preferences("Ec2Instance", {}), "states no preference"),
        (ExportJob("Ec2"), "resource_type is 'Ec2'; expected one of AutoScalingGroup"),
        (ExportJob(failure_reason="why"), "Complete has no failure_reason"),
    ],
)
def test_refuses_preferences_and_jobs_that_cannot_be(
    still: Emulator, record: Preferences | ExportJob, problem: str
) -> None:
    with pytest.raises(InvalidInput, match=problem):
        still.put(record)


def test_starts_with_a_state() -> None:
    with emulator(
        clock=START, frozen=True, state=[Instance("web"), Account("222222222222")]
    ) as one:
        assert list(instances_of(one)) == ["web"]
        assert client_of(one, "222222222222").get_enrollment_status()["status"] == "Active"
