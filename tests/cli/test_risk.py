"""Rules of risk and the fleet's own model, as somebody types them."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Type


def test_rules_are_set_listed_and_removed(typed: Type, fleet: list[str]) -> None:
    assert typed("risk", "list").out.startswith("There is no rule")

    assert typed("risk", "set", "--tag", "env=prod", "--cap", "1%").code == 0
    assert typed("risk", "set", "--account", "222222222222", "--incident-usd", "500").code == 0

    rules = json.loads(typed("risk", "list", "--output", "json").out)["rules"]
    assert [(one["scope"], one["value"], one["cap"], one["incidentUsd"]) for one in rules] == [
        ("account", "222222222222", None, 500.0),
        ("tag", "env=prod", 0.01, None),
    ]
    assert re.search(r"env=prod +│ +1 % │", typed("risk", "list").out)
    assert typed("risk", "remove", "--tag", "env=prod").code == 0
    gone = typed("risk", "remove", "--tag", "env=prod")
    assert gone.code != 0
    assert "there is no rule for tag env=prod" in gone.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--cap", "0.1"), "Give one of --organization, --account, --tag and --resource"),
        (("--tag", "a=b", "--account", "1", "--cap", "0.1"), "Give one of"),
        (("--tag", "a=b", "--cap", "much"), "is no share; expected 0.01 or 1%"),
        (("--tag", "a=b", "--cap", "20"), "is no probability"),
        (("--tag", "a=b"), "states nothing"),
        (("--tag", "a", "--cap", "0.1"), "has no value; expected one such as env=prod"),
    ],
)
def test_impossible_rules_are_refused(
    typed: Type, fleet: list[str], words: tuple[str, ...], message: str
) -> None:
    ended = typed("risk", "set", *words)

    assert ended.code != 0
    assert message in " ".join(ended.err.split())


def test_changes_are_in_the_audit_log(typed: Type, fleet: list[str], tmp_path: Path) -> None:
    typed("risk", "set", "--resource", fleet[0], "--cap", "0.3")

    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert lines[-1]["operation"] == "risk set"
    assert fleet[0] in lines[-1]["targets"]


def test_the_profile_of_an_analysis_is_an_option(typed: Type, fleet: list[str]) -> None:
    for profile in ("published", "calibrated"):
        typed("analyze", "--as-of", "2026-03-14", "--profile", profile)
        rows = json.loads(typed("recommend", "--output", "json").out)["recommendations"]
        quiet = next(one for one in rows if one["resourceArn"] == fleet[0])
        assert quiet["profile"] == profile
        assert quiet["otherProfileRecommends"]


def test_an_unknown_profile_is_refused(typed: Type, fleet: list[str]) -> None:
    ended = typed("analyze", "--profile", "bold")

    assert ended.code != 0
    assert "'bold' is not one of auto, published, calibrated" in " ".join(ended.err.split())


def test_explain_tells_the_prediction_for_people(typed: Type, fleet: list[str]) -> None:
    ended = typed("explain", fleet[0], "--as-of", "2026-03-14", "--profile", "calibrated")

    assert "Decided by predicted risk: at most 20 % for any option" in ended.out
    assert "By the profile published:" in ended.out
    assert "Peaks of the next 14 days" in ended.out


def test_explain_says_why_the_rule_decided(typed: Type, fleet: list[str]) -> None:
    ended = typed("explain", fleet[1], "--as-of", "2026-03-14", "--profile", "calibrated")

    # 95 % of the CPU: beyond what the rule allows, below the ceiling.
    assert "Decided by the published rule: the present type falls short" in ended.out


def test_a_small_fleet_cannot_be_fitted(typed: Type, fleet: list[str]) -> None:
    ended = typed("calibrate")

    assert ended.code != 0
    assert "use the model that ships" in " ".join(ended.err.split())


def test_a_trace_is_fitted_and_nothing_kept(typed: Type, fleet: list[str], shared: Path) -> None:
    trace = shared / "traces" / "azure2017_cpu_5min.parquet"

    ended = typed("calibrate", "--trace", str(trace))

    assert ended.code == 0
    assert "Fitted on azure2017_cpu_5min: 50 machines, 28 days" in ended.out
    assert "Nothing is kept." in ended.out
    assert typed("calibrate", "--forget").out.startswith("There was no model of your own")


def test_forget_goes_alone(typed: Type, fleet: list[str]) -> None:
    assert "--forget goes alone" in typed("calibrate", "--forget", "--dry-run").err
