"""Accounts and Regions that a command is narrowed to: what cannot be is told, not found empty."""

from collections.abc import Collection

from sqlalchemy import Connection

from compute_optimizer.catalog.price_table import priced_regions
from compute_optimizer.cli.output import warn
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.account import check_account_id
from compute_optimizer.store.inventory import shards

NAMED_AT_MOST = 5
"""Accounts or Regions that a message lists before it only counts."""


def check_narrowing(
    connection: Connection,
    accounts: Collection[str] | None = None,
    regions: Collection[str] | None = None,
) -> None:
    """Raise InvalidInput for what is no account id or no Region; warn of accounts without data.

    A Region is one of the catalog's or one with stored resources; that nothing is stored there is
    no mistake.
    """
    if not accounts and not regions:
        return
    stored = shards(connection)
    _check_regions(regions or (), {key.region for key in stored})
    _check_accounts(accounts or (), {key.account_id for key in stored})


def _check_regions(regions: Collection[str], stored: Collection[str]) -> None:
    known = {*stored, *priced_regions()}
    for region in regions:
        if region not in known:
            raise InvalidInput(
                f"--region {region!r} is no Region that the catalog knows, and none with stored "
                f"resources ({_named(stored)}); expected one such as us-east-1"
            )


def _check_accounts(accounts: Collection[str], stored: Collection[str]) -> None:
    for account in accounts:
        # Where nothing is stored at all, the command itself says what to do.
        if check_account_id(account) not in stored and stored:
            warn(f"no resource of account {account} is stored; there are some of {_named(stored)}")


def _named(stored: Collection[str]) -> str:
    """Name a few of many, in order."""
    first = sorted(stored)[:NAMED_AT_MOST]
    rest = len(stored) - len(first)
    return (", ".join(first) or "none") + (f" and {rest:,} more" if rest else "")
