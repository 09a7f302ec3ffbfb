"""Backtests of the fleet: where it is read, what is kept of them, and what was kept before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from compute_optimizer.app import Application, opened
from compute_optimizer.cli.backtest_tables import between
from compute_optimizer.cli.executing import Workplace
from compute_optimizer.cli.figures import percent
from compute_optimizer.cli.output import Format, print_json, print_rows
from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.quality import fleet_seen, keep_report
from compute_optimizer.jobs.stored_fleets import Whose
from compute_optimizer.model.backtested import Milestone
from compute_optimizer.store.backtests import history_of

HEADINGS = {
    "made": "Made (UTC)",
    "type": "Resource type",
    "violations": "Violated",
    "between": "95 %",
    "savings": "Saved",
    "hit_rate": "Reductions that held",
    "ratio": "Came of expected",
    "replayed": "Replayed",
    "by": "By",
}


@dataclass(frozen=True, slots=True)
class Keeping:
    """Whose backtest it is, and what becomes of its report."""

    place: Workplace
    account: str | None
    """Whose fleet it is; None for all that are opted in."""
    stores: bool
    output: Format

    def whose(self, application: Application) -> Whose:
        """Return which accounts are replayed."""
        if self.account is None:
            return Whose()
        return Whose(fleet_seen(application.state, self.account).accounts)

    def keep(self, name: str, report: Mapping[str, Any], *, is_usual: bool) -> None:
        """Store a report where it tells the same as those of the worker, and say where not."""
        if not self.stores:
            return
        if not is_usual:
            _say("Not kept: the history compares backtests with the usual options only.")
            return
        with opened(self.place.settings) as application:
            fleet = fleet_seen(application.state, self.account)
            if fleet.watcher is None:
                _say("Not kept: no account sees all of these; name one by --account.")
                return
            keep_report(application.state, application.clock, fleet, name, report)
        _say(f"Kept as the newest backtest of what account {fleet.watcher} sees.")


def refuse_account(account: str | None) -> None:
    """Raise InvalidInput where an account is named though no fleet is replayed."""
    if account is not None:
        raise InvalidInput("--account chooses from the metric store; give it with --fleet")


def show_history(keeping: Keeping, resource_type: str | None) -> None:
    """Print what is kept of backtests of what an account sees, the newest first."""
    with opened(keeping.place.settings) as application:
        fleet = fleet_seen(application.state, keeping.account)
        if fleet.watcher is None:
            raise InvalidInput("no account sees the whole fleet; name one by --account")
        with application.state.reading() as connection:
            every = history_of(connection, fleet.watcher)
    found = [one for one in reversed(every) if resource_type in (None, one.resource_type)]
    if keeping.output is Format.JSON:
        print_json([milestone_as_json(one) for one in found])
    elif not found:
        print("No backtest of this fleet is kept yet: `compute-optimizer backtest --fleet`.")
    else:
        print_rows([_row(one) for one in found], HEADINGS, keeping.output)


def milestone_as_json(one: Milestone) -> dict[str, Any]:
    """Return what is kept of a backtest for programs."""
    told = one.headline
    return {
        "accountId": one.account_id,
        "resourceType": one.resource_type,
        "madeAt": one.made_at.isoformat(),
        "madeBy": one.made_by,
        "resources": one.resources,
        "replayed": one.replayed,
        "firstDay": one.first_day,
        "lastDay": one.last_day,
        "testWindows": one.origins,
        "violations": told.violations,
        "violationsInterval": told.violations_interval,
        "savings": told.savings,
        "savingsInterval": told.savings_interval,
        "hitRate": told.hit_rate,
        "observedViolations": told.observed,
        "expectedViolations": told.expected,
        "observedOverExpected": told.ratio,
        "observedOverExpectedInterval": told.ratio_interval,
    }


def _row(one: Milestone) -> dict[str, Any]:
    told = one.headline
    return {
        "made": f"{one.made_at:%Y-%m-%d %H:%M}",
        "type": one.resource_type,
        "violations": percent(told.violations),
        "between": between(list(told.violations_interval)),
        "savings": percent(told.savings),
        "hit_rate": None if told.hit_rate is None else percent(told.hit_rate),
        "ratio": None if told.expected is None else f"{told.observed} of {told.expected:.1f}",
        "replayed": f"{one.replayed:,} of {one.resources:,}",
        "by": one.made_by,
    }


def _say(text: str) -> None:
    """Tell on the error stream, so that what programs read is the report alone."""
    Console(stderr=True, soft_wrap=True).print(text, highlight=False)
