"""The executor of many machines: Ray, one task for each shard.

    this process -> work, once, into Ray's object store; tasks, some more than there are processors
    a worker of Ray -> opens the stores itself, reads, decides, writes; returns a few numbers

Ray starts a task again whose process or machine is gone. Ray is an extra, and imported here only.
"""

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import islice
from platform import node
from secrets import token_hex
from time import sleep
from typing import Any, Generic

from compute_optimizer import __version__
from compute_optimizer.errors import (
    ComputeOptimizerError,
    Conflict,
    ConnectionLost,
    InvalidInput,
    StoreUnavailable,
)
from compute_optimizer.interfaces import Executor, Found, Progress, Task
from compute_optimizer.jobs.executors.local import available_cores
from compute_optimizer.jobs.executors.naming import attempt
from compute_optimizer.store.database_clock import behind_here, in_words

log = logging.getLogger(__name__)

RETRIES = 8
"""How often a task is started again whose process or machine ended: cheap machines are taken away
at any time, and a shard that takes all of a machine's memory must come to an end."""

AHEAD = 2
"""Tasks in Ray's hands for each processor: one that runs, and one that need not be waited for."""

PATIENCE = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds that a task waits each time when it has lost the state: half a minute in all, in which a
PostgreSQL starts again or another one takes its place. A bucket is asked again by boto3."""

LOOK_SECONDS = 1.0
"""How often machines that came or went are looked for while no task ends."""

OBJECT_STORE_BYTES = 256 * 1024**2
"""Shared memory of a Ray that is started here: tasks are small, and results are as small unless a
backtest reads its fleet, for which Ray goes on to the disk."""

TOKEN = "RAY_AUTH_TOKEN"
TOKEN_BYTES = 32
"""As Ray draws them (its `generate_new_authentication_token`)."""

ENVIRONMENT: Mapping[str, str] = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Nobody asked for its tips and warnings; what fails is told by this program.
    "RAY_DEDUP_LOGS": "1",
    # All lines: Ray prints what it says of lost machines on the standard output, amid our JSON.
    "RAY_DEDUP_LOGS_SKIP_REGEX": "^",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Tasks do the command's work at its priority, as the processes of the local executor do; Ray
    # lowers its workers by 15, and beside anything else on the machine they would hardly run.
    "RAY_worker_niceness": "0",
}
"""Environment that Ray is started with, where nobody has set it otherwise."""


@dataclass(frozen=True, slots=True)
class Worked(Generic[Found]):
    """A task that was worked off, and by which machine."""

    found: Found
    node_id: str
    """Ray's, since names of machines are not always their own."""
    machine: str
    behind: timedelta
    """What its clock lacks."""


@contextmanager
def on_ray(workers: int = 0, address: str = "") -> Iterator[Executor]:
    """Open Ray: on this machine for as long as the block lasts, or the cluster at an address.

    `workers` is how many tasks run at once; 0 means as many as there are processors. Raises
    InvalidInput where Ray is not installed, StoreUnavailable where no cluster answers.
    """
    ray = _imported()
    with ExitStack() as stack:
        # Not with `--address`: what a cluster logs is its own.
        options = _cluster(address) if address else _own(stack, workers)
        stack.callback(ray.shutdown)
        try:
            ray.init(**options, log_to_driver=False, logging_level=logging.CRITICAL)
        except Exception as error:
            # Whatever it is: a start that takes longer than Ray waits is a bare Exception.
            raise StoreUnavailable(
                f"Ray at {address or 'this machine'} cannot be used: {error}; is it running, with "
                "the same versions of Ray and Python?"
            ) from error
        yield handing_to(ray, workers)


def handing_to(ray: Any, workers: int) -> Executor:
    """Return what hands tasks to a Ray that is open, so many at once as `on_ray` says."""
    # Machines whose clock was warned of; of this one whoever opens the state here does.
    told = {ray.get_runtime_context().get_node_id()}
    return partial(_work_off, ray, workers, told)


def _imported() -> Any:
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.exceptions
    except ImportError:
        raise InvalidInput(
            "the executor ray needs the package ray, which is not installed; install it in "
            "a checkout with pip install '.[ray]'"
        ) from None
    return ray


def _cluster(address: str) -> dict[str, Any]:
    if "://" in address:
        raise InvalidInput(
            f"--address {address!r} is no address of a cluster from inside; run the command on a "
            "machine of the cluster, with auto or HOST:PORT"
        )
    return {"address": address}


def _own(stack: ExitStack, workers: int) -> dict[str, Any]:
    """Return how to start Ray on this machine, for nobody else, and without a trace afterwards."""
    # Else Ray leaves one in the user's home, by which a later `ray start --head` wants it of all.
    os.environ.setdefault(TOKEN, token_hex(TOKEN_BYTES))
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ray-"))
    return {
        "address": "local",
        "num_cpus": workers or available_cores(),
        "include_dashboard": False,
        "object_store_memory": OBJECT_STORE_BYTES,
        "_node_ip_address": "127.0.0.1",
        "_temp_dir": folder,
    }


def _work_off(
    ray: Any,
    workers: int,
    told: set[str],
    work: Callable[[Task], Found],
    tasks: Sequence[Task],
    progress: Progress,
    *,
    resources: int,
) -> list[Found]:
    """Work off all tasks, handing Ray a few at a time, so that its books stay small."""
    remote = ray.remote(num_cpus=1, max_retries=RETRIES)(_attempt)
    # Not among the arguments of every task, nor in what Ray notes of them.
    shared = ray.put(work)
    waiting, running = iter(enumerate(tasks)), dict[Any, int]()
    found: dict[int, Found] = {}
    try:
        while len(found) < len(tasks):
            room = workers or AHEAD * int(ray.cluster_resources().get("CPU", 1))
            for place, task in islice(waiting, max(0, room - len(running))):
                running[remote.remote(__version__, shared, ray.put(task))] = place
            ended, _ = ray.wait(list(running), num_returns=1, timeout=LOOK_SECONDS)
            for one in ended:
                place = running.pop(one)
                worked = _result(ray, one, tasks[place])
                found[place] = worked.found
                _tell_of_clock(worked, told)
                progress(len(found), len(tasks))
    except BaseException:
        for one in running:
            ray.cancel(one, force=True)
        raise
    return [found[place] for place in range(len(tasks))]


def _attempt(version: str, work: Callable[[Task], Found], task: Task) -> Worked[Found]:
    """Work off a task in a worker of Ray; what it did before it lost the state is done again."""
    if version != __version__:
        raise Conflict(
            f"a machine of the cluster has release {__version__} of open-compute-optimizer, and "
            f"the command is of {version}; install the same everywhere"
        )
    try:
        found = _tried(work, task)
    except ConnectionLost as error:
        raise ConnectionLost(
            f"{error} (on {node()}, which tried again for {sum(PATIENCE):g} s). What was there "
            "before stands: run this again when every machine of the cluster reaches PostgreSQL"
        ) from error
    except ComputeOptimizerError as error:
        raise type(error)(f"{error} (on {node()})") from error
    node_id = _imported().get_runtime_context().get_node_id()
    return Worked(found, node_id, node(), behind_here())


def _tell_of_clock(worked: Worked[Found], told: set[str]) -> None:
    """Warn once of each machine whose clock is wrong: what it says itself stays in Ray's log."""
    if worked.behind and worked.node_id not in told:
        told.add(worked.node_id)
        log.warning("%s", in_words(worked.behind, worked.machine))


def _tried(work: Callable[[Task], Found], task: Task) -> Found:
    """Work off a task, again as long as it loses the state and there is patience."""
    for seconds in PATIENCE:
        with suppress(ConnectionLost):
            return attempt(work, task)
        sleep(seconds)
    return attempt(work, task)


def _result(ray: Any, ended: Any, task: Task) -> Any:
    """Return what a task found, or raise what it raised without Ray's wrapping."""
    try:
        return ray.get(ended)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, ComputeOptimizerError):
            raise cause from None
        raise ComputeOptimizerError(f"{task.name}: {cause!r}") from error
    except ray.exceptions.RayError as error:
        raise ComputeOptimizerError(
            f"{task.name}: its process or machine ended {RETRIES + 1} times, perhaps for "
            "want of memory; what was there before stands. Run this again, with fewer --workers "
            f"or larger machines if it repeats ({type(error).__name__})"
        ) from error
