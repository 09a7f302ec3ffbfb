"""A price list that somebody loads moves what the demo saves, in `recommend` and over the API."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.app import Application
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.catalog.prices import hourly_prices
from compute_optimizer.cli.demo import prepare
from compute_optimizer.jobs.demo import claim_folder
from compute_optimizer.scenario.organization import ACCOUNTS
from tests.commands import Type, typed
from tests.end_to_end.conftest import REGION, Served
from tests.price_lists import EC2_COLUMNS, RATE_COLUMNS, ec2_row, rate_row, write_list

__all__ = ["typed"]

SIZE = 24
"""Instances of the demo; what goes with them has some of every type."""

GP2_USD = 0.15
"""A GiB and month on the list; the package ships 0.10."""

Savings = dict[str, float | None]


@pytest.fixture
def demo(served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The demo, in the state of a running server and of commands."""
    claim_folder(served.settings.data_dir)
    prepare(Application(served.settings, served.clock, served.state), SIZE)
    monkeypatch.setenv("COMPUTE_OPTIMIZER_STATE_URL", served.settings.state_url)
    return served


def recommended(typed: Type, resource_type: str) -> dict[str, dict[str, Any]]:
    """Return what `recommend` prints of a type in the Region, by ARN."""
    words = ("recommend", "--type", resource_type, "--output", "json", "--limit", "1000")
    rows = json.loads(typed(*words).out)["recommendations"]
    return {one["resourceArn"]: one for one in rows if f":{REGION}:" in one["resourceArn"]}


def over_the_api(served: Served, operation: str, members: tuple[str, str, str]) -> Savings:
    """Return the monthly savings of the first options by ARN, of all accounts in the Region."""
    every, arn, options = members
    found: Savings = {}
    for account in ACCOUNTS:
        for one in getattr(served.client(account.account_id), operation)()[every]:
            first: dict[str, Any] = next(iter(one.get(options, ())), {})
            saved = first.get("savingsOpportunity", {}).get("estimatedMonthlySavings", {})
            found[one[arn]] = saved.get("value")
    return found


def midnight(demo: Served) -> str:
    return f"{demo.clock.now():%Y-%m-%d}T00:00"


def load_and_analyze(demo: Served, typed: Type, *files: Path) -> None:
    for file in files:
        assert typed("prices", "load", "--file", str(file)).code == 0
    # As of the moment of the demo's own analysis: the midnight after its data ends.
    assert typed("analyze", "--as-of", midnight(demo)).code == 0


KINDS = {
    "EbsVolume": (
        "get_ebs_volume_recommendations",
        ("volumeRecommendations", "volumeArn", "volumeRecommendationOptions"),
    ),
    "Ec2Instance": (
        "get_ec2_instance_recommendations",
        ("instanceRecommendations", "instanceArn", "recommendationOptions"),
    ),
    "EcsService": (
        "get_ecs_service_recommendations",
        ("ecsServiceRecommendations", "serviceArn", "serviceRecommendationOptions"),
    ),
}
"""What is looked at: by the service's name, its operation and members."""


def lists(folder: Path) -> tuple[Path, ...]:
    """Return price lists: machines and tasks at twice their shipped prices, gp2 at GP2_USD."""
    types = load_instance_types()
    shipped = dict(zip(types.names, hourly_prices(types, REGION, "linux").tolist(), strict=True))
    machines = [ec2_row(name, repr(2 * usd)) for name, usd in shipped.items() if usd == usd]
    disks = [rate_row("EBS:VolumeUsage.gp2", "GB-Mo", str(GP2_USD))]
    # Twice 0.04048 and 0.03238 for a vCPU, and 0.004445 and 0.00356 for a GB.
    tasks = [
        rate_row("USE1-Fargate-vCPU-Hours:perCPU", "hours", "0.08096"),
        rate_row("USE1-Fargate-GB-Hours", "hours", "0.00889"),
        rate_row("USE1-Fargate-ARM-vCPU-Hours:perCPU", "hours", "0.06476"),
        rate_row("USE1-Fargate-ARM-GB-Hours", "hours", "0.00712"),
    ]
    return (
        write_list(folder / "ec2.csv", [*machines, *disks], columns=EC2_COLUMNS),
        write_list(folder / "ecs.csv", tasks, columns=RATE_COLUMNS, offer="AmazonECS"),
    )


def expected(kind: str, one: dict[str, Any], saved: float) -> float:
    """Return what a resource saves by the lists that saved so much by the shipped prices."""
    if kind != "EbsVolume":
        # Both sides of the difference are twice what they were.
        return 2 * saved
    is_left = one["current"].startswith("gp2") and not one["recommended"].startswith("gp2")
    gib = float(one["current"].split()[1].replace(",", ""))
    # 0.15 instead of 0.10 USD for each GiB of what is left; what it becomes costs as before.
    return saved + (gib * (GP2_USD - 0.10) if is_left else 0.0)


def test_a_price_list_moves_what_the_demo_saves_by_the_difference_of_prices(
    demo: Served, typed: Type, tmp_path: Path
) -> None:
    printed = {kind: recommended(typed, kind) for kind in KINDS}
    answered = {kind: over_the_api(demo, *asked) for kind, asked in KINDS.items()}

    load_and_analyze(demo, typed, *lists(tmp_path))

    moved: Counter[str] = Counter()
    for kind, asked in KINDS.items():
        now_printed, now_answered = recommended(typed, kind), over_the_api(demo, *asked)
        for arn, one in printed[kind].items():
            saved, answer = one["estimatedMonthlySavings"], answered[kind].get(arn)
            if one["recommended"] is None or not saved or answer is None:
                continue
            assert now_printed[arn]["recommended"] == one["recommended"]
            told = now_printed[arn]["estimatedMonthlySavings"]
            # `recommend` prints cents: twice a rounded figure may be off by one.
            assert told == pytest.approx(expected(kind, one, saved), abs=0.011)
            assert now_answered[arn] == pytest.approx(expected(kind, one, answer))
            moved[kind] += told != saved
    assert moved.keys() == KINDS.keys()
