"""The file of the setting `oidc_access_file`: who of the provider's people may do what.

access:
  - claim: groups
    value: finops
    accounts: ["111111111111"]
    access: read-write
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.account import AccountId
from compute_optimizer.model.openid import ACCESS, AccessRule
from compute_optimizer.sources.yaml_files import read_yaml

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class AccessEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule as it is written."""

    claim: Text
    value: Text
    accounts: Annotated[tuple[AccountId, ...], msgspec.Meta(min_length=1)]
    access: Literal["read-only", "read-write"] | None = None
    allow: tuple[str, ...] = ()
    """Actions, in place of `access`."""


class AccessFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    access: Annotated[tuple[AccessEntry, ...], msgspec.Meta(min_length=1)]


def read_access_file(path: Path) -> tuple[AccessRule, ...]:
    """Return the rules of a file; raise InvalidInput that names the place in it."""
    try:
        entries = read_yaml(path, AccessFile, may_be_empty=False).access
    except InvalidInput as error:
        raise InvalidInput(
            f"setting oidc_access_file: {error}; account ids and values stand in quotes: "
            '"111111111111"'
        ) from error
    return tuple(_rule(path, number, one) for number, one in enumerate(entries, 1))


def _rule(path: Path, number: int, one: AccessEntry) -> AccessRule:
    if (one.access is None) is not bool(one.allow):
        raise InvalidInput(
            f"setting oidc_access_file: {path}: rule {number} needs either access, one of "
            f"{', '.join(ACCESS)}, or allow with actions such as compute-optimizer:Get*"
        )
    allow = ACCESS[one.access] if one.access else one.allow
    return AccessRule(one.claim, one.value, one.accounts, allow)
