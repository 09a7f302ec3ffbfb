"""The committed table of instance types is what the script makes of moto's data."""

import gzip
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from compute_optimizer.catalog.instance_types import INSTANCE_TYPES_FILE
from compute_optimizer.catalog.tables import read_table

DATA = "src/compute_optimizer/catalog/data"


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("build_instance_types")


def test_building_again_gives_the_committed_table(script: ModuleType, repository: Path) -> None:
    # Compared unpacked: another zlib may pack the same bytes differently.
    committed = (repository / DATA / INSTANCE_TYPES_FILE).read_bytes()
    built = script.build(read_table(INSTANCE_TYPES_FILE)["date"])

    assert gzip.decompress(built) == gzip.decompress(committed)
    assert built == script.build(read_table(INSTANCE_TYPES_FILE)["date"])


@pytest.mark.parametrize(
    ("text", "gbps"),
    [
        ("10 Gigabit", 10),
        ("Up to 12.5 Gigabit", 12.5),
        ("16x 200 Gigabit", 3200),
        ("Low to Moderate", None),
        ("High", None),
    ],
)
def test_network_texts_give_gigabits_or_nothing(
    script: ModuleType, text: str, gbps: float | None
) -> None:
    assert script.network_text_gbps(text) == gbps


def described(performance: str, *cards: dict[str, float]) -> dict[str, Any]:
    return {"NetworkInfo": {"NetworkPerformance": performance, "NetworkCards": list(cards)}}


def test_without_cards_the_text_gives_the_peak_and_the_baseline_is_unknown(
    script: ModuleType,
) -> None:
    item = described("Up to 10 Gigabit")

    assert script.network_gbps(item, "PeakBandwidthInGbps") == 10
    assert script.network_gbps(item, "BaselineBandwidthInGbps") is None


def test_cards_add_up_to_no_more_than_the_instance_has(script: ModuleType) -> None:
    card = {"PeakBandwidthInGbps": 200.0}

    assert script.network_gbps(described("200 Gigabit", card, card), "PeakBandwidthInGbps") == 200
    assert script.network_gbps(described("600 Gigabit", card, card), "PeakBandwidthInGbps") == 400


def test_a_type_without_dedicated_ebs_bandwidth_has_no_ebs_figures(script: ModuleType) -> None:
    assert script.ebs_mibps({"EbsInfo": {}}, "BaselineThroughputInMBps") is None


def test_membership_is_one_bit_per_type(script: ModuleType) -> None:
    # 1 0 1, filled up with zeros: 1010 0000.
    assert script.membership(["a", "b", "c"], {"a", "c"}) == "a0"
