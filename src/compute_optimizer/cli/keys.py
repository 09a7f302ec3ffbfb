"""`compute-optimizer keys`: the access keys that may sign requests."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from compute_optimizer.app import opened
from compute_optimizer.cli.auditing import record_command
from compute_optimizer.cli.granting import (
    AllowOption,
    PolicyOption,
    checked,
    granted_policy,
    spelled,
)
from compute_optimizer.cli.option_values import moment_after, moment_of
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    print_rows,
    settings_for,
)
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.account import ACCOUNT_ID
from compute_optimizer.store import access_keys
from compute_optimizer.store.access_keys import AccessKey, KeyRequest, NewSecret
from compute_optimizer.store.sealing import open_key_file

commands = typer.Typer(help="Access keys: who may sign requests.", no_args_is_help=True)

USER_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
"""What IAM allows as the name of a user."""

COLUMNS = {
    "accessKeyId": "Access key id",
    "accountId": "Account",
    "name": "Name",
    "status": "Status",
    "createdAt": "Created (UTC)",
    "expiresAt": "Expires (UTC)",
    "lastUsedAt": "Last used (UTC)",
}

KeyId = Annotated[str, typer.Argument(metavar="ACCESS_KEY_ID", help="Id of the key.")]


@commands.command()
def create(
    account: Annotated[str, typer.Option(help="Account that the key acts for: 12 digits.")],
    name: Annotated[str, typer.Option(help="Who holds the key; shown in messages and the audit.")],
    policy: PolicyOption = None,
    allow: AllowOption = None,
    expires_in: Annotated[
        str | None, typer.Option(help="Time until the key expires, such as 90d, 12h or 30m.")
    ] = None,
    expires_at: Annotated[
        str | None, typer.Option(help="Moment at which the key expires, such as 2027-01-31T00:00.")
    ] = None,
    session_token: Annotated[
        bool, typer.Option("--session-token", help="Make a session token that goes with the key.")
    ] = False,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Make a key and show its secret, this once."""
    settings = settings_for(data_dir)
    document = granted_policy(policy, allow)
    with opened(settings) as application:
        now = application.clock.now()
        wanted = KeyRequest(
            account_id=checked("--account", account, ACCOUNT_ID, "12 digits"),
            name=checked("--name", name, USER_NAME, "1 to 64 letters, digits and +=,.@_-"),
            policy=document,
            expires_at=_expiry(expires_in, expires_at, now),
            with_session_token=session_token,
        )
        sealer = open_key_file(settings.key_file, settings.data_dir)
        with application.state.writing() as connection:
            new = access_keys.create_access_key(connection, sealer, wanted, now)
        made = {"name": name, "policy": document}
        record_command(application, "keys create", [account, new.access_key_id], **made)
    _show(new, output)


@commands.command("list")
def list_(
    account: Annotated[str | None, typer.Option(help="Only the keys of this account.")] = None,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """List keys with their state and last use; last use is stored once a minute."""
    with opened(settings_for(data_dir)) as application, application.state.reading() as connection:
        keys = access_keys.list_access_keys(connection, account)
        now = application.clock.now()
    rows = [_row(key, now, output) for key in keys]
    if rows or output is Format.JSON:
        print_rows(rows, COLUMNS, output, title="Access keys")
    else:
        of = f" of account {account}" if account else ""
        print(f"There is no key{of}: `compute-optimizer keys create` makes one.")


@commands.command()
def rotate(
    access_key_id: KeyId, output: FormatOption = Format.TABLE, data_dir: DataDirOption = None
) -> None:
    """Give a key a new secret and show it, this once; the old one stops working at once."""
    settings = settings_for(data_dir)
    with opened(settings) as application:
        sealer = open_key_file(settings.key_file, settings.data_dir)
        with application.state.writing() as connection:
            new = access_keys.rotate_access_key(connection, sealer, access_key_id)
        record_command(application, "keys rotate", [access_key_id])
    _show(new, output)


@commands.command()
def deactivate(access_key_id: KeyId, data_dir: DataDirOption = None) -> None:
    """Stop a key from signing, until it is activated again."""
    with _writing(data_dir, "keys deactivate", access_key_id) as connection:
        access_keys.set_access_key_active(connection, access_key_id, active=False)


@commands.command()
def activate(access_key_id: KeyId, data_dir: DataDirOption = None) -> None:
    """Let a deactivated key sign again."""
    with _writing(data_dir, "keys activate", access_key_id) as connection:
        access_keys.set_access_key_active(connection, access_key_id, active=True)


@commands.command()
def delete(access_key_id: KeyId, data_dir: DataDirOption = None) -> None:
    """Forget a key for good."""
    with _writing(data_dir, "keys delete", access_key_id) as connection:
        access_keys.delete_access_key(connection, access_key_id)


@contextmanager
def _writing(data_dir: Path | None, command: str, access_key_id: str) -> Iterator[Connection]:
    """Open a transaction on the keys and record the command once it is committed."""
    with opened(settings_for(data_dir)) as application:
        with application.state.writing() as connection:
            yield connection
        record_command(application, command, [access_key_id])


def _expiry(span: str | None, moment: str | None, now: datetime) -> datetime | None:
    if span is not None and moment is not None:
        raise InvalidInput("give --expires-in or --expires-at, not both")
    expires = moment_of("--expires-at", moment) if moment is not None else None
    if span is not None:
        expires = moment_after(now, "--expires-in", span)
    if expires is not None and expires <= now:
        raise InvalidInput(f"the key would expire at {expires.isoformat()}, which has passed")
    return expires


def _show(new: NewSecret, output: Format) -> None:
    if output is Format.JSON:
        # The form that the AWS CLI reads from a credential_process.
        shown = {"Version": 1, "AccessKeyId": new.access_key_id}
        shown["SecretAccessKey"] = new.secret_access_key
        print_json(shown | ({"SessionToken": new.session_token} if new.session_token else {}))
        return
    print("Keep this; the secret is not shown again.")
    print(f"aws_access_key_id = {new.access_key_id}")
    print(f"aws_secret_access_key = {new.secret_access_key}")
    if new.session_token is not None:
        print(f"aws_session_token = {new.session_token}")


def _row(key: AccessKey, now: datetime, output: Format) -> dict[str, Any]:
    expired = key.expires_at is not None and key.expires_at <= now
    row: dict[str, Any] = {
        "accessKeyId": key.access_key_id,
        "accountId": key.account_id,
        "name": key.name,
        "status": "Expired" if expired else "Active" if key.active else "Inactive",
        "createdAt": spelled(key.created_at, output),
        "expiresAt": spelled(key.expires_at, output),
        "lastUsedAt": spelled(key.last_used_at, output),
    }
    return row | ({"policy": json.loads(key.policy)} if output is Format.JSON else {})
