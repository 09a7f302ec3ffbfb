"""`compute-optimizer worker`: do what keeps recommendations fresh, on a schedule or once."""

import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, timedelta
from threading import Event, Lock
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console

from compute_optimizer.api.probe_server import LOOPBACK_ADDRESS, probes_served
from compute_optimizer.app import opened
from compute_optimizer.app.serving import probes_of
from compute_optimizer.app.working import worker_of
from compute_optimizer.cli.logs import start_logging
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_rows,
    settings_for,
)
from compute_optimizer.cli.progress import Lines, bar_on
from compute_optimizer.cli.signals import wait_for_signal
from compute_optimizer.errors import ComputeOptimizerError, InvalidInput
from compute_optimizer.interfaces import StageProgress, SystemClock
from compute_optimizer.jobs.job_kinds import JOB_KINDS
from compute_optimizer.jobs.run_words import described
from compute_optimizer.jobs.worker import JobKind, Look, Worker, look, run_now
from compute_optimizer.model.job_run import Outcome

log = logging.getLogger(__name__)

SECONDS_TO_END = 30.0
"""How long a running job has to come to a point where it may stop; Kubernetes kills after 30 s."""

PAUSE_AFTER_FAILURE = timedelta(seconds=10)
"""Pause after the state could not be asked."""

LONGEST_SLEEP = timedelta(hours=1)
"""A job is looked at at least so often: a machine's clock may be set meanwhile."""

SHORTEST_SLEEP = timedelta(seconds=1)
"""However often a job is due."""

HEADINGS = {
    "job": "Job",
    "outcome": "Outcome",
    "seconds": "Seconds",
    "detail": "What it did",
    "error": "Why not",
}

NAMES = ", ".join(kind.name for kind in JOB_KINDS)


def worker(
    once: Annotated[
        bool, typer.Option("--once", help="Run every job once, now, and end: for cron.")
    ] = False,
    job: Annotated[
        list[str] | None, typer.Option("--job", help=f"Only this job; one of {NAMES}.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(help="Port on loopback for /healthz, /readyz and /metrics; 0 takes any."),
    ] = None,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Collect, analyze, export and clean up on a schedule, until stopped.

    Any number of workers may run: each job is run by one of them. With --once the exit code is 0
    where every job did its work, else that of the failure, or 1 where several differ.
    """
    kinds = _chosen(job)
    settings = settings_for(data_dir, worker_port=port)
    start_logging(settings, logging.INFO)
    with opened(settings) as application, _telling(once) as told:
        bench = worker_of(application, told)
        with _stopping(bench.stop):
            if once:
                sys.exit(_once(bench, kinds, named=bool(job), output=output))
            probes = probes_of(application, bench.stop)
            with probes_served(probes, settings.worker_port) as bound:
                log.info("metrics on http://%s:%d/metrics", LOOPBACK_ADDRESS, bound)
                _run_until_stopped(bench, kinds)


@contextmanager
def _telling(once: bool) -> Iterator[StageProgress]:
    """Yield what tells how far jobs are: a bar while somebody looks on, else lines."""
    console = Console(stderr=True)
    if once and console.is_terminal:
        with bar_on(console) as told:
            yield told
    else:
        yield Lines().told


def _chosen(names: Sequence[str] | None) -> list[JobKind]:
    known = {kind.name: kind for kind in JOB_KINDS}
    for name in names or ():
        if name not in known:
            raise InvalidInput(f"--job {name!r} is no job; expected one of {NAMES}")
    return [kind for kind in JOB_KINDS if not names or kind.name in names]


@contextmanager
def _stopping(stop: Event) -> Iterator[None]:
    """Ask the jobs to stop at the first signal, and end at once at the second."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(ComputeOptimizerError.exit_code)  # Leases pass; nothing half-done is seen.
        stop.set()

    former = {one: signal.signal(one, handle) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in former.items():
            signal.signal(one, handler)


def _once(bench: Worker, kinds: Sequence[JobKind], *, named: bool, output: Format) -> int:
    """Run the jobs one after the other and return the exit code."""
    found = []
    for kind in kinds:
        if bench.stop.is_set():
            break
        if named or bench.schedules[kind.name] is not None:
            began = bench.clock.now()
            one = run_now(bench, kind)
            found.append((one, (bench.clock.now() - began).total_seconds()))
    print_rows([_row(one, seconds, output) for one, seconds in found], HEADINGS, output)
    codes = {one.exit_code for one, _ in found if one.exit_code}
    if bench.stop.is_set() or len(codes) > 1:
        return ComputeOptimizerError.exit_code
    return codes.pop() if codes else 0


def _row(one: Look, seconds: float, output: Format) -> dict[str, Any]:
    outcome = "Held" if one.outcome is None else one.outcome.value
    reason = one.error or (f"held by {one.held_by}" if one.held_by else None)
    told: Any = one.detail
    if output is Format.TABLE:
        told = described(one.job, one.detail)
    return {
        "job": one.job,
        "outcome": outcome,
        "seconds": round(seconds, 3),
        "detail": told,
        "error": reason,
    }


def _run_until_stopped(bench: Worker, kinds: Sequence[JobKind]) -> None:
    """Look at each job when it may be due, each in a thread of its own, until asked to stop."""
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler

    executors = {"default": ThreadPoolExecutor(len(kinds))}
    # Two, because the next look is asked for while this one is about to end.
    defaults = {"misfire_grace_time": None, "coalesce": True, "max_instances": 2}
    scheduler = BackgroundScheduler(executors=executors, job_defaults=defaults, timezone=UTC)
    running = _Running()

    def wake(kind: JobKind) -> None:
        with running:
            pause = None if bench.stop.is_set() else _looked(bench, kind)
        if pause is not None and not bench.stop.is_set():
            # The scheduler sleeps by the machine's clock, which need not be that of the jobs.
            again = SystemClock().now() + pause
            scheduler.add_job(
                wake, "date", run_date=again, args=[kind], id=kind.name, replace_existing=True
            )

    for kind in kinds:
        scheduler.add_job(wake, args=[kind], id=kind.name)
    scheduler.start()
    log.info("worker %s runs %s", bench.holder, _scheduled(bench, kinds))
    wait_for_signal(bench.stop)
    log.info("worker %s was asked to stop", bench.holder)
    scheduler.shutdown(wait=False)
    if not running.ended(SECONDS_TO_END):
        log.warning("a job did not stop in time; its lease passes and another worker runs it again")
        os._exit(0)


def _scheduled(bench: Worker, kinds: Sequence[JobKind]) -> str:
    """Name the jobs that are not turned off."""
    on = ", ".join(kind.name for kind in kinds if bench.schedules[kind.name] is not None)
    return on or "nothing: all schedules are off"


def _looked(bench: Worker, kind: JobKind) -> timedelta | None:
    """Look at one job, log what came of it, and return how long to wait for the next look."""
    try:
        found = look(bench, kind)
    except Exception as error:
        if not isinstance(error, ComputeOptimizerError):
            log.exception("looking at job %s failed", kind.name)
        else:
            log.error("job %s: %s", kind.name, error)
        return PAUSE_AFTER_FAILURE
    _log(found)
    if found.again is None:
        return None
    return min(max(found.again - bench.clock.now(), SHORTEST_SLEEP), LONGEST_SLEEP)


def _log(found: Look) -> None:
    if found.outcome is Outcome.SUCCEEDED:
        log.info("%s: %s", found.job, described(found.job, found.detail))
    elif found.outcome is not None:
        log.error("%s: %s: %s", found.job, found.outcome.value, found.error or "left to the next")


class _Running:
    """Counts the jobs that run in this process."""

    def __init__(self) -> None:
        self._count = 0
        self._lock = Lock()
        self._idle = Event()
        self._idle.set()

    def __enter__(self) -> None:
        with self._lock:
            self._count += 1
            self._idle.clear()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._count -= 1
            if not self._count:
                self._idle.set()

    def ended(self, seconds: float) -> bool:
        """Wait for the last one to end and return whether it did in time."""
        return self._idle.wait(seconds)
