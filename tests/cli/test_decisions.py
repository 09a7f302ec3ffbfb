"""`compute-optimizer decisions`, as somebody types it."""

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.store import State
from compute_optimizer.store.inventory import upsert_resources
from tests.cli.conftest import Type
from tests.enrolling import ALPHA
from tests.stored_fleets import machine

NOBODY = f"rec-{0:020x}"


@pytest.fixture
def ids(typed: Type, analyzed: list[str]) -> list[str]:
    """Ids of what is advised for the quiet machine and for the busy one."""
    found = {one["resourceArn"]: one["recommendationId"] for one in recommended(typed)}
    return [found[arn] for arn in analyzed]


def recommended(typed: Type, *words: str) -> list[dict[str, Any]]:
    answer = json.loads(typed("recommend", *words, "--output", "json").out)
    found: list[dict[str, Any]] = answer["recommendations"]
    return found


def decide(typed: Type, *words: str) -> str:
    ended = typed("decisions", *words)
    assert ended.code == 0, ended.err
    return ended.out


def shown(typed: Type, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(decide(typed, "show", name, "--output", "json"))
    return found


def test_accepting_says_what_and_is_shown_and_audited(
    typed: Type, ids: list[str], tmp_path: Path
) -> None:
    said = decide(typed, "accept", ids[0], "--note", "tonight")

    assert said.startswith("Accepted: web-0, m5.xlarge to ")
    found = shown(typed, ids[0])
    assert (found["state"], found["note"], found["recommendedNow"]) == ("accepted", "tonight", True)
    assert [one["action"] for one in found["log"]] == ["accepted"]
    (line,) = (tmp_path / "audit.jsonl").read_text().splitlines()
    entry = json.loads(line)
    assert (entry["operation"], entry["targets"]) == ("decisions accept", [ALPHA])
    assert entry["parameters"]["recommendationId"] == ids[0]
    assert entry["principal"] == found["log"][0]["actor"]


def test_recommend_shows_states_and_hides_only_when_asked(typed: Type, ids: list[str]) -> None:
    decide(typed, "snooze", ids[0], "--until", "14d")
    decide(typed, "assign", ids[1], "web team")

    states = {one["recommendationId"]: one["state"] for one in recommended(typed)}
    assert states == {ids[0]: "snoozed", ids[1]: "open"}
    assert [one["recommendationId"] for one in recommended(typed, "--state", "open")] == [ids[1]]
    table = typed("recommend").out
    for word in ("Id", "State", "Owner", ids[0], "snoozed", "web team"):
        assert word in table


def test_a_table_ends_at_its_limit_and_says_so_while_programs_get_all(
    typed: Type, ids: list[str]
) -> None:
    for one in ids:
        decide(typed, "accept", one)

    assert "And 1 more: --limit 0 shows all of them." in decide(typed, "list", "--limit", "1")
    assert "more:" not in decide(typed, "list", "--limit", "2")
    told = json.loads(decide(typed, "list", "--limit", "1", "--output", "json"))
    assert len(told["decisions"]) == 2


def test_a_name_cannot_steer_the_terminal(typed: Type, fleet: list[str], tmp_path: Path) -> None:
    with closing(State(f"sqlite:///{tmp_path / 'state.db'}")) as state:
        named = replace(machine(0, ALPHA), name="\x1b[2Jweb")
        with state.writing() as connection:
            upsert_resources(connection, [named])
    assert typed("analyze", "--as-of", "2026-03-14").code == 0
    (found,) = (one for one in recommended(typed) if one["resourceArn"] == fleet[0])

    assert r"Accepted: \x1b[2Jweb, m5." in decide(typed, "accept", found["recommendationId"])


def test_a_list_begins_a_long_note_and_show_has_all_of_it(typed: Type, ids: list[str]) -> None:
    reason = "needed at the end of the quarter, " * 20
    decide(typed, "dismiss", ids[0], "--reason", reason)

    # 100 characters: 99 of the note and the mark that it goes on.
    assert f"│ {reason[:99]}… │" in decide(typed, "list")
    assert shown(typed, ids[0])["note"] == reason


def test_dismissing_needs_a_reason(typed: Type, ids: list[str]) -> None:
    refused = typed("decisions", "dismiss", ids[0], "--reason", " ")

    assert (refused.code, "Give a reason" in refused.err) == (2, True)
    assert decide(typed, "dismiss", ids[0], "--reason", "batch").startswith("Dismissed: web-0")
    conflict = typed("decisions", "snooze", ids[0], "--until", "2020-01-01")
    assert (conflict.code, "expected a moment after" in conflict.err) == (2, True)
    again = typed("decisions", "dismiss", ids[0], "--reason", "twice")
    assert (again.code, "reopen it to decide anew" in again.err) == (4, True)
    assert decide(typed, "reopen", ids[0]).startswith("Open again: web-0")


@pytest.mark.parametrize(
    ("until", "told"),
    [("2999-01-31", "2999-01-31 00:00"), ("2999-01-31T06:00+02:00", "2999-01-31 04:00")],
)
def test_a_snooze_ends_at_the_beginning_of_a_day_or_at_a_moment(
    typed: Type, ids: list[str], until: str, told: str
) -> None:
    assert f"Snoozed until {told} UTC" in decide(typed, "snooze", ids[0], "--until", until)
    assert told in decide(typed, "list")


@pytest.mark.parametrize("until", ["soon", "2026-02-30", "9999999999d", "14w", ""])
def test_a_wrong_moment_is_named(typed: Type, ids: list[str], until: str) -> None:
    refused = typed("decisions", "snooze", ids[0], "--until", until)

    assert refused.code == 2
    assert "--until" in refused.err


def test_the_list_has_what_was_decided_by_state(typed: Type, ids: list[str]) -> None:
    assert "Nothing was decided" in decide(typed, "list")
    decide(typed, "accept", ids[0])
    decide(typed, "dismiss", ids[1], "--reason", "no [brackets]")

    every = json.loads(decide(typed, "list", "--output", "json"))["decisions"]
    accepted = json.loads(decide(typed, "list", "--state", "accepted", "--output", "json"))

    assert [one["recommendationId"] for one in every] == [ids[1], ids[0]]
    assert [one["recommendationId"] for one in accepted["decisions"]] == [ids[0]]
    assert "no [brackets]" in decide(typed, "list")
    assert "No decision is as asked for" in decide(typed, "list", "--state", "snoozed")


def test_showing_tells_people_what_was_promised(typed: Type, ids: list[str]) -> None:
    decide(typed, "assign", ids[0], "web")
    told = decide(typed, "show", ids[0])

    for words in (f"Id: {ids[0]}", "State: open", "Owner: web", "Promised: ", "owner web"):
        assert words in told


def test_what_does_not_exist_is_named(typed: Type, ids: list[str]) -> None:
    missing = typed("decisions", "show", NOBODY)
    assert (missing.code, NOBODY in missing.err) == (3, True)
    wrong = typed("decisions", "accept", "web-0")
    assert (wrong.code, "as `compute-optimizer recommend` shows" in wrong.err) == (2, True)


def test_outcomes_follow_an_import_of_the_change(
    typed: Type, ids: list[str], analyzed: list[str], tmp_path: Path
) -> None:
    assert "No recommendation was applied yet" in decide(typed, "outcomes")
    decide(typed, "accept", ids[0])
    advised = shown(typed, ids[0])["recommendedConfiguration"]["instanceType"]
    file = tmp_path / "fleet.csv"
    file.write_text(
        "resource_type,arn,account_id,region,instance_type\n"
        f"Ec2Instance,{analyzed[0]},{ALPHA},us-east-1,{advised}\n"
    )
    assert typed("import", "--inventory", str(file)).code == 0

    found = json.loads(decide(typed, "outcomes", "--output", "json"))

    (one,) = found["outcomes"]
    assert (one["recommendationId"], one["recommended"]) == (ids[0], advised)
    assert found["totals"]["changes"] == 1
    assert "not judged: it sent nothing since" in decide(typed, "outcomes")
    assert "Realized: 0.00 USD so far" in decide(typed, "outcomes")
    assert shown(typed, ids[0])["state"] == "applied"


def test_owners_come_from_the_tags_of_the_setting(
    typed: Type,
    ids: list[str],
    analyzed: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "fleet.csv"
    file.write_text(
        "resource_type,arn,account_id,region,instance_type,tags\n"
        f"Ec2Instance,{analyzed[0]},{ALPHA},us-east-1,m5.xlarge,squad=blue\n"
    )
    assert typed("import", "--inventory", str(file)).code == 0
    assert typed("analyze", "--as-of", "2026-03-14").code == 0
    assert {one["owner"] for one in recommended(typed)} == {None}

    monkeypatch.setenv("COMPUTE_OPTIMIZER_OWNER_TAGS", "Owner, squad")

    assert {one["recommendationId"]: one["owner"] for one in recommended(typed)}[ids[0]] == "blue"
    assert "Owner: blue (by a tag)" in decide(typed, "show", ids[0])
