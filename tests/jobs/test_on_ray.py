"""Ray: the same results as on one machine, also where machines die, and no secret in its files.

One cluster for all of the module, because starting it is what takes the time: a head that works off
nothing, and nodes with one processor each.
"""

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import Table, select

from compute_optimizer.errors import StoreUnavailable
from compute_optimizer.interfaces import Executor, Found, Task
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.backtest import BacktestRequest, backtest
from compute_optimizer.jobs.calibrate import calibrate
from compute_optimizer.jobs.executors import opened_executor
from compute_optimizer.jobs.executors.local import locally
from compute_optimizer.jobs.executors.on_ray import QUIET
from compute_optimizer.jobs.stored_fleets import stored_fleet
from compute_optimizer.model.metrics import SLOTS_PER_DAY, ShardSamples, Window
from compute_optimizer.store import State
from compute_optimizer.store.inventory import place, upsert_resources
from compute_optimizer.store.schema import (
    idle_recommendations,
    recommendation_errors,
    recommendations,
    run_summaries,
)
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, BETA, Desk
from tests.samples import put_samples
from tests.states import FreshUrl
from tests.stored_fleets import CPU, LAST_DAY, MEMORY, machine

PASSWORD = "correct-horse-battery"
REGIONS = ("us-east-1", "eu-west-1", "ap-south-1")
MACHINES = 12
"""Of each shard, and there are six: enough that a risk can be fitted."""

DAYS = 35


@dataclass(frozen=True)
class Nodes:
    """The cluster, and an executor over it."""

    cluster: Any
    folder: Path
    """Of Ray's files."""
    execute: Executor

    def kill(self, node: Any) -> None:
        """End every process of a node, as if its machine were gone, and let another one come."""
        self.cluster.remove_node(node, allow_graceful=False)
        self.cluster.add_node(num_cpus=1)


@pytest.fixture(scope="module")
def desk(fresh_postgresql: FreshUrl) -> Iterator[Desk]:
    """ALPHA and BETA are opted in; the state's URL has a password, for which nobody asks."""
    url = fresh_postgresql().replace("postgres:@", f"postgres:{PASSWORD}@")
    assert PASSWORD in url
    with closing(State(url)) as state:
        desk = Desk(state)
        for account in (ALPHA, BETA):
            desk.opt_in(account)
        desk.settle()
        yield desk


@pytest.fixture(scope="module")
def tiles(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> TileStore:
    """Six shards of noise: sums of it show in which order they were made."""
    store = TileStore(tmp_path_factory.mktemp("ray") / "tiles", durable=False)
    generator = np.random.default_rng(46)
    for account in (ALPHA, BETA):
        for region in REGIONS:
            fleet = [machine(number, account, region) for number in range(MACHINES)]
            with desk.state.writing() as connection:
                upsert_resources(connection, fleet)
                keys = place(connection, fleet)
            shape = (MACHINES, DAYS * SLOTS_PER_DAY)
            level = generator.uniform(1, 60, (MACHINES, 1))
            cpu = np.minimum(level * generator.lognormal(0, 0.4, shape), 100)
            series = {
                CPU: cpu.astype(np.float32),
                MEMORY: generator.uniform(5, 80, shape).astype(np.float32),
            }
            window = Window(LAST_DAY.fromordinal(LAST_DAY.toordinal() - DAYS + 1), LAST_DAY)
            arns = tuple(one.arn for one in fleet)
            put_samples(desk.state, store, keys[arns[0]], ShardSamples(arns, window, series))
    return store


@pytest.fixture(scope="module")
def nodes(desk: Desk) -> Iterator[Nodes]:
    # Nodes are processes of this one: they import what it imports.
    os.environ.update(QUIET, PYTHONPATH=os.pathsep.join(one for one in sys.path if one))
    Path(tempfile.gettempdir(), "ray").mkdir(exist_ok=True)
    from ray.cluster_utils import Cluster

    with tempfile.TemporaryDirectory(prefix="r", ignore_cleanup_errors=True) as name:
        cluster: Any = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0,
                "include_dashboard": False,
                "temp_dir": name,
            },
        )
        cluster.add_node(num_cpus=1)
        with opened_executor("ray", desk.state, address=cluster.address) as execute:
            yield Nodes(cluster, Path(name), execute)
        cluster.shutdown()


def stored(state: State, run_id: str) -> dict[str, set[tuple[Any, ...]]]:
    """Return every row that a run wrote, but for the names of the run and of its parts."""
    found = {}
    for table in (recommendations, recommendation_errors, idle_recommendations, run_summaries):
        rows = _rows(state, table, run_id)
        found[table.name] = set(rows)
        assert len(found[table.name]) == len(rows), "a shard was written twice"
    return found


def _rows(state: State, table: Table, run_id: str) -> list[tuple[Any, ...]]:
    # Within one run a scope has one shard here, so that summaries need no part to be told apart.
    names = [one.name for one in table.c if one.name not in ("run_id", "part")]
    query = select(*(table.c[name] for name in names)).where(table.c.run_id == run_id)
    with state.reading() as connection:
        return [tuple(row) for row in connection.execute(query)]


def written_then_slow(work: Callable[[Task], Found], started: Path, task: Task) -> Found:
    """Do all of a shard's work, and be there for a while: who is killed then had written it."""
    found = work(task)
    (started / uuid4().hex).touch()
    sleep(2)
    return found


def killing(nodes: Nodes, started: Path, execute: Executor) -> Executor:
    """Return an executor that loses its machine when the second shard has been written."""
    waiting = [nodes.cluster.worker_nodes.copy()]

    def progress_of(told: Callable[[int, int], None]) -> Callable[[int, int], None]:
        def progress(done: int, total: int) -> None:
            told(done, total)
            if waiting:
                # The first is done; the second has been written and is being waited for.
                while len(list(started.iterdir())) < 2:
                    sleep(0.05)
                for node in waiting.pop():
                    nodes.kill(node)

        return progress

    def run(
        work: Callable[[Task], Found],
        tasks: Any,
        progress: Callable[[int, int], None],
        *,
        resources: int,
    ) -> list[Found]:
        slow = partial(written_then_slow, work, started)
        return execute(slow, tasks, progress_of(progress), resources=resources)

    return run


def test_a_machine_that_dies_changes_no_row_of_an_analysis(
    desk: Desk, tiles: TileStore, nodes: Nodes, tmp_path: Path
) -> None:
    alone = analyze(desk.state, tiles, desk.clock, executor=locally(1))
    killed = list(nodes.cluster.worker_nodes)

    far = analyze(desk.state, tiles, desk.clock, executor=killing(nodes, tmp_path, nodes.execute))

    assert not nodes.cluster.worker_nodes & set(killed), "no machine died"
    assert stored(desk.state, far.run_id) == stored(desk.state, alone.run_id)
    assert far.tally == alone.tally
    assert far.tally.resources == len(REGIONS) * 2 * MACHINES


def test_scores_and_fits_are_the_same_bit_by_bit(
    desk: Desk, tiles: TileStore, nodes: Nodes
) -> None:
    here = stored_fleet(desk.state, tiles, executor=locally(1))
    there = stored_fleet(desk.state, tiles, executor=nodes.execute)
    request = BacktestRequest()

    assert here.ids == there.ids
    for name, demand in here.demand.items():
        assert demand.tobytes() == there.demand[name].tobytes()
    assert backtest(here, request) == backtest(there, request)
    fits = [
        calibrate(desk.state, tiles, desk.clock, keep=False, executor=executor)
        for executor in (locally(1), nodes.execute)
    ]
    assert fits[0] == fits[1]


def test_what_a_task_raises_names_the_shard_and_not_ray(
    desk: Desk, tiles: TileStore, nodes: Nodes
) -> None:
    nowhere = TileStore(tiles.root / "nowhere")

    with pytest.raises(StoreUnavailable) as told:
        analyze(desk.state, nowhere, desk.clock, executor=nodes.execute)

    assert str(told.value).startswith("shard 0 of Ec2Instance in ")
    assert "ray" not in str(told.value).lower().replace(str(nowhere.root).lower(), "")
    # Here and in every file that Ray wrote about what it did.
    assert PASSWORD not in str(told.value)
    files = [one for one in nodes.folder.rglob("*") if one.is_file()]
    assert files
    secret = PASSWORD.encode()
    assert [one for one in files if secret in one.read_bytes()] == []
    assert logging.getLogger("ray").level >= logging.CRITICAL
