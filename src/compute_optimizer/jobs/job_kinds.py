"""The table of what the worker does, in the order in which one pass does it."""

from compute_optimizer.errors import ComputeOptimizerError, SourceUnavailable
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.collector import Collector
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.jobs.export import run_exports
from compute_optimizer.jobs.outcomes import keep_outcomes
from compute_optimizer.jobs.purge import due_accounts, purge_opted_out
from compute_optimizer.jobs.quality import backtest_fleets, backtest_requested, has_requests
from compute_optimizer.jobs.retention import retain
from compute_optimizer.jobs.scores import has_scores_to_make, make_scores
from compute_optimizer.jobs.source_kinds import collect_all
from compute_optimizer.jobs.webhooks import deliver, has_deliveries
from compute_optimizer.jobs.worker import Detail, Hold, JobKind, Worker
from compute_optimizer.store.enrollments import opted_in_accounts, pending_accounts
from compute_optimizer.store.export_jobs import has_work, waiting_jobs


def _enroll(hold: Hold) -> Detail:
    worker = hold.worker
    return {"changed": advance_enrollments(worker.state, worker.clock)}


def _has_pending(worker: Worker) -> bool:
    return bool(worker.state.remembered("pending accounts", pending_accounts))


def _analyze(hold: Hold) -> Detail:
    worker = hold.worker
    if not _has_opted_in(worker):
        return {"accounts": 0}
    found = analyze(
        worker.state,
        worker.tiles,
        worker.clock,
        workers=worker.processes,
        profile=worker.profile,
        idle_limits=worker.idle_limits,
        progress=hold.progress,
        fence=hold.complete,
    )
    return {
        "run": found.run_id,
        "accounts": len(found.accounts),
        "resources": found.tally.resources,
        "errors": found.tally.errors.total(),
        "estimatedMonthlySavings": round(found.tally.monthly_savings, 2),
    }


def _collect(hold: Hold) -> Detail:
    worker = hold.worker
    collector = Collector(worker.state, worker.tiles, worker.clock, hold.fence, hold.check)
    return collect_all(worker.sources, collector)


def _has_sources(worker: Worker) -> bool:
    return bool(worker.sources) and _has_opted_in(worker)


def _has_opted_in(worker: Worker) -> bool:
    return bool(worker.state.remembered("opted-in accounts", opted_in_accounts))


def _score(hold: Hold) -> Detail:
    worker = hold.worker
    found = make_scores(worker.state, worker.tiles, worker.clock, hold.fence, hold.check)
    return {"scores": len(found)}


def _has_scores(worker: Worker) -> bool:
    return has_scores_to_make(worker.state, worker.clock)


def _keep_outcomes(hold: Hold) -> Detail:
    worker = hold.worker
    return {"changes": keep_outcomes(worker.state, worker.tiles, worker.clock, hold.fence)}


def _backtest(hold: Hold) -> Detail:
    worker = hold.worker
    count = backtest_fleets(worker.state, worker.tiles, worker.clock, hold.fence, hold.check)
    return {"fleets": count}


def _backtest_requested(hold: Hold) -> Detail:
    worker = hold.worker
    count = backtest_requested(worker.state, worker.tiles, worker.clock, hold.fence, hold.check)
    return {"fleets": count}


def _export(hold: Hold) -> Detail:
    outcomes = run_exports(hold.worker.exporter, hold.worker.stop.is_set)
    failed = [one for one in outcomes if one.failure_reason]
    if failed:
        raise ComputeOptimizerError(
            f"{len(failed)} of {len(outcomes)} exports failed; the first, "
            f"{failed[0].job.job_id}: {failed[0].failure_reason}"
        )
    return {"exports": len(outcomes), "rows": sum(one.rows for one in outcomes)}


def _has_exports(worker: Worker) -> bool:
    if not worker.state.remembered("unfinished exports", waiting_jobs):
        return False
    with worker.state.reading() as connection:
        return has_work(connection, worker.clock.now())


def _purge(hold: Hold) -> Detail:
    worker = hold.worker
    purged = purge_opted_out(worker.state, worker.tiles, worker.clock, worker.grace)
    return {"accounts": list(purged)}


def _retain(hold: Hold) -> Detail:
    worker = hold.worker
    found = retain(worker.state, worker.tiles, worker.clock, worker.retention, hold.fence)
    return {
        "tiles": found.tiles,
        "scores": found.scores,
        "jobRuns": found.job_runs,
        "expired": found.expired,
    }


def _deliver(hold: Hold) -> Detail:
    worker = hold.worker
    told = deliver(
        worker.state, worker.clock, worker.webhooks, worker.owner_tags, hold.fence, hold.check
    )
    if told.failures:
        raise SourceUnavailable(
            f"{told.delivered} delivered, {told.failed} failed, {told.given_up} given up; "
            + "; ".join(told.failures)
        )
    return {"delivered": told.delivered, "givenUp": told.given_up}


def _has_deliveries(worker: Worker) -> bool:
    return has_deliveries(worker.state, worker.clock)


def _has_due(worker: Worker) -> bool:
    return bool(due_accounts(worker.state, worker.clock.now() - worker.grace))


JOB_KINDS = (
    JobKind("enrollment", "Pending accounts become Active or Failed", _enroll, _has_pending),
    JobKind("collection", "what the configured sources have that is new", _collect, _has_sources),
    JobKind("analysis", "new recommendations for all opted-in accounts", _analyze, _has_opted_in),
    JobKind("scores", "what was predicted 14 days ago against what came", _score, _has_scores),
    JobKind("outcomes", "what came of changes that were advised", _keep_outcomes, _has_opted_in),
    JobKind("backtests", "how often the advice would have hurt", _backtest, _has_opted_in),
    JobKind(
        "backtest_requests",
        "the same for those who asked for it",
        _backtest_requested,
        lambda worker: has_requests(worker.state),
    ),
    JobKind("exports", "files of queued export jobs", _export, _has_exports),
    JobKind("webhooks", "what happened, told to webhooks", _deliver, _has_deliveries),
    JobKind("purge", "data of accounts that opted out, after their grace", _purge, _has_due),
    JobKind("retention", "metrics and history that nobody asks to be kept", _retain),
)
