"""How commands talk: tables for people on request, JSON for programs, complaints on stderr."""

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from pwd import getpwuid
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from compute_optimizer.config import Settings, load_settings
from compute_optimizer.model.counted import counted

T = TypeVar("T")

WIDEST_TABLE = 1_000
"""Characters of a line at most, where a table is not printed on a terminal."""

FIGURE = re.compile(r"(?!\d{12}$)[-+]?\d[\d,]*(\.\d+)?( ?%)?")
"""A number or a share; twelve digits are the id of an account."""

ROOT = 0
"""Number of the user who may write everywhere."""


class Format(StrEnum):
    """How a command prints its result."""

    TABLE = "table"
    JSON = "json"


FormatOption = Annotated[
    Format, typer.Option("--output", help="table for people, json for programs.")
]
DataDirOption = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder of the embedded state, tiles and key file."),
]


def settings_for(data_dir: Path | None, **overrides: Any) -> Settings:
    """Return the settings of a command from its options, the environment and the defaults.

    Warns where root is about to write into somebody else's data folder.
    """
    settings = load_settings({"data_dir": data_dir, **overrides})
    if owner := foreign_owner(settings.data_dir, os.geteuid()):
        warn(
            f"{settings.data_dir} belongs to {owner}, who cannot write what root makes there; "
            f"run this as that user: sudo -u {owner} ..."
        )
    return settings


def foreign_owner(folder: Path, user: int) -> str:
    """Return who owns a folder, by name or number, where root would write into it; else empty."""
    if user != ROOT or not folder.is_dir():
        return ""
    owner = folder.stat().st_uid
    if owner == ROOT:
        return ""
    try:
        return getpwuid(owner).pw_name
    except KeyError:
        return f"#{owner}"  # As sudo has it.


def complain(message: str) -> None:
    """Print an error for people on stderr."""
    _print_on_stderr(f"error: {message}", "red")


def warn(message: str) -> None:
    """Print on stderr what people should know and may well live with."""
    _print_on_stderr(f"warning: {message}", "yellow")


def tell(text: str) -> None:
    """Print a line in which names of resources may stand."""
    print(printable(text))


def print_json(value: Any) -> None:
    """Print a value for programs."""
    print(json.dumps(value, indent=2, default=str))


def print_rows(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], form: Format, title: str = ""
) -> None:
    """Print rows as a table with the given columns (key to heading), or all of them as JSON."""
    if form is Format.JSON:
        print_json(list(rows))
        return
    cells = {key: [_cell(row.get(key)) for row in rows] for key in columns}
    table = Table(title=title or None)
    for key, heading in columns.items():
        justify: JustifyMethod = "right" if _are_figures(cells[key]) else "left"
        table.add_column(heading, overflow="fold", justify=justify)
    for line in zip(*cells.values(), strict=True):
        # As Text, because plain strings are markup to Rich: a name may well hold [brackets].
        table.add_row(*(Text(printable(cell)) for cell in line))
    console = Console()
    if not console.is_terminal:
        # A file or a pipe has no width to keep to: whole cells serve its reader better.
        unbounded = console.options.update(max_width=WIDEST_TABLE)
        console = Console(width=console.measure(table, options=unbounded).maximum)
    console.print(table)


def print_first(
    found: Sequence[T],
    limit: int,
    row: Callable[[T], Mapping[str, Any]],
    columns: Mapping[str, str],
) -> None:
    """Print the first of what was found as a table, 0 is no limit, and how many it leaves out."""
    shown = found[:limit] if limit else found
    print_rows([row(one) for one in shown], columns, Format.TABLE)
    if left_out := len(found) - len(shown):
        print(f"And {left_out:,} more: --limit 0 shows all of them.")


def title_of_largest(shown: int, total: int, plural: str) -> str:
    """Return the title of a table of the largest savings of several things."""
    found = counted(total, plural)
    if total == 1:
        return found
    if shown == total:
        return f"{found}, the largest savings first"
    return f"The largest savings, {shown:,} of {found}"


def _print_on_stderr(text: str, style: str) -> None:
    console = Console(stderr=True, soft_wrap=True)
    console.print(printable(text), style=style, markup=False)


def _are_figures(cells: Sequence[str]) -> bool:
    """Tell whether a column holds figures and nothing else, so that they stand below each other."""
    told = [cell for cell in cells if cell]
    return bool(told) and all(FIGURE.fullmatch(cell) for cell in told)


def printable(text: str) -> str:
    """Return the text with whatever would steer a terminal shown as `\\x1b`: names are foreign."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() or one == "\n" else one.encode("unicode_escape").decode()
        for one in text
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if type(value) is int else str(value)
