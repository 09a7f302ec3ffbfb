"""`compute-optimizer accounts`: the organizations, their accounts and who is enrolled."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from compute_optimizer.app import opened
from compute_optimizer.cli.auditing import record_command
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    print_rows,
    settings_for,
)
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Clock
from compute_optimizer.jobs import organization as jobs
from compute_optimizer.jobs.enroll import advance_enrollments
from compute_optimizer.jobs.organization import Change
from compute_optimizer.jobs.organization_file import apply_file
from compute_optimizer.model.account import (
    Enrollment,
    EnrollmentStatus,
    Organization,
    check_account_id,
)
from compute_optimizer.model.roster import Roster
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.store import State
from compute_optimizer.store.accounts import list_organizations, list_rosters, the_organization
from compute_optimizer.store.enrollments import find_enrollment

commands = typer.Typer(help="Organizations, accounts and enrollment.", no_args_is_help=True)

CHANGES = {
    "subject": "Account or organization",
    "attribute": "Attribute",
    "before": "Before",
    "after": "Now",
}

ENROLLMENT = {
    "accountId": "Account",
    "status": "Status",
    "statusReason": "Reason",
    "lastUpdated": "Updated (UTC)",
}

ACCOUNTS = {
    "accountId": "Account",
    "name": "Name",
    "role": "Role",
    "status": "Status",
    "statusReason": "Reason",
    "lastUpdated": "Updated (UTC)",
    "notes": "Notes",
}


class Switch(StrEnum):
    """Whether something is turned on or off."""

    ON = "on"
    OFF = "off"


class Failure(StrEnum):
    """What the switches for tests can make fail."""

    METRICS = "metrics"
    TRUSTED_ACCESS = "trusted-access"


AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Account id: 12 digits.")]
AccountIds = Annotated[list[str], typer.Argument(metavar="ACCOUNT", help="Account ids.")]
OrganizationOption = Annotated[
    str | None,
    typer.Option("--organization", help="Organization id; needed where there are several."),
]
SwitchArgument = Annotated[Switch, typer.Argument(metavar="SWITCH", help="on or off.")]


@commands.command()
def add(
    accounts: AccountIds,
    name: Annotated[str, typer.Option(help="Name of the account; only for one account.")] = "",
    organization: OrganizationOption = None,
    standalone: Annotated[
        bool, typer.Option("--standalone", help="Belong to no organization.")
    ] = False,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Add accounts to the organization, or as standalone ones where there is none."""
    if name and len(accounts) > 1:
        raise InvalidInput("--name names one account; add several accounts one by one")
    if standalone and organization:
        raise InvalidInput("--standalone and --organization contradict each other; give one")

    def act(state: State, clock: Clock) -> list[Change]:
        target = None if standalone else _organization_to_join(state, organization)
        return jobs.add_accounts(state, clock, accounts, target, name)

    _change("add", output, data_dir, act)


@commands.command()
def remove(
    accounts: AccountIds, output: FormatOption = Format.TABLE, data_dir: DataDirOption = None
) -> None:
    """Take accounts out of their organization and forget them; enrollments stay as they are."""
    _change(
        "remove",
        output,
        data_dir,
        lambda state, clock: jobs.remove_accounts(state, clock, accounts),
    )


@commands.command()
def suspend(
    accounts: AccountIds, output: FormatOption = Format.TABLE, data_dir: DataDirOption = None
) -> None:
    """Suspend accounts: they are no longer collected, analyzed, counted or shown."""
    _change(
        "suspend", output, data_dir, lambda state, _: jobs.suspend_accounts(state, accounts, True)
    )


@commands.command()
def resume(
    accounts: AccountIds, output: FormatOption = Format.TABLE, data_dir: DataDirOption = None
) -> None:
    """Take back the suspension of accounts."""
    _change(
        "resume", output, data_dir, lambda state, _: jobs.suspend_accounts(state, accounts, False)
    )


@commands.command("list")
def list_accounts(output: FormatOption = Format.TABLE, data_dir: DataDirOption = None) -> None:
    """List organizations, and accounts with their enrollment."""
    with opened(settings_for(data_dir)) as application, application.state.reading() as connection:
        rosters = list_rosters(connection)
    if output is Format.JSON:
        organizations = [_organization_row(one.organization) for one in rosters if one.organization]
        print_json({"organizations": organizations, "accounts": _account_rows(rosters)})
        return
    for roster in rosters:
        if roster.organization:
            _print_accounts(_title(roster.organization), [roster])
    _print_accounts("Standalone accounts", [one for one in rosters if not one.organization])


@commands.command("set-management")
def set_management(
    account: AccountId,
    organization: Annotated[
        str | None,
        typer.Option("--organization", help="Id of the organization, if it is to have its own."),
    ] = None,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Make an account the management account of its organization, or of a new one."""
    _change(
        "set-management",
        output,
        data_dir,
        lambda state, clock: jobs.set_management(state, clock, account, organization),
    )


@commands.command()
def delegate(
    account: AccountId, output: FormatOption = Format.TABLE, data_dir: DataDirOption = None
) -> None:
    """Make a member the delegated administrator of its organization."""
    _change("delegate", output, data_dir, lambda state, clock: jobs.delegate(state, clock, account))


@commands.command()
def undelegate(
    organization: OrganizationOption = None,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Leave the organization without a delegated administrator."""
    _change(
        "undelegate",
        output,
        data_dir,
        lambda state, clock: jobs.undelegate(state, clock, organization),
    )


@commands.command("trusted-access")
def trusted_access(
    switch: SwitchArgument,
    organization: OrganizationOption = None,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Turn trusted access on or off; off makes every member Inactive."""
    on = switch is Switch.ON
    _change(
        "trusted-access",
        output,
        data_dir,
        lambda state, clock: jobs.allow_trusted_access(state, clock, organization, on),
    )


@commands.command("all-features")
def all_features(
    switch: SwitchArgument,
    organization: OrganizationOption = None,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Turn all features of the organization on or off; off ends trusted access."""
    on = switch is Switch.ON
    _change(
        "all-features",
        output,
        data_dir,
        lambda state, clock: jobs.enable_all_features(state, clock, organization, on),
    )


@commands.command()
def fail(
    what: Annotated[Failure, typer.Argument(help="What shall fail: metrics or trusted-access.")],
    switch: SwitchArgument,
    account: Annotated[
        str | None, typer.Option(help="Account whose metrics cannot be read.")
    ] = None,
    organization: OrganizationOption = None,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """For tests: make the background check of an account, or trusted access, fail."""
    if (what is Failure.METRICS) != (account is not None):
        raise InvalidInput(
            "`fail metrics` needs --account ACCOUNT, and `fail trusted-access` takes none"
        )
    on = switch is Switch.ON

    def act(state: State, _: Clock) -> list[Change]:
        if account is not None:
            return jobs.make_metrics_unreadable(state, account, on)
        return jobs.refuse_trusted_access(state, organization, on)

    _change("fail", output, data_dir, act)


@commands.command()
def enroll(
    account: AccountId,
    include_members: Annotated[
        bool, typer.Option("--include-members", help="Opt in the organization's members too.")
    ] = False,
    opt_out: Annotated[bool, typer.Option("--opt-out", help="Opt out instead.")] = False,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Opt an account in, as UpdateEnrollmentStatus does, and check it at once."""
    check_account_id(account)
    status = EnrollmentStatus.INACTIVE if opt_out else EnrollmentStatus.ACTIVE
    with opened(settings_for(data_dir)) as application:
        state, clock = application.state, application.clock
        change_enrollment(state, clock, account, status, include_members or None)
        asked = {"status": status.value, "includeMemberAccounts": include_members}
        record_command(application, "accounts enroll", [account], **asked)
        advance_enrollments(state, clock)
        with state.reading() as connection:
            enrollment = find_enrollment(connection, account)
    print_rows([_shown(_enrollment_row(enrollment), output)], ENROLLMENT, output)


@commands.command()
def apply(
    file: Annotated[Path, typer.Argument(help="YAML file of organizations and accounts.")],
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Make organizations and accounts as a file says; applying it again changes nothing."""
    _change("apply", output, data_dir, lambda state, clock: apply_file(state, clock, file))


def _change(
    command: str,
    output: Format,
    data_dir: Path | None,
    act: Callable[[State, Clock], list[Change]],
) -> None:
    """Open the state, do something to the organizations and print what changed."""
    with opened(settings_for(data_dir)) as application:
        changes = act(application.state, application.clock)
        if changes:
            made = [f"{one.subject}: {one.attribute} is {one.after}" for one in changes]
            subjects = (one.subject for one in changes)
            record_command(application, f"accounts {command}", subjects, changes=made)
    if changes or output is Format.JSON:
        print_rows([asdict(one) for one in changes], CHANGES, output)
    else:
        print("Nothing changed.")


def _organization_to_join(state: State, organization_id: str | None) -> str | None:
    """Return the organization that new accounts belong to; None while there is none at all."""
    with state.reading() as connection:
        if organization_id is None and not list_organizations(connection):
            return None
        return the_organization(connection, organization_id).organization_id


def _organization_row(organization: Organization) -> dict[str, Any]:
    return {
        "organizationId": organization.organization_id,
        "managementAccountId": organization.management_account_id,
        "delegatedAdministratorId": organization.delegated_administrator_id,
        "allFeatures": organization.all_features,
        "trustedAccess": organization.trusted_access,
        "trustedAccessRefused": organization.trusted_access_refused,
    }


def _account_rows(rosters: Sequence[Roster]) -> list[dict[str, Any]]:
    return [
        {
            **_enrollment_row(roster.enrollments[account_id]),
            "name": account.name,
            "organizationId": account.organization_id,
            "role": _role(roster, account_id),
            "suspended": account.suspended,
            "metricsUnreadable": account.metrics_unreadable,
        }
        for roster in rosters
        for account_id, account in roster.accounts.items()
    ]


def _enrollment_row(enrollment: Enrollment) -> dict[str, Any]:
    return {
        "accountId": enrollment.account_id,
        "status": enrollment.status.value,
        "statusReason": enrollment.status_reason,
        "lastUpdatedTimestamp": enrollment.last_updated,
    }


def _print_accounts(title: str, rosters: Sequence[Roster]) -> None:
    if rosters:
        rows = [_shown(row, Format.TABLE) for row in _account_rows(rosters)]
        print_rows(rows, ACCOUNTS, Format.TABLE, title)


def _shown(row: dict[str, Any], output: Format) -> dict[str, Any]:
    """Return a row with what only a table for people shows."""
    if output is Format.JSON:
        return row
    moment = row["lastUpdatedTimestamp"]
    notes = {"suspended": "suspended", "metricsUnreadable": "metrics unreadable (switch)"}
    return {
        **row,
        "lastUpdated": f"{moment:%Y-%m-%d %H:%M:%S}" if moment else None,
        "notes": ", ".join(text for key, text in notes.items() if row.get(key)),
    }


def _title(organization: Organization) -> str:
    trusted = "on" if organization.trusted_access else "off"
    refused = " (refused, switch)" if organization.trusted_access_refused else ""
    features = "" if organization.all_features else ", not all features"
    return f"{organization.organization_id}: trusted access {trusted}{refused}{features}"


def _role(roster: Roster, account_id: str) -> str:
    if roster.organization is None:
        return "standalone"
    if account_id == roster.organization.management_account_id:
        return "management"
    delegated = account_id == roster.organization.delegated_administrator_id
    return "delegated administrator" if delegated else "member"
