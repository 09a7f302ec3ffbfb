"""What webhooks say of an event: as JSON for programs, and as a message for Slack.

docs/deciding.md lists every member; VERSION changes with what programs could trip over.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from compute_optimizer.model.decision import Advice, Decision, owner_by_tags
from compute_optimizer.model.event import Event, EventName, NewAdvice
from compute_optimizer.views.plain_values import iso, rounded
from compute_optimizer.views.savings import currency_of

VERSION: Final = "1"

JSON: Final = "json"
SLACK: Final = "slack"

HEADER_CHARACTERS = 150
SECTION_CHARACTERS = 3_000
MOST_BLOCKS = 50
"""Slack's limits of a header's text, a section's text and the blocks of a message, as libraries
state that check them by its Block Kit reference (slack-messaging 0.7.3, seen 2026-11-26)."""

TEXT_CHARACTERS = 4_000
"""Of the text that stands for the blocks in notifications (assumed; far below Slack's 40,000)."""

NAME_CHARACTERS = 120
"""Of names and notes in a message, so that a line stays one."""

TITLES: Mapping[EventName, str] = {
    EventName.NEW: "New recommendations",
    EventName.ACCEPTED: "Recommendation accepted",
    EventName.SNOOZED: "Recommendation snoozed",
    EventName.DISMISSED: "Recommendation dismissed",
    EventName.REOPENED: "Recommendation open again",
    EventName.APPLIED: "Recommendation applied",
    EventName.SUPERSEDED: "Recommendation superseded",
}


def as_json(event: Event, owner_tags: tuple[str, ...]) -> dict[str, Any]:
    """Return the payload for programs."""
    found: dict[str, Any] = {
        "version": VERSION,
        "id": event.event_id,
        "event": event.name.value,
        "occurredAt": iso(event.occurred_at),
        "accountId": event.account_id,
        "actor": event.actor,
    }
    if event.decision is not None:
        advice = event.decision.advice
        owner = event.owner or owner_by_tags(advice.tags, owner_tags)
        found |= {
            "recommendation": advice_as_json(advice) | {"owner": owner or None},
            "decision": decision_as_json(event.decision),
        }
    if event.new is not None:
        found["analysis"] = _new_as_json(event.new)
    return found


def as_slack(event: Event, owner_tags: tuple[str, ...]) -> dict[str, Any]:
    """Return the payload of a message in Slack: text for notifications, blocks to read."""
    title = f"{TITLES[event.name]} ({event.account_id})"
    lines = _of_new(event.new) if event.new else _of_decision(event, owner_tags)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:HEADER_CHARACTERS]}}
    ]
    blocks += [
        {"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in _sections(lines)
    ]
    text = f"{title}: {lines[0]}" if lines else title
    return {"text": _cut(text, TEXT_CHARACTERS), "blocks": blocks[:MOST_BLOCKS]}


PAYLOADS: Mapping[str, Callable[[Event, tuple[str, ...]], dict[str, Any]]] = {
    JSON: as_json,
    SLACK: as_slack,
}
"""By the name that the file of webhooks says under `format`."""


def advice_as_json(advice: Advice) -> dict[str, Any]:
    """Return a piece of advice for programs."""
    promised = advice.prediction
    return {
        "recommendationId": advice.recommendation_id,
        "resourceArn": advice.resource_arn,
        "resourceType": advice.resource_type,
        "accountId": advice.account_id,
        "region": advice.region,
        "name": advice.name,
        "finding": advice.finding,
        "current": advice.current_text,
        "recommended": advice.advised_text,
        "currentConfiguration": dict(advice.current),
        "recommendedConfiguration": dict(advice.advised),
        "prediction": {
            "asOf": iso(promised.as_of),
            "currentMonthlyUsd": rounded(promised.current_monthly_usd),
            "recommendedMonthlyUsd": rounded(promised.advised_monthly_usd),
            "estimatedMonthlySavings": rounded(promised.savings_monthly_usd),
            "estimatedMonthlySavingsAfterDiscounts": rounded(
                promised.savings_after_discounts_monthly_usd
            ),
            "violationRisk": promised.violation_risk,
            "performanceRisk": promised.performance_risk,
            "projectedUtilization": dict(promised.projected),
        },
    }


def decision_as_json(decision: Decision) -> dict[str, Any]:
    """Return a decision for programs, with the state as it is stored."""
    return {
        "state": decision.state.value,
        "changedAt": iso(decision.changed_at),
        "changedBy": decision.changed_by or None,
        "note": decision.note or None,
        "snoozedUntil": iso(decision.snoozed_until),
        "appliedAt": iso(decision.applied_at),
        "endedAt": iso(decision.ended_at),
        "before": None if decision.before is None else dict(decision.before),
        "became": None if decision.became is None else dict(decision.became),
    }


def _new_as_json(new: NewAdvice) -> dict[str, Any]:
    return {
        "runId": new.run_id,
        "asOf": iso(new.as_of),
        "newRecommendations": new.count,
        "estimatedMonthlySavings": rounded(new.savings_monthly_usd),
        "largest": [advice_as_json(one) for one in new.largest],
    }


def _of_new(new: NewAdvice) -> list[str]:
    more = new.count - len(new.largest)
    # An account lies in China with all of its Regions, or with none.
    currency = currency_of(new.largest[0].region if new.largest else "")
    first = f"{new.count:,} new, {new.savings_monthly_usd:,.2f} {currency} a month in all"
    return [first, *map(_line, new.largest), *([f"and {more:,} more"] if more > 0 else [])]


def _of_decision(event: Event, owner_tags: tuple[str, ...]) -> list[str]:
    decision = event.decision
    if decision is None:
        return []
    advice = decision.advice
    owner = event.owner or owner_by_tags(advice.tags, owner_tags)
    until = decision.snoozed_until
    told = {
        "By": event.actor,
        "Owner": owner,
        "Note": decision.note,
        "Until": f"{until:%Y-%m-%d %H:%M} UTC" if until else "",
        "Id": advice.recommendation_id,
    }
    return [_line(advice), *(f"{name}: {_escaped(text)}" for name, text in told.items() if text)]


def _line(advice: Advice) -> str:
    saved = advice.prediction.savings_monthly_usd
    money = "" if saved is None else f", {saved:,.2f} {currency_of(advice.region)} a month"
    what = f"{_escaped(advice.current_text)} to {_escaped(advice.advised_text)}"
    return f"*{_escaped(advice.name)}* ({_escaped(advice.region)}): {what}{money}"


def _sections(lines: list[str]) -> list[str]:
    """Return the lines in as few texts as a section of Slack takes."""
    found: list[str] = []
    for line in lines:
        if found and len(found[-1]) + 1 + len(line) <= SECTION_CHARACTERS:
            found[-1] += f"\n{line}"
        else:
            found.append(_cut(line, SECTION_CHARACTERS))
    return found


def _escaped(text: str) -> str:
    """Return a text that Slack shows as it is: a name may hold what means something to it."""
    plain = _cut(" ".join(text.split()), NAME_CHARACTERS)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        plain = plain.replace(character, entity)
    return plain


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"
