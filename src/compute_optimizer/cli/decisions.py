"""`compute-optimizer decisions`: decide on recommendations, and see what came of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from compute_optimizer.app import Application, opened
from compute_optimizer.cli.auditing import operator, record_command
from compute_optimizer.cli.figures import minute, percent
from compute_optimizer.cli.narrowing import check_narrowing
from compute_optimizer.cli.option_values import moment_after, moment_of
from compute_optimizer.cli.outcomes import outcomes
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_first,
    print_json,
    print_rows,
    settings_for,
    tell,
)
from compute_optimizer.cli.standing import StatesOption
from compute_optimizer.interfaces import Clock
from compute_optimizer.jobs import decisions as jobs
from compute_optimizer.model.decision import Action, Decision, LogEntry, State
from compute_optimizer.resources.configured import text_of
from compute_optimizer.views.webhook_payloads import advice_as_json, decision_as_json

commands = typer.Typer(
    help="Decide on recommendations: accept, snooze, dismiss, assign; and what came of it.",
    no_args_is_help=True,
)
commands.command()(outcomes)

SHOWN = 50
"""Decisions in the table unless more are asked for."""

HEADINGS = {
    "recommendationId": "Id",
    "accountId": "Account",
    "resourceType": "Type",
    "name": "Name or id",
    "current": "Was",
    "recommended": "Recommended",
    "state": "State",
    "until": "Until (UTC)",
    "owner": "Owner",
    "changedBy": "By",
    "changedAt": "Since (UTC)",
    "note": "Note",
}

LOG_HEADINGS = {
    "at": "When (UTC)",
    "actor": "Who",
    "action": "What",
    "after": "State after",
    "more": "Note",
}

NOTE_IN_A_TABLE = 100
"""Characters of a note in a list; `decisions show` and JSON have all of it."""

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Of the recommendation, as `recommend` shows it.")
]
NoteOption = Annotated[str, typer.Option(help="What to say about it.")]
AccountsOption = Annotated[
    list[str] | None, typer.Option("--account", help="Only this account; may be repeated.")
]


@commands.command("accept")
def accept(
    recommendation: IdArgument, note: NoteOption = "", data_dir: DataDirOption = None
) -> None:
    """Accept a recommendation: somebody is going to follow it."""
    with opened(settings_for(data_dir)) as application:
        done = _decide(application, recommendation, Action.ACCEPT, note)
    tell(_told(done, "Accepted"))
    print("Once the inventory shows the change, it counts as applied.")


@commands.command("snooze")
def snooze(
    recommendation: IdArgument,
    until: Annotated[
        str, typer.Option(help="Day (from its beginning) or moment in UTC, or a time such as 14d.")
    ],
    note: NoteOption = "",
    data_dir: DataDirOption = None,
) -> None:
    """Leave a recommendation alone until a moment; then it is open again by itself."""
    with opened(settings_for(data_dir)) as application:
        moment = _until(until, application.clock)
        done = _decide(application, recommendation, Action.SNOOZE, note, moment)
    tell(_told(done, f"Snoozed until {minute(moment)} UTC"))


@commands.command("dismiss")
def dismiss(
    recommendation: IdArgument,
    reason: Annotated[str, typer.Option(help="Why it will not be followed.")],
    data_dir: DataDirOption = None,
) -> None:
    """Dismiss a recommendation, until the resource is changed or something else is advised."""
    with opened(settings_for(data_dir)) as application:
        done = _decide(application, recommendation, Action.DISMISS, reason)
    tell(_told(done, "Dismissed"))


@commands.command("reopen")
def reopen(
    recommendation: IdArgument, note: NoteOption = "", data_dir: DataDirOption = None
) -> None:
    """Take back what was decided about a recommendation."""
    with opened(settings_for(data_dir)) as application:
        done = _decide(application, recommendation, Action.REOPEN, note)
    tell(_told(done, "Open again"))


@commands.command("assign")
def assign(
    recommendation: IdArgument,
    owner: Annotated[str, typer.Argument(help="Person or team; empty leaves it to tags again.")],
    data_dir: DataDirOption = None,
) -> None:
    """Give the resource of a recommendation an owner, whatever is advised for it later."""
    with opened(settings_for(data_dir)) as application:
        done = jobs.assign(application.state, application.clock, recommendation, operator(), owner)
        _record(application, Action.ASSIGN, done)
    tell(_told(done, f"Assigned to {owner.strip()}" if owner.strip() else "Assigned to nobody"))


@commands.command("list")
def list_decisions(
    account: AccountsOption = None,
    state: StatesOption = None,
    limit: Annotated[int, typer.Option(min=0, help="Decisions in the table; 0 shows all.")] = SHOWN,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Print what was decided, what was applied and what was overtaken, the last change first."""
    with opened(settings_for(data_dir)) as application, application.state.reading() as connection:
        check_narrowing(connection, account)
        found = jobs.listed(connection, application.clock.now(), accounts=account, states=state)
        tags = application.settings.owner_tag_names
        owners = jobs.owners_in(connection, (one for one, _ in found), tags)
    if output is Format.JSON:
        print_json({"decisions": [_as_json(*one, owners) for one in found]})
    elif found:
        print_first(found, limit, lambda one: _row(*one, owners), HEADINGS)
    elif account or state:
        print("No decision is as asked for: leave out --account and --state to see all of them.")
    else:
        print("Nothing was decided: `compute-optimizer recommend` shows what there is to decide.")


@commands.command("show")
def show(
    recommendation: IdArgument,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Print one recommendation, what was promised, and everything that was decided about it."""
    with opened(settings_for(data_dir)) as application:
        tags = application.settings.owner_tag_names
        found = jobs.dossier(application.state, application.clock, recommendation, tags)
    if output is Format.JSON:
        owners = {found.decision.advice.resource_arn: found.owner}
        print_json(
            _as_json(found.decision, found.state, owners)
            | {
                "ownerAssigned": found.assigned,
                "recommendedNow": found.advised_now,
                "log": [_entry_as_json(one) for one in found.log],
            }
        )
        return
    for line in _lines(found):
        tell(line)
    if found.log:
        print_rows([_entry_row(one) for one in found.log], LOG_HEADINGS, output, "What happened")


def _decide(
    application: Application,
    recommendation: str,
    action: Action,
    note: str,
    until: datetime | None = None,
) -> Decision:
    """Decide as whoever runs the command, and write it into the audit log."""
    done = jobs.decide(
        application.state, application.clock, recommendation, action, operator(), note, until
    )
    _record(application, action, done)
    return done


def _record(application: Application, action: Action, done: Decision) -> None:
    record_command(
        application,
        f"decisions {action}",
        [done.advice.account_id],
        recommendationId=done.recommendation_id,
        resourceArn=done.advice.resource_arn,
    )


def _told(done: Decision, what: str) -> str:
    advice = done.advice
    return f"{what}: {advice.name}, {advice.current_text} to {advice.advised_text}."


def _until(text: str, clock: Clock) -> datetime:
    """Return the moment that an option names: a day's beginning, a moment, or a time from now."""
    if text[-1:] in ("s", "m", "h", "d") and text[:-1].isdigit():
        return moment_after(clock.now(), "--until", text)
    return moment_of("--until", text, also=", or a time such as 14d")


def _lines(found: jobs.Dossier) -> list[str]:
    decision, advice = found.decision, found.decision.advice
    promised = advice.prediction
    saved = promised.savings_monthly_usd
    risk = promised.violation_risk
    told = {
        "Id": decision.recommendation_id,
        "Resource": f"{advice.resource_arn} ({advice.resource_type})",
        "Recommended": f"{advice.current_text} to {advice.advised_text}",
        "Recommended now": "yes" if found.advised_now else "no longer",
        "State": found.state.value,
        "Owner": f"{found.owner}{'' if found.assigned else ' (by a tag)'}" if found.owner else "",
        "Promised": f"{saved:,.2f} USD a month" if saved is not None else "",
        "Violated with a probability of": percent(risk) if risk is not None else "",
        "Looked at until": f"{minute(promised.as_of)} UTC",
        "Applied": f"{minute(decision.applied_at)} UTC" if decision.applied_at else "",
        "Became": text_of(decision.became) if _is_settled(decision) else "",
    }
    return [f"{name}: {text}" for name, text in told.items() if text]


def _is_settled(decision: Decision) -> bool:
    return decision.state in (State.APPLIED, State.SUPERSEDED)


def _as_json(decision: Decision, state: State, owners: dict[str, str]) -> dict[str, Any]:
    advice = decision.advice
    return (
        advice_as_json(advice)
        | decision_as_json(decision)
        | {"state": state.value, "owner": owners.get(advice.resource_arn) or None}
    )


def _row(decision: Decision, state: State, owners: dict[str, str]) -> dict[str, Any]:
    advice = decision.advice
    until = decision.snoozed_until if state is State.SNOOZED else None
    return {
        "recommendationId": decision.recommendation_id,
        "accountId": advice.account_id,
        "resourceType": advice.resource_type,
        "name": advice.name,
        "current": advice.current_text,
        "recommended": advice.advised_text,
        "state": state.value,
        "until": minute(until),
        "owner": owners.get(advice.resource_arn),
        "changedBy": decision.changed_by,
        "changedAt": minute(decision.changed_at),
        "note": _begun(decision.note),
    }


def _begun(note: str) -> str:
    """Return the beginning of a long note, which would make a row of many lines."""
    return note if len(note) <= NOTE_IN_A_TABLE else f"{note[: NOTE_IN_A_TABLE - 1].rstrip()}…"


def _entry_row(entry: LogEntry) -> dict[str, Any]:
    parts: Sequence[str] = (
        entry.note,
        f"until {minute(entry.until)} UTC" if entry.until else "",
        "" if entry.owner is None else f"owner {entry.owner or 'nobody'}",
    )
    return {
        "at": minute(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "after": entry.after.value,
        "more": "; ".join(one for one in parts if one),
    }


def _entry_as_json(entry: LogEntry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "action": entry.action,
        "before": entry.before.value,
        "after": entry.after.value,
        "note": entry.note or None,
        "until": entry.until and entry.until.isoformat(),
        "owner": entry.owner,
    }
