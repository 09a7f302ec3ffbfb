"""Every command of the program, by its whole name, and its options."""

from collections.abc import Iterator
from typing import Any

import typer

from compute_optimizer.cli import app

PROGRAM = "compute-optimizer"


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, with its whole name."""
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child in children:
        yield from commands(children[child], f"{name} {child}")


COMMANDS = dict(commands(typer.main.get_command(app), PROGRAM))


def options(command: Any) -> set[str]:
    return {
        name
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("-")
    }
