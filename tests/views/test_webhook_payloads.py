"""Payloads of webhooks: every member for programs, and Slack's limits."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compute_optimizer.model.decision import Advice, Decision, Prediction, State
from compute_optimizer.model.event import LARGEST_SHOWN, Event, EventName, NewAdvice
from compute_optimizer.views.webhook_payloads import (
    HEADER_CHARACTERS,
    MOST_BLOCKS,
    SECTION_CHARACTERS,
    TEXT_CHARACTERS,
    TITLES,
    as_json,
    as_slack,
)

NOW = datetime(2026, 3, 15, 6, 30, tzinfo=UTC)
TAGS = ("Owner",)
ADVICE = Advice(
    "rec-0123456789abcdef0123",
    "222222222222",
    "us-east-1",
    "Ec2Instance",
    "arn:aws:ec2:us-east-1:222222222222:instance/i-1",
    "web-1",
    "Overprovisioned",
    {"instanceType": "m5.xlarge"},
    {"instanceType": "m5.large"},
    "m5.xlarge",
    "m5.large",
    Prediction(NOW, 140.16, 70.08, 70.08, 35.041, 0.0125, 1.0, {"Cpu": 43.0}),
    {"Owner": "shop"},
)
DECISION = Decision(ADVICE, State.SNOOZED, NOW, "ada", "later", NOW + timedelta(days=7))
EVENT = Event("event-1", EventName.SNOOZED, "222222222222", NOW, "ada", DECISION)
NEW = Event(
    "event-2",
    EventName.NEW,
    "222222222222",
    NOW,
    "analysis",
    new=NewAdvice("run-1", NOW, 25, 1752.004, (ADVICE,) * LARGEST_SHOWN),
)
NASTY = replace(
    ADVICE, name="<!channel> & *all* " + "x" * 9_000, current_text="y" * 9_000, advised_text="z"
)


def test_programs_get_advice_and_decision() -> None:
    told = as_json(EVENT, TAGS)

    assert json.loads(json.dumps(told)) == {
        "version": "1",
        "id": "event-1",
        "event": "snoozed",
        "occurredAt": "2026-03-15T06:30:00+00:00",
        "accountId": "222222222222",
        "actor": "ada",
        "recommendation": {
            "recommendationId": "rec-0123456789abcdef0123",
            "resourceArn": "arn:aws:ec2:us-east-1:222222222222:instance/i-1",
            "resourceType": "Ec2Instance",
            "accountId": "222222222222",
            "region": "us-east-1",
            "name": "web-1",
            "finding": "Overprovisioned",
            "current": "m5.xlarge",
            "recommended": "m5.large",
            "currentConfiguration": {"instanceType": "m5.xlarge"},
            "recommendedConfiguration": {"instanceType": "m5.large"},
            "prediction": {
                "asOf": "2026-03-15T06:30:00+00:00",
                "currentMonthlyUsd": 140.16,
                "recommendedMonthlyUsd": 70.08,
                "estimatedMonthlySavings": 70.08,
                "estimatedMonthlySavingsAfterDiscounts": 35.04,
                "violationRisk": 0.0125,
                "performanceRisk": 1.0,
                "projectedUtilization": {"Cpu": 43.0},
            },
            "owner": "shop",
        },
        "decision": {
            "state": "snoozed",
            "changedAt": "2026-03-15T06:30:00+00:00",
            "changedBy": "ada",
            "note": "later",
            "snoozedUntil": "2026-03-22T06:30:00+00:00",
            "appliedAt": None,
            "endedAt": None,
            "before": None,
            "became": None,
        },
    }


def test_an_assigned_owner_stands_before_the_tag() -> None:
    assert as_json(replace(EVENT, owner="web"), TAGS)["recommendation"]["owner"] == "web"
    assert as_json(EVENT, ("Team",))["recommendation"]["owner"] is None


def test_programs_get_sum_and_largest_of_what_is_new() -> None:
    told = as_json(NEW, TAGS)["analysis"]

    assert (told["newRecommendations"], told["estimatedMonthlySavings"]) == (25, 1752.0)
    assert len(told["largest"]) == LARGEST_SHOWN
    assert told["runId"] == "run-1"


def texts(message: dict[str, Any]) -> list[str]:
    return [block["text"]["text"] for block in message["blocks"]]


def test_slack_gets_text_and_blocks() -> None:
    message = as_slack(EVENT, TAGS)

    assert message["text"] == (
        "Recommendation snoozed (222222222222): "
        "*web-1* (us-east-1): m5.xlarge to m5.large, 70.08 USD a month"
    )
    assert [block["type"] for block in message["blocks"]] == ["header", "section"]
    header, body = texts(message)
    assert header == "Recommendation snoozed (222222222222)"
    assert body.splitlines()[1:] == [
        "By: ada",
        "Owner: shop",
        "Note: later",
        "Until: 2026-03-22 06:30 UTC",
        "Id: rec-0123456789abcdef0123",
    ]


def test_slack_is_told_amounts_in_the_currency_of_the_region() -> None:
    chinese = replace(ADVICE, region="cn-north-1")
    decided = as_slack(replace(EVENT, decision=replace(DECISION, advice=chinese)), TAGS)
    new = as_slack(replace(NEW, new=NewAdvice("run-1", NOW, 1, 70.08, (chinese,))), TAGS)

    assert "70.08 CNY a month" in texts(decided)[1]
    assert texts(new)[1].count("70.08 CNY a month") == 2
    assert "USD" not in f"{decided}{new}"


def test_slack_is_told_how_much_more_is_new() -> None:
    lines = "\n".join(texts(as_slack(NEW, TAGS))).splitlines()

    assert lines[1] == "25 new, 1,752.00 USD a month in all"
    assert lines[-1] == "and 5 more"


@pytest.mark.parametrize(
    "event",
    [
        replace(
            EVENT, actor="a" * 9_000, decision=replace(DECISION, advice=NASTY, note="n" * 2_000)
        ),
        replace(NEW, new=NewAdvice("run-1", NOW, 10**9, 1e12, (NASTY,) * LARGEST_SHOWN)),
    ],
)
def test_no_message_goes_beyond_what_slack_takes(event: Event) -> None:
    message = as_slack(event, TAGS)

    assert len(message["text"]) <= TEXT_CHARACTERS
    assert 1 < len(message["blocks"]) <= MOST_BLOCKS
    header, *sections = texts(message)
    assert len(header) <= HEADER_CHARACTERS
    assert all(0 < len(text) <= SECTION_CHARACTERS for text in sections)
    # 13,200 characters of all blocks together were seen to be refused (slackapi/bolt-js #2509).
    assert sum(map(len, sections)) < 13_000


def test_names_mean_nothing_to_slack() -> None:
    event = replace(EVENT, decision=replace(DECISION, advice=NASTY))

    for text in (as_slack(event, TAGS)["text"], *texts(as_slack(event, TAGS))):
        assert "<!channel>" not in text


def test_every_event_has_its_title_and_both_payloads() -> None:
    assert set(TITLES) == set(EventName)
    for name in EventName:
        event = NEW if name is EventName.NEW else replace(EVENT, name=name)
        assert as_json(event, TAGS)["event"] == name.value
        assert as_slack(event, TAGS)["text"].startswith(TITLES[name])
