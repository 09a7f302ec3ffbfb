"""Time the wire: decode and encode of one short call, and encode of a full page.

    python -m benchmarks.wire_speed [--output json]

One process, one thread. "Encode" and "decode" go over the shapes as well, "render" and "parse" are
what libraries that know no shapes take for the same tree. Alternatives to the two JSON libraries in
use are timed on the same trees.
"""

import argparse
import json
import timeit
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from benchmarks.measurement import Measurement, Report, add_output, show
from compute_optimizer.api.protocols import CBOR, ENCODINGS, JSON
from compute_optimizer.api.protocols.json_body import parse_json

PAGE = 1_000
"""Recommendations on a full page, and ARNs in a full request."""

STATUS = "GetEnrollmentStatus"
EC2 = "GetEC2InstanceRecommendations"

MOMENT = datetime(2026, 1, 15, 6, 30, tzinfo=UTC)


def timed(name: str, call: Callable[[], object], seconds: float = 1.0) -> Measurement:
    """Return the microseconds of one call, in five runs that take `seconds` together."""
    timer = timeit.Timer(call)
    number = max(1, int(seconds / 5 / max(timer.timeit(1), 1e-7)))
    runs = timer.repeat(5, number)
    return Measurement(name, "us", tuple(1e6 * one / number for one in runs))


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


def short_call() -> Iterator[Measurement]:
    """Time GetEnrollmentStatus: the decode of no members and the encode of four."""
    response = {
        "status": "Active",
        "memberAccountsEnrolled": True,
        "lastUpdatedTimestamp": MOMENT,
        "numberOfMemberAccountsOptedIn": 41,
    }
    for encoding, body in ((JSON, b"{}"), (CBOR, b"\xa0")):
        name = f"{STATUS}, {encoding.name}"
        yield timed(f"{name}: decode", partial(encoding.decode, body, STATUS))
        yield timed(f"{name}: encode", partial(encoding.encode, response, STATUS))


def full_page() -> Iterator[Measurement]:
    """Time the encode of a page, a part of it, and what the standard library would take."""
    response = {"instanceRecommendations": [recommendation(number) for number in range(PAGE)]}
    tree = JSON.parse(JSON.encode(response, EC2))
    for encoding in ENCODINGS:
        name = f"page of {PAGE:,}, {encoding.name}"
        yield timed(f"{name}: encode", partial(encoding.encode, response, EC2))
        yield timed(f"{name}: render", partial(encoding.render, tree))
        yield Measurement(f"{name}: size", "bytes", (len(encoding.encode(response, EC2)),))
    dumps = partial(json.dumps, tree, separators=(",", ":"))
    yield timed(f"page of {PAGE:,}, the standard library's json: render", lambda: dumps().encode())


def full_request() -> Iterator[Measurement]:
    """Time the decode of a request with many ARNs, and its parsing by other means."""
    request = {"instanceArns": [arn(number) for number in range(PAGE)]}
    for encoding in ENCODINGS:
        body, name = encoding.render(request), f"{PAGE:,} ARNs, {encoding.name}"
        yield timed(f"{name}: decode", partial(encoding.decode, body, EC2))
        yield timed(f"{name}: parse", partial(encoding.parse, body))
    body = JSON.render(request)
    parsers: dict[str, Callable[[bytes], object]] = {
        "parse_json": parse_json,
        "json.loads": json.loads,
        "msgspec.json.decode": msgspec.json.decode,
    }
    for name, parse_body in parsers.items():
        yield timed(f"parse by {name}: {PAGE:,} ARNs", partial(parse_body, body))
        yield timed(f"parse by {name}: no members", partial(parse_body, b"{}"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the microseconds of each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    add_output(parser)
    given = parser.parse_args(arguments)
    show(Report((*short_call(), *full_page(), *full_request())), given.output)


if __name__ == "__main__":
    main()
