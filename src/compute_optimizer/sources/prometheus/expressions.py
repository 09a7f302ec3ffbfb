"""PromQL with placeholders -> what a server is asked.

    $id         the labels that tell a machine: sum by ($id) (...)
    $match      a matcher for the machines that are asked for: up{$match}
    [$recent]   the time in which a machine must have been seen
    [$slot]     the samples of a slot: avg_over_time(x[$slot])
    [$counter]  the increases that end in a slot: rate(x[$counter])
    [$peak]     those that end in a minute: rate(x[$peak]), with
    [$peaks]    the minutes of a slot: max_over_time((rate(x[$peak]))[$peaks])

A slot [t, t + 300 s) is asked for at its end. Prometheus 2 takes both ends of a range in, later
ones and their like only the later end, so that the ranges are chosen to be right either way: a
sample belongs to the slot in which it was taken, and what a counter grew by between two samples to
the slot in which the second one was taken. An offset or range of 1 ms less keeps the sample at the
end itself out.

MetricsQL, which VictoriaMetrics speaks, takes the sample before a range into a rate by itself, so
there the ranges of counters must not reach back to it.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.metrics import SLOT_SECONDS

MINUTE = 60
"""Seconds: maxima are those of minutes, as CloudWatch's with detailed monitoring."""

PLACEHOLDER = re.compile(r"\$(\w*)")

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a server is asked: what the placeholders of ranges stand for, and how rates are taken."""

    spans: Mapping[str, str]
    between_samples: bool = False
    """Rates of a minute are asked for as those between two samples (irate)."""


def promql(scrape_seconds: int, recent: str) -> Dialect:
    """Return how PromQL is asked, at a time between two samples."""
    window = max(MINUTE, scrape_seconds)
    milliseconds = scrape_seconds * 1000 - 1
    return Dialect(
        {
            "[$recent]": f"[{recent}]",
            "[$slot]": f"[{SLOT_SECONDS}s] offset 1ms",
            "[$counter]": f"[{SLOT_SECONDS * 1000 + milliseconds}ms]",
            "[$peak]": f"[{window * 1000 + milliseconds}ms]",
            "[$peaks]": f"[{SLOT_SECONDS - 1}s:{MINUTE}s]",
        }
    )


def metricsql(scrape_seconds: int, recent: str) -> Dialect:
    """Return how MetricsQL is asked: ranges of counters do not reach back to the sample before.

    A range that is not longer than the interval of scrapes by an eighth is lengthened by the server
    to that (VictoriaMetrics 1.79, lib promql, maxPrevInterval), which makes one minute two; a rate
    between two samples is not.
    """
    window = max(MINUTE, scrape_seconds)
    return Dialect(
        {
            "[$recent]": f"[{recent}]",
            "[$slot]": f"[{SLOT_SECONDS}s] offset 1ms",
            "[$counter]": f"[{SLOT_SECONDS}s]",
            "[$peak]": f"[{window}s]",
            "[$peaks]": f"[{SLOT_SECONDS}s:{MINUTE}s]",
        },
        between_samples=window < scrape_seconds * 9 / 8,
    )


RANGES = frozenset(promql(MINUTE, "").spans)

RATE = re.compile(r"\brate\b(?=\s*\()")


def check_expression(query: str, place: str, allowed: Collection[str] = RANGES) -> None:
    """Raise InvalidInput, naming the place, for placeholders that mean nothing there."""
    if not query.strip():
        raise InvalidInput(f"{place}: the query is empty; expected PromQL")
    known = {"id", "match", *(one.strip("[$]") for one in allowed)}
    for found in PLACEHOLDER.finditer(query):
        name = found[1]
        bracketed = query[found.start() - 1 : found.end() + 1] == f"[${name}]"
        if name not in known or (name in ("id", "match")) is bracketed:
            spelled = ", ".join(("$id", "$match", *sorted(allowed)))
            raise InvalidInput(
                f"{place}: ${name} in {query!r} means nothing; expected one of {spelled}"
            )


def expression(query: str, by: Iterable[str], match: str, dialect: Dialect) -> str:
    """Return what a server is asked for an expression with placeholders."""
    if dialect.between_samples and "[$peak]" in query:
        query = RATE.sub("irate", query)
    for placeholder, span in dialect.spans.items():
        query = query.replace(placeholder, span)
    return query.replace("$id", ", ".join(by)).replace("$match", match)


def matcher(by: Iterable[str], machines: Iterable[tuple[str, ...]]) -> str:
    """Return matchers that hold for the machines with the given values of labels.

    Where several labels tell a machine, they may hold for others too.
    """
    columns = zip(*machines, strict=True)
    return ", ".join(
        f"{label}=~{quoted('|'.join(re.escape(one) for one in sorted(set(values))))}"
        for label, values in zip(by, columns, strict=True)
    )


def quoted(text: str) -> str:
    """Return a string literal of PromQL."""
    return json.dumps(text, ensure_ascii=False)
