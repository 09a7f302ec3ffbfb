"""Answers that are not AWS's: what a proxy says must not be taken for an empty account."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.parsers import ResponseParserError

from compute_optimizer.sources.aws import calls
from compute_optimizer.sources.aws.calls import Call
from compute_optimizer.sources.aws.clients import make_client, make_session
from tests.local_aws import PAGE, REGION, LocalAws, fronting

PAGES = {
    "page": PAGE,
    "well-formed page": b'<?xml version="1.0"?><html><body>log in</body></html>',
    "nothing": b"",
    "object": b"{}",
    "list": b"[]",
}

REQUIRED: dict[str, dict[str, Any]] = {
    "AssumeRole": {"RoleArn": "arn:aws:iam::222222222222:role/one", "RoleSessionName": "one"},
    "DescribeScalingPolicies": {"ServiceNamespace": "ecs"},
    "DescribeServices": {"services": []},
    "DescribeTaskDefinition": {"taskDefinition": "one"},
    "GetMetricData": {"StartTime": 0, "EndTime": 1, "MetricDataQueries": []},
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
