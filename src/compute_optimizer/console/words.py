"""How the console writes figures, moments and the service's own words."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup, escape

from compute_optimizer.model.counted import counted
from compute_optimizer.model.decision import State
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.model.spans import shown_span
from compute_optimizer.views.savings import currency_of

UNKNOWN = "\N{EN DASH}"
"""Stands in cells where nothing is known."""

SYMBOLS = {"USD": "$", "CNY": "CN¥"}

RISKS = ("Very low", "Low", "Medium", "High", "High")
"""Performance risk by its figure, rounded up: the names that the service gives the current
resource's (enum CurrentPerformanceRisk)."""

TONES: Mapping[str, str] = {
    Finding.UNDER_PROVISIONED: "bad",
    Finding.OVER_PROVISIONED: "save",
    Finding.NOT_OPTIMIZED: "save",
    Finding.OPTIMIZED: "good",
    Finding.IDLE: "save",
    Finding.UNATTACHED: "save",
    Finding.UNUSED: "save",
    "High": "bad",
    "Medium": "warn",
    "Low": "good",
    "VeryLow": "good",
    State.ACCEPTED: "save",
    State.SNOOZED: "warn",
    State.APPLIED: "good",
    "Active": "good",
    "Pending": "warn",
    "Failed": "bad",
    "Complete": "good",
    "Succeeded": "good",
    "InProgress": "warn",
    "Lost": "bad",
}
"""Colour of a badge by its word; all others are neutral."""

APART = {"EBSIOPS": "EBS IOPS", "Cpu": "CPU", "VCPU": "vCPU", "CPU": "CPU", "IOPS": "IOPS"}
"""Abbreviations that would lose their letters, or run into each other."""


def money(value: float | None, currency: str = "USD") -> str:
    """Return such as `$1,234.56`."""
    if value is None:
        return UNKNOWN
    sign = "\N{MINUS SIGN}" if round(value, 2) < 0 else ""
    return f"{sign}{SYMBOLS[currency]}{abs(value):,.2f}"


def change(value: float, currency: str = "USD") -> str:
    """Return a difference of money with its sign."""
    return f"+{money(value, currency)}" if round(value, 2) > 0 else money(value, currency)


def count(value: float) -> str:
    """Return a whole number with thousands apart."""
    return f"{value:,.0f}"


def share(value: float | None, digits: int = 1) -> str:
    """Return a share, 0 to 1, in percent."""
    return UNKNOWN if value is None else f"{value * 100:.{digits}f} %"


def figure(value: float | None) -> str:
    """Return four significant digits or, from a thousand on, all before the point."""
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def risk(value: float | None) -> str:
    """Return a performance risk as a word with its figure, such as `Low (1.0)`."""
    if value is None:
        return UNKNOWN
    return f"{RISKS[min(int(-(-value // 1)), len(RISKS) - 1)]} ({value:.1f})"


def spaced(word: str | None) -> str:
    """Return one of the service's own words with its parts apart, such as `Not optimized`.

    The words of the model run together (NotOptimized), those of the wire are in capitals.
    """
    if not word:
        return UNKNOWN
    for joined, apart in APART.items():
        word = word.replace(joined, apart)
    if word.isupper() and word not in APART.values():
        return word.replace("_", " ").capitalize()
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", word).split(" ")
    lowered = [part if part.isupper() else part.lower() for part in parts[1:]]
    return " ".join([parts[0], *lowered]).replace("v CPU", "vCPU")


def sentence(text: str) -> str:
    """Return a message of the program as a sentence: a capital first, a stop last."""
    told = text[:1].upper() + text[1:]
    return told if told.endswith((".", "!", "?", "…")) else f"{told}."


def coded(text: str) -> Markup:
    """Return a message with what stands between backticks, such as commands, as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    code = Markup("<code>{}</code>")
    return Markup("").join(
        code.format(part) if place % 2 else part for place, part in enumerate(parts)
    )


def tone(word: str) -> str:
    """Return the colour of a badge."""
    return TONES.get(word, "neutral")


def moment(value: datetime | None) -> str:
    """Return a moment to the minute, in UTC."""
    return UNKNOWN if value is None else f"{value:%Y-%m-%d %H:%M} UTC"


def span(value: timedelta | None) -> str:
    """Return a span in the largest unit of which it has two, such as 90 min."""
    if value is None:
        return UNKNOWN
    return shown_span(value)


FILTERS: dict[str, Callable[..., Any]] = {
    "money": money,
    "change": change,
    "count": count,
    "counted": counted,
    "share": share,
    "figure": figure,
    "risk": risk,
    "coded": coded,
    "spaced": spaced,
    "sentence": sentence,
    "tone": tone,
    "moment": moment,
    "span": span,
    "currency_of": currency_of,
}
