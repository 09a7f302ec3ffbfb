"""Time the wire: decode and encode of one short call, and encode of a full page.

    python benchmarks/wire_speed.py

One process, one thread; each figure is the best of several runs. "walk" is the part that goes over
the shapes, "render" and "parse" the part that deals with bytes. The alternatives to the two JSON
libraries in use are timed on the same trees.
"""

import json
import timeit
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from compute_optimizer.api.protocols import CBOR, ENCODINGS, JSON
from compute_optimizer.api.protocols.json_body import parse_json

PAGE = 1_000
"""Recommendations on a full page, and ARNs in a full request."""

STATUS = "GetEnrollmentStatus"
EC2 = "GetEC2InstanceRecommendations"

MOMENT = datetime(2026, 1, 15, 6, 30, tzinfo=UTC)


def best(call: Callable[[], object], seconds: float = 1.0) -> float:
    """Return the seconds of one call: the best of five runs that take `seconds` together."""
    timer = timeit.Timer(call)
    number = max(1, int(seconds / 5 / max(timer.timeit(1), 1e-7)))
    return min(timer.repeat(5, number)) / number


def arn(number: int) -> str:
    return f"arn:aws:ec2:us-east-1:222222222222:instance/i-{number:017x}"


def recommendation(number: int) -> dict[str, Any]:
    """An instance with ten metrics and three options, as the view gives it."""
    metrics = [
        {"name": name, "statistic": "MAXIMUM", "value": 21.25 + number}
        for name in ("CPU", "MEMORY", *(f"NETWORK_{place}_BYTES_PER_SECOND" for place in range(8)))
    ]
    return {
        "instanceArn": arn(number),
        "accountId": "222222222222",
        "instanceName": f"web-{number}",
        "currentInstanceType": "m5.xlarge",
        "finding": "OVER_PROVISIONED",
        "findingReasonCodes": ["CPUOverprovisioned", "MemoryOverprovisioned"],
        "utilizationMetrics": metrics,
        "lookBackPeriodInDays": 14.0,
        "recommendationOptions": [option(rank) for rank in (1, 2, 3)],
        "recommendationSources": [
            {"recommendationSourceArn": arn(number), "recommendationSourceType": "Ec2Instance"}
        ],
        "lastRefreshTimestamp": MOMENT,
        "currentPerformanceRisk": "VeryLow",
        "instanceState": "running",
        "tags": [{"key": "team", "value": "web"}, {"key": "stage", "value": "production"}],
    }


def option(rank: int) -> dict[str, Any]:
    return {
        "instanceType": "m5.large",
        "projectedUtilizationMetrics": [
            {"name": "CPU", "statistic": "MAXIMUM", "value": 42.5},
            {"name": "MEMORY", "statistic": "MAXIMUM", "value": 61.75},
        ],
        "platformDifferences": [],
        "performanceRisk": 1.0,
        "rank": rank,
        "savingsOpportunity": {
            "savingsOpportunityPercentage": 50.0,
            "estimatedMonthlySavings": {"currency": "USD", "value": 70.08},
        },
        "migrationEffort": "VeryLow",
    }


def short_call() -> None:
    """Time GetEnrollmentStatus: the decode of no members and the encode of four."""
    response = {
        "status": "Active",
        "memberAccountsEnrolled": True,
        "lastUpdatedTimestamp": MOMENT,
        "numberOfMemberAccountsOptedIn": 41,
    }
    for encoding, body in ((JSON, b"{}"), (CBOR, b"\xa0")):
        decoding = best(lambda: encoding.decode(body, STATUS))  # noqa: B023 - called at once
        writing = best(lambda: encoding.encode(response, STATUS))  # noqa: B023 - called at once
        print(
            f"{STATUS}, {encoding.name}: decode {decoding * 1e6:.2f} us, "
            f"encode {writing * 1e6:.2f} us"
        )


def full_page() -> None:
    """Time the encode of a page, its two parts, and what the standard library would take."""
    response = {"instanceRecommendations": [recommendation(number) for number in range(PAGE)]}
    for encoding in ENCODINGS:
        tree = encoding.walks[EC2].write(response)
        size = len(encoding.render(tree))
        whole = best(lambda: encoding.encode(response, EC2))  # noqa: B023 - called at once
        render = best(lambda: encoding.render(tree))  # noqa: B023 - called at once
        print(
            f"page of {PAGE}, {encoding.name}: encode {whole * 1e3:.1f} ms "
            f"(render {render * 1e3:.1f} ms), {size / 1e6:.2f} MB"
        )
    tree = JSON.walks[EC2].write(response)
    dumps = best(lambda: json.dumps(tree, separators=(",", ":")).encode())
    print(f"page of {PAGE}, render by the standard library's json: {dumps * 1e3:.1f} ms")


def full_request() -> None:
    """Time the decode of a request with many ARNs, and its parsing by other means."""
    request = {"instanceArns": [arn(number) for number in range(PAGE)]}
    for encoding in ENCODINGS:
        body = encoding.render(request)
        whole = best(lambda: encoding.decode(body, EC2))  # noqa: B023 - called at once
        parse = best(lambda: encoding.parse(body))  # noqa: B023 - called at once
        print(
            f"{PAGE} ARNs, {encoding.name}: decode {whole * 1e6:.0f} us "
            f"(parse {parse * 1e6:.0f} us)"
        )
    body = JSON.render(request)
    for name, parse_body in (
        ("parse_json", parse_json),
        ("json.loads", json.loads),
        ("msgspec.json.decode", msgspec.json.decode),
    ):
        many = best(lambda: parse_body(body))  # noqa: B023 - called at once
        none = best(lambda: parse_body(b"{}"))  # noqa: B023 - called at once
        print(f"parse by {name}: {PAGE} ARNs {many * 1e6:.0f} us, no members {none * 1e6:.2f} us")


if __name__ == "__main__":
    short_call()
    full_page()
    full_request()
