"""`compute-optimizer credentials`: sign in, and print credentials as SDKs read them.

`compute-optimizer-credentials` is the same and starts sooner.
"""

import json
import os
import sys
from typing import Annotated

import typer

from compute_optimizer.api.sign_in.client.kept import cache_file, keep, kept
from compute_optimizer.api.sign_in.client.request import (
    Wanted,
    checked_endpoint,
    fetch_credentials,
)
from compute_optimizer.errors import ComputeOptimizerError, InvalidInput
from compute_optimizer.interfaces import SystemClock
from compute_optimizer.model.account import ACCOUNT_ID
from compute_optimizer.model.spans import span_of

PRINTED = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "AccountId")


def credentials(
    endpoint: Annotated[str, typer.Option(help="URL of the server to sign in at.")],
    profile: Annotated[
        str | None, typer.Option(help="AWS profile to sign in with; by default the SDK's.")
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Region whose STS is asked; by default the profile's.")
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="Account to act in, where you may act in several.")
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(help="Length of the session, such as 15m; by default as long as allowed."),
    ] = None,
    server_name: Annotated[
        str | None,
        typer.Option(help="Name of the server, where it is reached by another one (a tunnel)."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Sign in anew, whatever is kept from before.")
    ] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Keep nothing on disk.")] = False,
    i_know_this_network_is_private: Annotated[
        bool,
        typer.Option(
            "--i-know-this-network-is-private",
            help="Sign in over plain HTTP beyond this machine: only where nobody can read along.",
        ),
    ] = False,
) -> None:
    """Sign in with an AWS identity and print credentials, as a credential_process does.

    They are kept, readable by you only, until shortly before they expire.
    """
    name = checked_endpoint(endpoint, i_know_this_network_is_private)
    if account is not None and not ACCOUNT_ID.fullmatch(account):
        raise InvalidInput(f"--account {account!r}: expected 12 digits")
    seconds = int(span_of("--duration", duration).total_seconds()) if duration else None
    wanted = Wanted(endpoint, profile, region, server_name or name, account, seconds)
    path, now = cache_file(wanted, os.environ), SystemClock().now()
    found = None if fresh or no_cache else kept(path, now)
    if found is None:
        found = fetch_credentials(wanted)
        if not no_cache:
            keep(path, found, now)
    printed = {"Version": 1, **{part: found[part] for part in PRINTED if part in found}}
    print(json.dumps(printed, indent=2))


def main() -> None:
    """Run the command by itself; errors end with a message and an exit code."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(credentials)
    try:
        app()
    except ComputeOptimizerError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
