"""What descriptions of instance types say, where that takes more than reading a member."""

from typing import Any

import pytest

from compute_optimizer.catalog.type_descriptions import (
    ebs_mibps,
    gpu_count,
    network_gbps,
    network_text_gbps,
)


@pytest.mark.parametrize(
    ("text", "gbps"),
    [
        ("10 Gigabit", 10),
        ("Up to 12.5 Gigabit", 12.5),
        ("16x 200 Gigabit", 3200),
        ("Low to Moderate", None),
        ("High", None),
        ("12.5.1 Gigabit", None),
        (". Gigabit", None),
    ],
)
def test_network_texts_give_gigabits_or_nothing(text: str, gbps: float | None) -> None:
    assert network_text_gbps(text) == gbps


def described(performance: str, *cards: dict[str, float]) -> dict[str, Any]:
    return {"NetworkInfo": {"NetworkPerformance": performance, "NetworkCards": list(cards)}}


def test_without_cards_the_text_gives_the_peak_and_the_baseline_is_unknown() -> None:
    item = described("Up to 10 Gigabit")

    assert network_gbps(item, "PeakBandwidthInGbps") == 10
    assert network_gbps(item, "BaselineBandwidthInGbps") is None


def test_cards_add_up_to_no_more_than_the_instance_has() -> None:
    card = {"PeakBandwidthInGbps": 200.0}

    assert network_gbps(described("200 Gigabit", card, card), "PeakBandwidthInGbps") == 200
    assert network_gbps(described("600 Gigabit", card, card), "PeakBandwidthInGbps") == 400


def test_a_type_without_dedicated_ebs_bandwidth_has_no_ebs_figures() -> None:
    assert ebs_mibps({"EbsInfo": {}}, "BaselineThroughputInMBps") is None


def test_a_share_of_a_gpu_counts_as_one_and_older_answers_count_whole_ones() -> None:
    assert gpu_count({"GpuInfo": {"Gpus": [{"LogicalGpuCount": 1, "Count": 0}]}}) == 1
    assert gpu_count({"GpuInfo": {"Gpus": [{"Count": 4}, {"Count": 4}]}}) == 8
    assert gpu_count({}) == 0
