"""`compute-optimizer explain`, as somebody types it."""

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore
from tests.cli.conftest import Type
from tests.enrolling import ALPHA
from tests.stored_fleets import BUSY, store_fleet

LAST_DAY = "2026-03-14"


def dimension(explanation: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in explanation["dimensions"] if one["dimension"] == name]
    evidence: dict[str, Any] = found
    return evidence


def test_the_tables_tell_what_decided(typed: Type, fleet: list[str]) -> None:
    ended = typed("explain", fleet[0], "--as-of", LAST_DAY)

    assert ended.code == 0
    assert ended.out.startswith(f"{fleet[0]}\nm5.xlarge, ")
    assert "Window 2026-03-01 to 2026-03-14, as of 2026-03-15 00:00" in ended.out
    assert "Finding: Overprovisioned (CPUOverprovisioned" in ended.out
    for title in ("Metrics", "What each dimension asks for", "Types that were closest"):
        assert title in ended.out
    # 20 % of 16 GiB are 3,277 MiB; with a fifth left free 4,096 are needed.
    assert re.search(r"Memory +│ MiB .* 3,277 .* 4,096 .* 16,384 ", ended.out)
    assert "e+" not in ended.out


def test_json_holds_the_same_figures(typed: Type, fleet: list[str]) -> None:
    ended = typed("explain", fleet[0], "--as-of", LAST_DAY, "--output", "json")

    told = json.loads(ended.out)
    assert told["resource_arn"] == fleet[0]
    assert told["finding"] == "Overprovisioned"
    memory = dimension(told, "Memory")
    # 20 % of 16,384 MiB = 3,276.8; / 0.8 = 4,096.
    assert memory["demand"] == pytest.approx(3_276.8)
    assert memory["limit"] == pytest.approx(4_096)
    assert {one["metric"]: one["samples"] for one in told["metrics"]}["CPUUtilization"] == 14 * 288


def test_an_id_is_enough_and_the_current_analysis_is_explained(
    typed: Type, fleet: list[str]
) -> None:
    typed("analyze", "--as-of", "2026-03-13T12:00")

    ended = typed("explain", fleet[1].rpartition("/")[2])

    assert "as of 2026-03-13 12:00" in ended.out
    assert "Finding: Underprovisioned" in ended.out


def test_a_period_without_samples_is_explained_as_such(typed: Type, fleet: list[str]) -> None:
    ended = typed("explain", fleet[0], "--as-of", "2025-01-01")

    assert ended.code == 0
    assert "Finding: INSUFFICIENT_METRIC_DATA" in ended.out
    assert "price unknown" not in ended.out


@pytest.mark.usefixtures("fleet")
def test_an_instance_that_nobody_imported_is_not_found(typed: Type) -> None:
    ended = typed("explain", "i-00000000000000099")

    assert ended.code == 3
    assert "i-00000000000000099" in ended.err


def test_a_moment_in_the_future_is_wrong_input(typed: Type, fleet: list[str]) -> None:
    ended = typed("explain", fleet[0], "--as-of", "2999-01-01")

    assert ended.code == 2
    assert "expected a moment" in ended.err


def test_the_tables_tell_what_would_change_the_answer(typed: Type, fleet: list[str]) -> None:
    ended = typed("explain", fleet[0], "--as-of", LAST_DAY)

    assert (
        "History: 14 of 14 days have samples of CPU, 100.0 % of the slots (4,032; 360" in ended.out
    )
    # Full at 16,384 MiB less 20 %: the search ends just behind 13,107.2.
    assert re.search(
        r"Memory +│ MiB +│ +3,277 +│ +13,1(07|08|09) +│ Underprovisioned +│", ended.out
    )
    assert re.search(r"CPU percentile +│ P95 +│ the same +│ the same", ended.out)
    assert re.search(r"Memory headroom +│ 30 % +│", ended.out)


def test_two_days_side_by_side_name_what_changed(
    typed: Type, fleet: list[str], tmp_path: Path
) -> None:
    with closing(State(f"sqlite:///{tmp_path / 'state.db'}")) as state:
        store_fleet(state, TileStore(tmp_path / "tiles"), ALPHA, cpu=(BUSY, BUSY), days=2)

    ended = typed("explain", fleet[0], "--as-of", LAST_DAY, "--against", "2026-03-12")

    assert ended.code == 0
    assert "The finding and the first option changed; alone enough for it: CPU samples" in ended.out
    assert re.search(r"As of +│ 2026-03-13 00:00 +│ 2026-03-15 00:00", ended.out)
    assert re.search(r"Finding +│ Overprovisioned +│ Underprovisioned", ended.out)
    # 10 and then 95 % of 4 vCPUs.
    assert re.search(r"CPU +│ vCPU of m5 +│ P99.5 +│ +0.4 +│ +3.8 +│ +\+850.0 % ", ended.out)
    assert "samples that entered the window" in ended.out


def test_a_comparison_is_json_too_and_says_where_nothing_changed(
    typed: Type, fleet: list[str]
) -> None:
    words = ("explain", fleet[0], "--as-of", LAST_DAY, "--against", "2026-03-13")
    told = json.loads(typed(*words, "--output", "json").out)

    assert told["changes"] == told["decisive"] == []
    assert told["before"]["answer"] == told["after"]["answer"]
    # A day less lies in the earlier window: its first day is before the first sample.
    assert told["before"]["history"]["days_with_data"] == 13
    assert "Neither the finding nor the first option changed." in typed(*words).out


@pytest.mark.parametrize(
    ("against", "said"),
    [(LAST_DAY, "expected two that differ"), ("tomorrow", "--against 'tomorrow' is no moment")],
)
def test_comparing_needs_another_moment(
    typed: Type, fleet: list[str], against: str, said: str
) -> None:
    ended = typed("explain", fleet[0], "--as-of", LAST_DAY, "--against", against)

    assert ended.code == 2
    assert said in ended.err


def test_what_has_changed_since_it_was_stored_is_printed(
    typed: Type, fleet: list[str], tmp_path: Path
) -> None:
    typed("analyze", "--as-of", LAST_DAY)
    assert "The stored recommendation rests on the same figures." in typed("explain", fleet[0]).out
    with closing(State(f"sqlite:///{tmp_path / 'state.db'}")) as state:
        store_fleet(state, TileStore(tmp_path / "tiles"), ALPHA, cpu=(BUSY, BUSY), days=2)

    ended = typed("explain", fleet[0])

    assert "Not what it was when it was stored" in ended.out
    assert re.search(r"CPU demand +│ 0.4 +│ 3.8 ", ended.out)
