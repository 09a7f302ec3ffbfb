"""`compute-optimizer signin`: which AWS identities are let in, to which account, to do what."""

import json
from typing import Annotated, Any

import typer

from compute_optimizer.app import opened
from compute_optimizer.cli.auditing import record_command
from compute_optimizer.cli.granting import (
    AllowOption,
    PolicyOption,
    checked,
    granted_policy,
    spelled,
)
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_rows,
    settings_for,
)
from compute_optimizer.errors import NotFound
from compute_optimizer.model.account import ACCOUNT_ID
from compute_optimizer.model.sign_in import (
    SignInRule,
    check_principal,
    check_session_length,
)
from compute_optimizer.model.spans import span_of
from compute_optimizer.store import sign_in as store
from compute_optimizer.store.access_keys import AccessKey, list_access_keys

commands = typer.Typer(help="Signing in with an AWS identity: who is let in.", no_args_is_help=True)

RULE_COLUMNS = {
    "principal": "Who",
    "accountId": "Acts in",
    "longestSessionSeconds": "Longest session (s)",
}
SESSION_COLUMNS = {
    "accessKeyId": "Access key id",
    "accountId": "Account",
    "signedInAs": "Signed in as",
    "createdAt": "Since (UTC)",
    "expiresAt": "Expires (UTC)",
    "lastUsedAt": "Last used (UTC)",
}

Principal = Annotated[
    str,
    typer.Argument(
        metavar="PRINCIPAL",
        help="ARN of a role or user, * for any text in its name, or an account: 12 digits.",
    ),
]
ActsIn = Annotated[
    str | None, typer.Option("--account", help="Account to act in; by default the principal's own.")
]


@commands.command()
def allow(
    principal: Principal,
    account: ActsIn = None,
    policy: PolicyOption = None,
    allow: AllowOption = None,
    longest_session: Annotated[
        str, typer.Option(help="Longest session, 15m to 12h, such as 1h.")
    ] = "1h",
    data_dir: DataDirOption = None,
) -> None:
    """Let a principal sign in; replaces the rule of the same principal and account.

    Sessions that are open go on under the new policy.
    """
    acts_in = _acts_in(principal, account)
    seconds = int(span_of("--longest-session", longest_session).total_seconds())
    check_session_length(seconds)
    wanted = store.RuleRequest(principal, acts_in, granted_policy(policy, allow), seconds)
    with opened(settings_for(data_dir)) as application:
        with application.state.writing() as connection:
            store.save_rule(connection, wanted, application.clock.now())
        stated = {"policy": dict(wanted.policy), "longestSessionSeconds": seconds}
        record_command(application, "signin allow", [acts_in], principal=principal, **stated)
    print(f"{principal} may sign in to account {acts_in}.")


@commands.command()
def remove(principal: Principal, account: ActsIn = None, data_dir: DataDirOption = None) -> None:
    """Let a principal in no longer, and end its sessions at once."""
    acts_in = _acts_in(principal, account)
    with opened(settings_for(data_dir)) as application:
        with application.state.writing() as connection:
            ended = store.remove_rule(connection, principal, acts_in)
        if ended is None:
            raise NotFound(
                f"there is no rule for {principal} in account {acts_in}; `compute-optimizer "
                "signin list` shows them all"
            )
        record_command(application, "signin remove", [acts_in], principal=principal)
    print(f"Removed. Sessions ended: {ended}.")


@commands.command("list")
def list_(output: FormatOption = Format.TABLE, data_dir: DataDirOption = None) -> None:
    """List who is let in, by account."""
    with opened(settings_for(data_dir)) as application, application.state.reading() as connection:
        rows = [_rule_row(rule) for rule in store.all_rules(connection)]
    if rows or output is Format.JSON:
        print_rows(rows, RULE_COLUMNS, output, title="Who may sign in")
    else:
        print("Nobody is let in: `compute-optimizer signin allow` lets somebody in.")


@commands.command()
def sessions(output: FormatOption = Format.TABLE, data_dir: DataDirOption = None) -> None:
    """List the sessions that are open; `keys delete` ends a single one."""
    with opened(settings_for(data_dir)) as application, application.state.reading() as connection:
        now = application.clock.now()
        keys = list_access_keys(connection, sessions=True)
    rows = [_session_row(key, output) for key in keys if key.expires_at and key.expires_at > now]
    if rows or output is Format.JSON:
        print_rows(rows, SESSION_COLUMNS, output, title="Sessions")
    else:
        print("No session is open.")


def _acts_in(principal: str, account: str | None) -> str:
    own = check_principal(principal)
    return own if account is None else checked("--account", account, ACCOUNT_ID, "12 digits")


def _rule_row(rule: SignInRule) -> dict[str, Any]:
    return {
        "principal": rule.principal,
        "accountId": rule.account_id,
        "longestSessionSeconds": rule.longest_session_seconds,
        "policy": json.loads(rule.policy),
    }


def _session_row(key: AccessKey, output: Format) -> dict[str, Any]:
    return {
        "accessKeyId": key.access_key_id,
        "accountId": key.account_id,
        "signedInAs": key.signed_in_as,
        "createdAt": spelled(key.created_at, output),
        "expiresAt": spelled(key.expires_at, output),
        "lastUsedAt": spelled(key.last_used_at, output),
    }
