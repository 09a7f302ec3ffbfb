"""The committed table of instance types is what the script makes of moto's data."""

import gzip
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

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


def test_membership_is_one_bit_per_type(script: ModuleType) -> None:
    # 1 0 1, filled up with zeros: 1010 0000.
    assert script.membership(["a", "b", "c"], {"a", "c"}) == "a0"
