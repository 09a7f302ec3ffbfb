"""The committed tables of prices and CPU speeds are what the script makes of the figures."""

import gzip
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from compute_optimizer.catalog.instance_types import CPU_SPEEDS_FILE
from compute_optimizer.catalog.price_table import PRICES_FILE

DATA = "src/compute_optimizer/catalog/data"

RATIOS = {
    "c6i": {"how": "sparecores-2024"},
    "c6id": {"how": "ancestor:c6i"},
    "c8g": {"how": "ancestor:c7g"},
}


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("build_prices")


def row(instance_type: str, usd: str, source: str, quality: str) -> dict[str, str]:
    return {
        "instance_type": instance_type,
        "usd_per_hour": usd,
        "source": source,
        "date": "2026-07-20",
        "quality": quality,
    }


def test_building_again_gives_the_committed_prices(
    script: ModuleType, repository: Path, shared: Path
) -> None:
    # Compared unpacked: another zlib may pack the same bytes differently.
    committed = (repository / DATA / PRICES_FILE).read_bytes()
    built = script.build_prices(shared / "catalog")

    assert gzip.decompress(built) == gzip.decompress(committed)
    assert built == script.build_prices(shared / "catalog")


def test_building_again_gives_the_committed_speeds(
    script: ModuleType, repository: Path, shared: Path
) -> None:
    committed = (repository / DATA / CPU_SPEEDS_FILE).read_bytes()

    assert script.build_cpu_speeds(shared / "catalog") == committed


def test_a_related_family_gives_its_ratio_and_its_date(script: ModuleType) -> None:
    assert script.ratio_date(RATIOS, "c6id") == "2024-02-21"
    assert script.ratio_date(RATIOS, "c8g") is None


def test_a_derived_price_is_as_old_as_its_oldest_input(script: ModuleType) -> None:
    derived = row("c6id.large", "0.1", "derived: us-east-1 x ratio of c6i", "derived-ancestor")

    assert script.linux_fact(derived, RATIOS) == (
        "derived: us-east-1 x ratio of a related family",
        "2024-02-21",
        "derived-ancestor",
    )


def test_an_exact_price_keeps_the_date_of_its_list(script: ModuleType) -> None:
    exact = row("c6id.large", "0.1", "a list", "exact")

    assert script.linux_fact(exact, RATIOS) == ("a list", "2026-07-20", "exact")


def test_only_prices_beyond_the_tolerance_are_listed(script: ModuleType) -> None:
    # 0.1004 lies 0.4 % above the law, 0.1006 0.6 %; no law is known for the third.
    listed = {
        name: row(name, usd, "a list", "exact")
        for name, usd in (("a.large", "0.1004"), ("b.large", "0.1006"), ("c.large", "0.1"))
    }

    assert script.exceptions({"a.large": 0.1, "b.large": 0.1}, listed) == {
        "b.large": 0.1006,
        "c.large": 0.1,
    }


def test_a_rhel_figure_with_the_add_on_is_not_followed(script: ModuleType) -> None:
    # Linux 0.1: plain Red Hat on 4 vCPUs is 0.16, with High Availability 0.195.
    home = {"a.xlarge": 0.1, "b.xlarge": 0.1}
    listed = {
        "a.xlarge": row("a.xlarge", "0.16", "a list", "exact-dated"),
        "b.xlarge": row("b.xlarge", "0.195", "a list", "exact-dated"),
    }

    group, facts = script.platform_table("rhel", listed, home, {"a.xlarge": 4, "b.xlarge": 4})

    assert group["surcharges"] == {}
    assert facts["a.xlarge"][2] == "exact-dated"
    assert facts["b.xlarge"][2] == "derived"
    assert "before Red Hat's change of prices in 2024" in facts["a.xlarge"][0]
