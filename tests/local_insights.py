"""What a local AWS lacks of Performance Insights: counters of databases, as its API tells them.

RDS says of the instances that have some, also of those without any, that it is on.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

App = Callable[[dict[str, Any], Any], Iterable[bytes]]
"""A WSGI application."""

Counters = dict[str, dict[str, dict[int, float | None]]]
"""By the identifier of an instance and the name of a counter: values by the start of the period."""

PAGE_POINTS = 2
"""Of each series in one answer, so that there are pages."""


def with_insights(app: App, counters: Counters) -> App:
    """Return an application that answers Performance Insights, and asks another for the rest."""

    def answering(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        signed = environ.get("HTTP_AUTHORIZATION", "")
        if counters and "/rds/aws4_request" in signed:
            return _watched(app, counters, environ, start_response)
        if "/pi/aws4_request" not in signed:
            return app(environ, start_response)
        operation = environ["HTTP_X_AMZ_TARGET"].rpartition(".")[2]
        asked = json.loads(environ["wsgi.input"].read())
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", "1")]
        status, answer = OPERATIONS[operation](counters.get(asked["Identifier"], {}), asked)
        start_response(status, headers)
        return [json.dumps(answer).encode()]

    return answering


def _watched(
    app: App, counters: Counters, environ: dict[str, Any], start_response: Any
) -> list[bytes]:
    """Answer as RDS, and say of which instances Performance Insights are on."""
    started: list[Any] = []
    body = b"".join(app(environ, lambda *answer: started.extend(answer[:2])))
    for identifier in counters:
        named = f"<DbiResourceId>{identifier}</DbiResourceId>".encode()
        on = b"<PerformanceInsightsEnabled>true</PerformanceInsightsEnabled>"
        body = body.replace(named, named + on)
    kept = [pair for pair in started[1] if pair[0].lower() != "content-length"]
    start_response(started[0], [*kept, ("Content-Length", str(len(body)))])
    return [body]


def _available(
    known: dict[str, dict[int, float | None]], asked: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    assert asked["MetricTypes"] == ["os"]
    return "200 OK", {"Metrics": [{"Metric": name, "Unit": "KB/s"} for name in known]}


def _metrics(
    known: dict[str, dict[int, float | None]], asked: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    names = [one["Metric"] for one in asked["MetricQueries"]]
    if any(name.rpartition(".")[0] not in known for name in names):
        return "400 Bad Request", {"__type": "InvalidArgumentException", "message": "no metric"}
    assert (asked["PeriodInSeconds"], asked["PeriodAlignment"]) == (300, "START_TIME")
    first, last = asked["StartTime"], asked["EndTime"]
    begin = int(asked.get("NextToken", 0))
    found = []
    longest = 0
    for name in names:
        counter, function = name.rpartition(".")[::2]
        times = 1 if function == "avg" else 10
        points = [(at, v) for at, v in sorted(known[counter].items()) if first <= at < last]
        longest = max(longest, len(points))
        shown = [
            {"Timestamp": at, **({} if value is None else {"Value": value * times})}
            for at, value in points[begin : begin + PAGE_POINTS]
        ]
        found.append({"Key": {"Metric": name}, "DataPoints": shown})
    more = {"NextToken": str(begin + PAGE_POINTS)} if begin + PAGE_POINTS < longest else {}
    return "200 OK", {"Identifier": asked["Identifier"], "MetricList": found, **more}


OPERATIONS = {"GetResourceMetrics": _metrics, "ListAvailableResourceMetrics": _available}
