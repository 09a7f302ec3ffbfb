"""DescribeRecommendationExportJobs: which jobs are told, and in what order."""

from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.operations import OPERATIONS
from compute_optimizer.shapes import (
    InvalidParameterValueException,
    OptInRequiredException,
    ResourceNotFoundException,
)
from tests.enrolling import ALPHA, MANAGEMENT, STRANGER, Desk
from tests.exporting import ExportDesk, export_desk


@pytest.fixture
def exports(enrolled: Desk, tmp_path: Path) -> ExportDesk:
    """An organization of which every account is Active, exporting to a folder."""
    return export_desk(enrolled, tmp_path)


def describe(exports: ExportDesk, account: str = MANAGEMENT, **request: Any) -> dict[str, Any]:
    return exports.desk.call("DescribeRecommendationExportJobs", account, **request)


def ids(answer: dict[str, Any]) -> list[str]:
    return [one["jobId"] for one in answer["recommendationExportJobs"]]


@pytest.fixture
def three(exports: ExportDesk) -> list[str]:
    """Jobs of three minutes, two of them done: the newest first."""
    found = []
    for kind in ("EBSVolume", "EC2Instance"):
        found.append(exports.ask(kind=kind)["jobId"])
        exports.run()
        exports.desk.clock.tick(minutes=1)
    found.append(exports.ask()["jobId"])
    return found[::-1]


def test_the_newest_job_comes_first(exports: ExportDesk, three: list[str]) -> None:
    answer = describe(exports)

    assert ids(answer) == three
    assert "nextToken" not in answer


def test_each_account_and_region_has_its_own_jobs(exports: ExportDesk, three: list[str]) -> None:
    far = exports.desk.context(MANAGEMENT, "eu-west-1")

    assert ids(describe(exports, ALPHA)) == []
    assert ids(OPERATIONS["DescribeRecommendationExportJobs"](far, {})) == []
    with pytest.raises(ResourceNotFoundException, match=three[0]):
        describe(exports, ALPHA, jobIds=[three[0]])


def test_pages_put_together_are_the_whole_list(exports: ExportDesk, three: list[str]) -> None:
    first = describe(exports, maxResults=2)
    second = describe(exports, maxResults=2, nextToken=first["nextToken"])

    assert ids(first) + ids(second) == three
    assert "nextToken" not in second


def test_jobs_of_the_same_moment_are_all_on_some_page(exports: ExportDesk) -> None:
    wanted = {exports.ask(kind=kind)["jobId"] for kind in ("EBSVolume", "EC2Instance")}

    first = describe(exports, maxResults=1)
    second = describe(exports, maxResults=1, nextToken=first["nextToken"])

    assert {*ids(first), *ids(second)} == wanted


def test_a_token_belongs_to_its_request(exports: ExportDesk, three: list[str]) -> None:
    token = describe(exports, maxResults=2)["nextToken"]
    wanted = [{"name": "JobStatus", "values": ["Queued"]}]

    with pytest.raises(InvalidParameterValueException, match="not valid for this request"):
        describe(exports, maxResults=2, nextToken=token, filters=wanted)


def test_filters_are_types_and_statuses(exports: ExportDesk, three: list[str]) -> None:
    def by(**wanted: list[str]) -> list[str]:
        filters = [{"name": name, "values": values} for name, values in wanted.items()]
        return ids(describe(exports, filters=filters))

    queued, instances, volumes = three
    assert by(JobStatus=["Queued"]) == [queued]
    assert by(JobStatus=["Queued", "Complete"]) == three
    assert by(ResourceType=["EbsVolume"]) == [queued, volumes]
    assert by(ResourceType=["EbsVolume"], JobStatus=["Complete"]) == [volumes]
    assert by(ResourceType=["LambdaFunction"]) == []
    assert ids(describe(exports, jobIds=[instances])) == [instances]


@pytest.mark.parametrize(
    ("name", "values"),
    [("Status", ["Queued"]), ("JobStatus", ["queued"]), ("JobStatus", [])],
)
def test_what_is_no_filter_is_refused_by_its_name(
    exports: ExportDesk, name: str, values: list[str]
) -> None:
    with pytest.raises(InvalidParameterValueException, match=name):
        describe(exports, filters=[{"name": name, "values": values}])


def test_a_filter_without_a_name_is_told_which_there_are(exports: ExportDesk) -> None:
    with pytest.raises(InvalidParameterValueException, match=r"no name.*ResourceType, JobStatus"):
        describe(exports, filters=[{"values": ["Queued"]}])


def test_a_job_is_listed_for_seven_days(exports: ExportDesk) -> None:
    answer = exports.ask()
    exports.run()

    exports.desk.clock.tick(days=7)
    assert ids(describe(exports)) == [answer["jobId"]]
    assert exports.job(answer)["status"] == "Complete"

    exports.desk.clock.tick(seconds=1)
    assert ids(describe(exports)) == []
    with pytest.raises(ResourceNotFoundException):
        exports.job(answer)


def test_too_many_jobs_are_refused(exports: ExportDesk) -> None:
    with pytest.raises(InvalidParameterValueException, match="1001 jobs"):
        describe(exports, jobIds=[str(number) for number in range(1_001)])


def test_an_account_that_is_not_opted_in_is_told_so(exports: ExportDesk) -> None:
    with pytest.raises(OptInRequiredException):
        describe(exports, STRANGER)
