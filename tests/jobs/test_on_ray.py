"""Ray: the same results as on one machine, also where machines die, and no secret in its files.

One cluster for all of the module, because starting it is what takes the time: a head that works off
nothing, and a node with one processor. The tiles lie in a bucket.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import count
from pathlib import Path
from platform import node
from time import sleep
from typing import Any
from uuid import uuid4

import boto3
import numpy as np
import pytest
from sqlalchemy import Table, select, text

from compute_optimizer.backtest.grid import Grid
from compute_optimizer.errors import StoreUnavailable
from compute_optimizer.interfaces import Executor, Found, Task
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.backtest import BacktestRequest, backtest_stored
from compute_optimizer.jobs.calibrate import calibrate
from compute_optimizer.jobs.executors import opened_executor
from compute_optimizer.jobs.executors.local import locally
from compute_optimizer.jobs.executors.on_ray import ENVIRONMENT, log
from compute_optimizer.jobs.simulate import simulate
from compute_optimizer.jobs.simulated_fleets import imported_fleet
from compute_optimizer.model.metrics import SLOTS_PER_DAY, ShardSamples, Window
from compute_optimizer.model.resource import EC2_INSTANCE, ShardKey
from compute_optimizer.store import State, tile_bucket
from compute_optimizer.store.inventory import place, upsert_resources
from compute_optimizer.store.schema import (
    idle_recommendations,
    recommendation_errors,
    recommendations,
    run_scopes,
    run_summaries,
    runs,
)
from compute_optimizer.store.tiles import TileStore
from tests.buckets import in_bucket
from tests.commands import Type
from tests.enrolling import ALPHA, BETA, Desk, opt_in
from tests.samples import put_samples
from tests.states import FreshUrl
from tests.stored_fleets import CPU, LAST_DAY, MEMORY, machine
from tests.waiting import SECONDS, wait_until
from tests.wrong_clocks import WrongClock

PASSWORD = "correct-horse-battery"
REGIONS = ("us-east-1", "eu-west-1")
MACHINES = 16
"""Of each shard, and there are four: enough that a risk can be fitted."""

DAYS = 28
"""The fewest that a backtest takes."""

HEALTH = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_failure_threshold": 2,
}
"""How soon Ray takes a machine for dead that answers nothing: after a second, not after 15."""


@dataclass(frozen=True)
class Nodes:
    """The cluster."""

    cluster: Any
    folder: Path
    """Of Ray's files."""

    @property
    def address(self) -> str:
        found: str = self.cluster.address
        return found

    def kill(self, node: Any) -> None:
        """End every process of a node, as if its machine were gone, and let another one come."""
        self.cluster.remove_node(node, allow_graceful=False)
        self.cluster.add_node(num_cpus=1)


@dataclass(frozen=True, eq=False)
class Fleet:
    """What the jobs work on."""

    desk: Desk
    tiles: TileStore

    @property
    def state(self) -> State:
        return self.desk.state


@pytest.fixture(scope="module")
def desk(fresh_postgresql: FreshUrl) -> Iterator[Desk]:
    """ALPHA and BETA are opted in; the state's URL has a password, for which nobody asks."""
    url = fresh_postgresql().replace("postgres:@", f"postgres:{PASSWORD}@")
    assert PASSWORD in url
    with closing(State(url)) as state:
        desk = opt_in(state, ALPHA, BETA)
        yield desk


@pytest.fixture(scope="module")
def tiles_url(s3_url: str) -> Iterator[str]:
    """A place for tiles in a bucket, and what every machine of the cluster finds it by."""
    found = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_ENDPOINT_URL_S3": s3_url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in found.items():
            patch.setenv(name, value)
        bucket = f"tiles-{uuid4()}"
        boto3.session.Session().client("s3").create_bucket(Bucket=bucket)
        tile_bucket.client.cache_clear()
        yield f"s3://{bucket}/fleet"
        tile_bucket.client().close()
        tile_bucket.client.cache_clear()


@pytest.fixture(scope="module")
def fleet(desk: Desk, tiles_url: str, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """Four shards of noise: sums of it show in which order they were made."""
    store = in_bucket(tmp_path_factory.mktemp("ray") / "tiles", tiles_url, desk.state)
    generator = np.random.default_rng(46)
    for account in (ALPHA, BETA):
        for region in REGIONS:
            machines = [machine(number, account, region) for number in range(MACHINES)]
            with desk.state.writing() as connection:
                upsert_resources(connection, machines)
                keys = place(connection, machines)
            shape = (MACHINES, DAYS * SLOTS_PER_DAY)
            level = generator.uniform(1, 60, (MACHINES, 1))
            cpu = np.minimum(level * generator.lognormal(0, 0.4, shape), 100)
            series = {
                CPU: cpu.astype(np.float32),
                MEMORY: generator.uniform(5, 80, shape).astype(np.float32),
            }
            window = Window(LAST_DAY.fromordinal(LAST_DAY.toordinal() - DAYS + 1), LAST_DAY)
            arns = tuple(one.arn for one in machines)
            put_samples(desk.state, store, keys[arns[0]], ShardSamples(arns, window, series))
    return Fleet(desk, store)


@pytest.fixture(scope="module")
def nodes(fleet: Fleet) -> Iterator[Nodes]:
    # Nodes are processes of this one: they import what it imports.
    os.environ.update(ENVIRONMENT, PYTHONPATH=os.pathsep.join(one for one in sys.path if one))
    Path(tempfile.gettempdir(), "ray").mkdir(exist_ok=True)
    from ray.cluster_utils import Cluster

    with tempfile.TemporaryDirectory(prefix="r", ignore_cleanup_errors=True) as name:
        cluster: Any = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0,
                "include_dashboard": False,
                "temp_dir": name,
                "_system_config": HEALTH,
            },
        )
        cluster.add_node(num_cpus=1)
        yield Nodes(cluster, Path(name))
        cluster.shutdown()


@pytest.fixture(scope="module")
def execute(fleet: Fleet, nodes: Nodes) -> Iterator[Executor]:
    with opened_executor("ray", fleet.state, address=nodes.address) as found:
        yield found


@pytest.fixture
def configured(fleet: Fleet, tiles_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands find the fleet by their environment, which no list of processes shows."""
    monkeypatch.setenv("COMPUTE_OPTIMIZER_STATE_URL", fleet.state.url)
    monkeypatch.setenv("COMPUTE_OPTIMIZER_TILES_URL", tiles_url)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder for Ray's sockets, whose names have to be shorter than those of tests are."""
    with tempfile.TemporaryDirectory(prefix="c", ignore_cleanup_errors=True) as name:
        yield Path(name)


OF_THE_MOMENT = ("runId", "seconds", "resourcesPerSecond")
"""What no two reports have in common."""

# Commands come first: while a test holds `execute`, this process is at the cluster already.
COMMANDS = {
    "analyze": ("analyze", "--as-of", f"{LAST_DAY}"),
    "simulate": ("simulate", "--percentile", "95"),
}
"""One that writes, and one of those that open their place as `backtest` and `calibrate` do."""


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_tells_the_same_from_a_cluster(nodes: Nodes, typed: Type, command: str) -> None:
    told = []
    for where in ((), ("--executor", "ray", "--address", nodes.address)):
        ended = typed(*COMMANDS[command], *where, "--output", "json")
        assert ended.code == 0, ended.err
        report = json.loads(ended.out)
        told.append({name: one for name, one in report.items() if name not in OF_THE_MOMENT})

    assert told[0] == told[1]


@pytest.mark.usefixtures("configured")
def test_ctrl_c_leaves_the_former_run_and_no_ray(
    fleet: Fleet, short_folder: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    analyze(fleet.state, fleet.tiles, fleet.desk.clock, executor=locally(1))
    known, read = _runs(fleet.state), _read(fleet.state)
    command = [sys.executable, "-m", "compute_optimizer", *COMMANDS["analyze"]]
    process = subprocess.Popen(
        [*command, "--executor", "ray", "--workers", "1", "--data-dir", str(tmp_path)],
        env={**_unset("RAY_AUTH_"), "TMPDIR": str(short_folder), "HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: process.poll() is not None or _runs(fleet.state).keys() - known.keys())
    assert process.poll() is None, process.communicate()
    with fleet.state.writing() as connection:
        # What the tasks find has to wait, so that one is there to be ended.
        connection.execute(text("LOCK TABLE recommendations IN EXCLUSIVE MODE"))
        waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        wait_until(lambda: connection.execute(waits).scalar())
        # As a terminal does: to the command and whatever it started.
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS)

    assert process.returncode == 130, said
    assert "Traceback" not in said
    found = _runs(fleet.state)
    assert [found[run] for run in found.keys() - known.keys()] == [None]
    assert _read(fleet.state) == read
    # Ray's processes name its folder, and it goes with them.
    wait_until(lambda: not _processes_naming(short_folder))
    assert list(short_folder.glob("ray-*")) == []
    # No token either, by which a later `ray start --head` would shut out the other machines.
    assert list(home.iterdir()) == []


def _unset(beginning: str) -> dict[str, str]:
    """Return the environment without the variables that begin so."""
    return {name: value for name, value in os.environ.items() if not name.startswith(beginning)}


def _runs(state: State) -> dict[str, datetime | None]:
    """Return when each run was completed."""
    with state.reading() as connection:
        rows = connection.execute(select(runs.c.run_id, runs.c.completed_at))
        return {one.run_id: one.completed_at for one in rows}


def _read(state: State) -> set[str]:
    """Return the runs that readers see."""
    query = select(run_scopes.c.run_id).where(run_scopes.c.superseded_at.is_(None))
    with state.reading() as connection:
        return set(connection.execute(query).scalars())


def _processes_naming(folder: Path) -> list[int]:
    """Return the processes whose command names a folder."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in file.read_bytes():
                found.append(int(file.parent.name))
        except OSError:
            continue
    return found


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


def analyzed(fleet: Fleet, executor: Executor) -> Any:
    found = analyze(fleet.state, fleet.tiles, fleet.desk.clock, executor=executor)
    return found.tally, stored(fleet.state, found.run_id)


def backtested(fleet: Fleet, executor: Executor) -> Any:
    request = BacktestRequest(budgets=(0.05,))
    return backtest_stored(fleet.state, fleet.tiles, request, executor=executor)


def calibrated(fleet: Fleet, executor: Executor) -> Any:
    return calibrate(fleet.state, fleet.tiles, fleet.desk.clock, keep=False, executor=executor)


def simulated(fleet: Fleet, executor: Executor) -> Any:
    found = imported_fleet(fleet.state, fleet.tiles, fleet.desk.clock)
    return simulate(found, [Grid(risk_caps=(None, 0.1))], executor=executor)


JOBS = {one.__name__: one for one in (analyzed, backtested, calibrated, simulated)}
"""Whatever is worked off shard by shard; each returns all that it found and wrote."""

MACHINE, PROCESS = "machine", "process"
"""What ends. A machine takes Ray many seconds to start, and is the same to all jobs."""

ENDS = {"analyzed": MACHINE, "backtested": PROCESS, "calibrated": PROCESS, "simulated": PROCESS}


@cache
def alone(job: str, fleet: Fleet) -> Any:
    """Return what one process finds."""
    return JOBS[job](fleet, locally(1))


def ending(work: Callable[[Task], Found], what: str, done: Path, task: Task) -> Found:
    """Do all of a task's work; who is the second to do so ends, or is there until it is killed."""
    found = work(task)
    (done / uuid4().hex).touch()
    if len(list(done.iterdir())) == 2:
        if what == PROCESS:
            os.kill(os.getpid(), signal.SIGKILL)
        sleep(SECONDS)
    return found


def killing(nodes: Nodes, what: str, done: Path, execute: Executor) -> Executor:
    """Return an executor that loses what it has when the second task has been worked off.

    A machine is lost in the first round of tasks, a process in each that has so many. `done` gets a
    folder for each of those rounds, which tells how many tasks it had.
    """
    doomed = list(nodes.cluster.worker_nodes) if what == MACHINE else []
    rounds = count()

    def run(
        work: Callable[[Task], Found],
        tasks: Any,
        progress: Callable[[int, int], None],
        *,
        resources: int,
    ) -> list[Found]:
        number = next(rounds)
        if len(tasks) < 2 or (what == MACHINE and number > 0):
            return execute(work, tasks, progress, resources=resources)
        mine = done / f"{number}-{len(tasks)}"
        mine.mkdir()

        def told(ended: int, total: int) -> None:
            progress(ended, total)
            if doomed:
                # The first is done; the second has been worked off and is being waited for.
                wait_until(lambda: len(list(mine.iterdir())) == 2)
                nodes.kill(doomed.pop())

        return execute(partial(ending, work, what, mine), tasks, told, resources=resources)

    return run


@pytest.mark.parametrize(("job", "what"), ENDS.items())
def test_what_dies_changes_nothing(
    fleet: Fleet,
    nodes: Nodes,
    execute: Executor,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    job: str,
    what: str,
) -> None:
    before = set(nodes.cluster.worker_nodes)

    far = JOBS[job](fleet, killing(nodes, what, tmp_path, execute))

    assert (nodes.cluster.worker_nodes != before) == (what == MACHINE)
    # One task more than there are: what was lost is done again.
    made = {one.name: len(list(one.iterdir())) for one in tmp_path.iterdir()}
    assert made == {name: int(name.partition("-")[2]) + 1 for name in made}
    assert f"0-{len(REGIONS) * 2}" in made, "no shard was lost"
    assert job != "calibrated" or "1-6" in made, "no fit was lost"  # All, and five folds.
    assert far == alone(job, fleet)
    assert capsys.readouterr().out == "", "Ray said something amid what a program may read"


def losing(state_url: str, done: Path, shard: ShardKey) -> bool:
    """Lose the connection to the state, and say whether that had happened before."""
    mark = done / shard.region
    is_again = mark.exists()
    mark.touch()
    with closing(State(state_url)) as state, state.writing() as connection:
        if not is_again:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    return is_again


def test_a_task_that_loses_the_state_is_tried_again(
    fleet: Fleet, execute: Executor, tmp_path: Path
) -> None:
    shards = [ShardKey(ALPHA, region, EC2_INSTANCE, 0) for region in REGIONS]
    work = partial(losing, fleet.state.url, tmp_path)

    assert execute(work, shards, lambda done, total: None, resources=0) == [True, True]


def late(state_url: str, _: ShardKey) -> None:
    """Look at the state on a machine whose clock is behind."""
    with closing(State(state_url, WrongClock(-timedelta(hours=2)))) as state, state.reading():
        pass


def test_a_machine_whose_clock_is_wrong_is_told_of_once(
    fleet: Fleet, execute: Executor, caplog: pytest.LogCaptureFixture
) -> None:
    shards = [ShardKey(ALPHA, region, EC2_INSTANCE, 0) for region in REGIONS]
    for _ in range(2):
        execute(partial(late, fleet.state.url), shards, lambda done, total: None, resources=0)

    told = [one.message.partition(",")[0] for one in caplog.records if one.name == log.name]
    assert told == [f"the clock of {node()} is 2:00:00 behind PostgreSQL's"]


def test_what_a_task_raises_names_the_shard_and_not_ray(
    fleet: Fleet, nodes: Nodes, execute: Executor
) -> None:
    nowhere = TileStore(fleet.tiles.root / "nowhere")

    with pytest.raises(StoreUnavailable) as told:
        analyze(fleet.state, nowhere, fleet.desk.clock, executor=execute)

    assert str(told.value).startswith("shard 0 of Ec2Instance in ")
    assert "ray" not in str(told.value).lower().replace(str(nowhere.root).lower(), "")
    # Here and in every file that Ray wrote about what it did.
    assert PASSWORD not in str(told.value)
    files = [one for one in nodes.folder.rglob("*") if one.is_file()]
    assert files
    secret = PASSWORD.encode()
    assert [one for one in files if secret in one.read_bytes()] == []
    assert logging.getLogger("ray").level >= logging.CRITICAL
