"""What docs/tiles.md says of the files is so: its questions run on real tiles."""

import re
from datetime import date, datetime
from pathlib import Path

import duckdb
import numpy as np
import pytest

from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.model.resource import ShardKey
from compute_optimizer.store import State
from compute_optimizer.store.inventory import SHARD_RESOURCES
from compute_optimizer.store.tile_files import FORMAT_VERSION, VERSION_KEY
from compute_optimizer.store.tiles import TileStore
from tests.inventoried import ACCOUNT, instance, upsert
from tests.samples import put_samples

CPU = MetricKey("CPUUtilization", Statistic.MAXIMUM)
NETWORK = MetricKey("NetworkIn", Statistic.SUM)
FIRST, SECOND = date(2026, 1, 31), date(2026, 2, 1)


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "tiles.md").read_text()


@pytest.fixture
def data(sqlite_state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder: two instances in one Region, and one day of another in a second Region."""
    store = TileStore(tmp_path / "tiles")
    upsert(sqlite_state, instance(1), instance(2), instance(3, region="eu-west-1"))
    cpu = np.full((2, 2 * SLOTS_PER_DAY), 10, np.float32)
    cpu[1] = 20
    cpu[1, :SLOTS_PER_DAY:2] = np.nan
    arns = instance(1).arn, instance(2).arn
    east = ShardSamples(arns, Window(FIRST, SECOND), {CPU: cpu})
    put_samples(sqlite_state, store, ShardKey(ACCOUNT, "us-east-1", "Ec2Instance", 0), east)
    network = np.full((1, SLOTS_PER_DAY), np.nan, np.float32)
    network[0, 3] = 600
    far = instance(3, region="eu-west-1").arn
    west = ShardSamples((far,), Window(FIRST, FIRST), {NETWORK: network})
    put_samples(sqlite_state, store, ShardKey(ACCOUNT, "eu-west-1", "Ec2Instance", 0), west)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answers(page: str) -> list[list[tuple[object, ...]]]:
    queries = re.findall(r"^```sql\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    with duckdb.connect() as connection:
        return [connection.execute(query).fetchall() for query in queries]


def test_the_questions_of_the_page_have_the_answers_they_promise(page: str, data: Path) -> None:
    first = instance(1).arn
    far = instance(3, region="eu-west-1").arn.replace(ACCOUNT, "111111111111")

    highest, present, network = answers(page)

    assert highest == [(instance(2).arn, 20, 20), (first, 10, 10), (far, None, None)]
    # On the first day instance 2 has every second slot: 3/4 of the Region's.
    assert present == [
        ("eu-west-1", FIRST, 1, 0.0),
        ("us-east-1", FIRST, 2, 75.0),
        ("us-east-1", SECOND, 2, 100.0),
    ]
    # 600 bytes in five minutes are 2 a second.
    assert network == [(far, datetime(2026, 1, 31, 0, 15), 2.0)]


def test_paths_are_as_the_page_shows_them(page: str, data: Path) -> None:
    (shown,) = re.findall(r"^    (tiles/current/\S+)$", page, re.MULTILINE)
    pattern = re.sub(r"\d+|us-east-1|[0-9a-f]{12}", "*", shown)

    matching = set(data.glob(re.sub(r"\*[-*.a-f0-9]*\.parquet$", "*.parquet", pattern)))

    assert matching == set(data.glob("tiles/current/**/*.parquet"))
    assert len(matching) == 3


def test_the_page_knows_the_format(page: str) -> None:
    assert f"`{VERSION_KEY.decode()}` (now {FORMAT_VERSION})" in page
    assert f"up to {SHARD_RESOURCES:,} resources" in page
    assert f"all {SLOTS_PER_DAY} slots" in page
