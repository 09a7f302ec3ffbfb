"""The process beside the served demo that tests its fleet, and again whenever somebody asks."""

import os
import signal
from multiprocessing import get_context
from time import sleep

from compute_optimizer.app import Application, opened, tiles_of
from compute_optimizer.app.working import worker_of
from compute_optimizer.cli.logs import start_logging
from compute_optimizer.config import Settings
from compute_optimizer.jobs.demo import analyzed_until
from compute_optimizer.jobs.demo_testing import bring_in_past
from compute_optimizer.jobs.job_kinds import JOB_KINDS
from compute_optimizer.jobs.quality import has_requests
from compute_optimizer.jobs.worker import run_now

SECONDS_BETWEEN_LOOKS = 2.0

POLITENESS = 10
"""Added to the process's niceness: whoever looks at pages comes first."""

JOB = "backtest_requests"


def begin_testing(settings: Settings) -> None:
    """Start the process; it ends with this one."""
    arguments = settings, os.getpid()
    # Not forked: the server has threads.
    get_context("spawn").Process(target=run_tests, args=arguments, daemon=True).start()


def run_tests(settings: Settings, server: int) -> None:
    """Bring in the past of the demo, and make the backtests that are asked for."""
    # Ctrl-C reaches this process, too; the server ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(POLITENESS)
    start_logging(settings)
    with opened(settings) as application:
        last_day = analyzed_until(settings.data_dir)
        if last_day is not None:
            tiles = tiles_of(settings)
            bring_in_past(application.state, tiles, application.clock, settings.data_dir, last_day)
        # A server that was killed could not end it.
        while os.getppid() == server:
            _look(application)
            sleep(SECONDS_BETWEEN_LOOKS)


def _look(application: Application) -> None:
    if has_requests(application.state):
        (kind,) = (one for one in JOB_KINDS if one.name == JOB)
        run_now(worker_of(application), kind)
