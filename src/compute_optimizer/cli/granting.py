"""What commands that let somebody in have in common: policies and checked options."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from compute_optimizer.api.authorization import parse_policy, policy_allowing
from compute_optimizer.cli.output import Format
from compute_optimizer.errors import InvalidInput

PolicyOption = Annotated[
    Path | None, typer.Option("--policy", help="File with a policy document (JSON).")
]
AllowOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow", help="Action to allow, such as compute-optimizer:Get*; repeat for several."
    ),
]


def granted_policy(path: Path | None, allow: list[str] | None) -> dict[str, Any]:
    """Return the policy document of the two options; raise InvalidInput that names the fault."""
    if (path is None) is (not allow):
        raise InvalidInput(
            "say what is allowed: either --policy FILE or --allow ACTION, such as "
            "--allow 'compute-optimizer:*'"
        )
    document = policy_allowing(allow or []) if path is None else _read_policy(path)
    parse_policy(document)
    return document


def _read_policy(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text())
    except OSError as error:
        raise InvalidInput(f"policy {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InvalidInput(f"policy {path} is not JSON: {error}") from None
    return document


def checked(option: str, value: str, pattern: re.Pattern[str], expected: str) -> str:
    """Return the value of an option; raise InvalidInput where it is not as expected."""
    if not pattern.fullmatch(value):
        raise InvalidInput(f"{option} {value!r}: expected {expected}")
    return value


def spelled(moment: datetime | None, output: Format) -> str | None:
    """Return a moment for a cell of a table, or for a program."""
    if moment is None:
        return None
    if output is Format.JSON:
        return moment.isoformat(timespec="seconds")
    return moment.strftime("%Y-%m-%d %H:%M")
