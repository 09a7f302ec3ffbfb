"""Answers that are not AWS's: what a proxy says must not be taken for an empty account."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.parsers import ResponseParserError
from botocore.session import Session

from compute_optimizer.errors import SourceUnavailable
from compute_optimizer.sources.aws import calls
from compute_optimizer.sources.aws.account_region import AccountRegion
from compute_optimizer.sources.aws.calls import Call
from compute_optimizer.sources.aws.clients import make_client, make_session
from tests.local_aws import OWN, PAGE, REGION, LocalAws, fronting

PAGES = {
    "page": PAGE,
    "well-formed page": b'<?xml version="1.0"?><html><body>log in</body></html>',
    "nothing": b"",
    "object": b"{}",
    "list": b"[]",
}

COUNTERS = {"ServiceType": "RDS", "Identifier": "db-A"}

REQUIRED: dict[str, dict[str, Any]] = {
    "AssumeRole": {"RoleArn": "arn:aws:iam::222222222222:role/one", "RoleSessionName": "one"},
    "DescribeScalingPolicies": {"ServiceNamespace": "ecs"},
    "DescribeServices": {"services": []},
    "DescribeTaskDefinition": {"taskDefinition": "one"},
    "GetMetricData": {"StartTime": 0, "EndTime": 1, "MetricDataQueries": []},
    "GetResourceMetrics": {
        **COUNTERS,
        "StartTime": 0,
        "EndTime": 1,
        "MetricQueries": [{"Metric": "os.swap.in.avg"}],
    },
    "ListAvailableResourceMetrics": {**COUNTERS, "MetricTypes": ["os"]},
}

CALLS = {one.action: one for one in vars(calls).values() if isinstance(one, Call)}


@pytest.fixture(scope="module")
def proxy() -> Iterator[tuple[LocalAws, list[bytes]]]:
    """Something that answers everything with the one page in the list."""
    pages = [b""]

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])
        return pages

    with fronting(app) as here:
        yield here, pages


@pytest.mark.parametrize("action", CALLS)
def test_what_a_proxy_answers_is_never_an_empty_answer(
    proxy: tuple[LocalAws, list[bytes]], aws: LocalAws, action: str, monkeypatch: Any
) -> None:
    here, pages = proxy
    call = CALLS[action]
    monkeypatch.setenv("AWS_ENDPOINT_URL", here.url)
    config = Config(retries={"total_max_attempts": 1})
    client = make_client(make_session(None), call.service, REGION, config)

    for pages[0] in PAGES.values():
        with pytest.raises(ResponseParserError):
            getattr(client, xform_name(call.operation))(**REQUIRED.get(call.operation, {}))
    client.close()


SAMPLES: dict[str, Any] = {
    "MetricDataResults": [
        {
            "Id": "s0_0",
            "Label": "CPUUtilization",
            "StatusCode": "PartialData",
            "Timestamps": [1773556200, 1.7735565e9],
            "Values": [12.5, 3],
        },
        {"Id": "s1_0", "Timestamps": [], "Values": []},
    ],
    "Messages": [{"Code": "x", "Value": "y"}],
    "NextToken": "more",
}


Proxy = tuple[LocalAws, list[bytes]]


def read(client: Any) -> Any:
    """Return what a client reads of an answer of GetMetricData."""
    with closing(client):
        found = client.get_metric_data(**REQUIRED["GetMetricData"])
    del found["ResponseMetadata"]["HTTPHeaders"]
    return found


@pytest.fixture
def told(proxy: Proxy, aws: LocalAws, monkeypatch: Any) -> list[bytes]:
    """The one answer of an AWS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy[0].url)
    return proxy[1]


def test_samples_are_read_as_botocore_reads_them(told: list[bytes]) -> None:
    told[0] = json.dumps(SAMPLES).encode()
    expected = read(Session().create_client("cloudwatch", REGION))
    for one in expected["MetricDataResults"]:
        one["Timestamps"] = [moment.timestamp() for moment in one["Timestamps"]]
    # What nobody reads is left out.
    del expected["Messages"], expected["MetricDataResults"][0]["Label"]

    assert read(make_client(make_session(None), "cloudwatch", REGION, Config())) == expected


def test_moments_as_text_are_read_too(told: list[bytes]) -> None:
    one = {"Id": "s0_0", "Timestamps": ["2026-03-15T06:30:00Z"], "Values": [1.0]}
    told[0] = json.dumps({"MetricDataResults": [one]}).encode()

    found = read(make_client(make_session(None), "cloudwatch", REGION, Config()))

    # 20,527 days and 6.5 hours since 1970.
    assert found["MetricDataResults"][0]["Timestamps"] == [20_527 * 86_400 + 23_400]


def test_pages_that_come_again_and_again_are_given_up(aws: LocalAws, monkeypatch: Any) -> None:
    """Of an operation that botocore has no paginator for, which would notice."""
    tokens = iter(["one", "two", "one", "two"])

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/x-amz-json-1.1")])
        return [json.dumps({"MetricList": [], "NextToken": next(tokens, "")}).encode()]

    with fronting(app) as here:
        monkeypatch.setenv("AWS_ENDPOINT_URL", here.url)
        place = AccountRegion(OWN, REGION, make_session(None), Config(), 0)
        with closing(place), pytest.raises(SourceUnavailable) as told:
            place.pages(calls.COUNTERS, **REQUIRED["GetResourceMetrics"])

    # The third answer says what the first one said.
    assert len(here.calls) == 3
    assert str(told.value) == (
        f"account {OWN}, {REGION}: pi:GetResourceMetrics: Error during pagination: "
        "the same NextToken came twice: one"
    )
