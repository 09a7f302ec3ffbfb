"""What is idle, from `import` to `recommend --type Idle`, as somebody types it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Type
from tests.enrolling import ALPHA

INVENTORY = f"""\
id,account,region,resource_type,type,monthly_usd
scores,{ALPHA},us-east-1,SageMakerEndpoint,,83.95
docs,{ALPHA},us-east-1,DocumentDBCluster,,
sessions,{ALPHA},us-east-1,MemoryDBCluster,,226.30
"""

SENT: Mapping[str, Mapping[str, float]] = {
    "scores": {"Invocations": 0},
    "docs": {"DatabaseConnections": 0},
    "sessions": {
        "NewConnections": 0,
        "KeyspaceHits": 0,
        "KeyspaceMisses": 0,
        "EngineCPUUtilization": 1.5,
    },
}
"""All fourteen days; the engine of the last is too busy for the published 1 %."""


@pytest.fixture
def imported(typed: Type, fleet: list[str], tmp_path: Path) -> Type:
    """The fleet, and one resource of each kind of SENT: how commands are typed."""
    first = datetime(2026, 3, 1, tzinfo=UTC)
    moments = [(first + timedelta(minutes=50 * n)).isoformat() for n in range(14 * 28)]
    lines = ["resource,timestamp,metric,statistic,value"]
    for name, metrics in SENT.items():
        for metric, value in metrics.items():
            maximum = metric in ("DatabaseConnections", "EngineCPUUtilization")
            statistic = "Maximum" if maximum else "Sum"
            lines += [f"{name},{moment},{metric},{statistic},{value}" for moment in moments]
    files = tmp_path / "inventory.csv", tmp_path / "metrics.csv"
    files[0].write_text(INVENTORY)
    files[1].write_text("\n".join(lines))
    assert typed("import", "--inventory", str(files[0]), "--metrics", str(files[1])).code == 0
    return typed


def listed(typed: Type, *words: str) -> list[dict[str, Any]]:
    told = json.loads(typed("recommend", "--type", "Idle", *words, "--output", "json").out)
    found: list[dict[str, Any]] = told["idleRecommendations"]
    return found


def test_what_is_idle_is_counted_and_listed_with_its_reason(imported: Type) -> None:
    ran = imported("analyze", "--as-of", "2026-03-14")
    table = imported("recommend", "--type", "Idle")

    assert "Idle: 1 DocumentDBCluster, 1 SageMakerEndpoint; 83.95 USD a month" in ran.out
    assert table.out.index("scores") < table.out.index("docs")
    assert "The cluster had no connections over the 14-day lookback period." in table.out
    assert "Total estimated savings: 83.95 USD a month; of 1 nobody knows the price." in table.out
    # Unknown is not 0.
    assert [one["estimatedMonthlySavings"] for one in listed(imported)] == [83.95, None]


def test_a_file_of_limits_finds_more(imported: Type, tmp_path: Path) -> None:
    limits = tmp_path / "limits.yaml"
    limits.write_text("MemoryDBCluster: {engine_cpu_percent: 2}")

    ran = imported("analyze", "--as-of", "2026-03-14", "--idle-limits", str(limits))

    assert ran.code == 0
    first = listed(imported)[0]
    assert first["name"] == "sessions"
    assert "below 2%" in first["findingDescription"]


def test_a_wrong_file_of_limits_ends_before_anything_is_analyzed(
    imported: Type, tmp_path: Path
) -> None:
    limits = tmp_path / "limits.yaml"
    limits.write_text("MemoryDBCluster: {cpu: 2}")

    ran = imported("analyze", "--as-of", "2026-03-14", "--idle-limits", str(limits))

    assert ran.code == 2
    assert "no limit 'cpu'; expected one of engine_cpu_percent" in ran.err
    assert "nothing was analyzed yet" in imported("recommend", "--type", "Idle").out


def test_newer_types_are_left_out_where_a_setting_says_so(
    imported: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert imported("analyze", "--as-of", "2026-03-14").code == 0
    monkeypatch.setenv("COMPUTE_OPTIMIZER_NEWER_IDLE_TYPES", "no")

    assert listed(imported) == []


def test_accounts_and_regions_narrow_the_list(imported: Type) -> None:
    assert imported("analyze", "--as-of", "2026-03-14").code == 0

    assert len(listed(imported, "--account", ALPHA, "--region", "us-east-1")) == 2
    assert listed(imported, "--region", "eu-west-1") == []
    told = imported("recommend", "--type", "Idle", "--state", "dismissed").out
    assert told.startswith("No recommendation fits the given account, region, type and state")


def test_idle_is_listed_by_itself(imported: Type) -> None:
    ended = imported("recommend", "--type", "Idle", "--type", "EbsVolume")

    assert ended.code == 2
    assert "leave the other types out" in ended.err
