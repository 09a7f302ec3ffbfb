"""Write docs/cli.md: every command with its options, as the program itself declares them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from compute_optimizer import errors
from compute_optimizer.__main__ import INTERRUPTED
from compute_optimizer.cli import app
from compute_optimizer.cli.closed_pipe import READER_LEFT

PROGRAM = "compute-optimizer"
TARGET = Path(__file__).resolve().parents[1] / "docs" / "cli.md"

INTRODUCTION = f"""\
# The command line

Every command of `{PROGRAM}`; `{PROGRAM} COMMAND --help` says the same.
Where to start: [import your own data](import.md), or `make demo` for a generated fleet.

Settings that several commands share (the data folder, the state database and so on) are on
[their own page](settings.md); each can be given as an environment variable.
Commands that print results print a table for people, and JSON for programs with `--output json`.

## Exit codes

A command that cannot do its work says why on standard error and ends with one of these codes.

| code | meaning |
|---|---|
| 0 | done |
"""


def generate() -> str:
    """Return the text of the page."""
    root = typer.main.get_command(app)
    sections = (_section(name, command) for name, command in commands(root))
    return INTRODUCTION + _exit_codes() + "\n" + "\n".join(sections)


def commands(command: Any, name: str = PROGRAM) -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, with its whole name, in alphabetical order."""
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child in sorted(children):
        yield from commands(children[child], f"{name} {child}")


def _exit_codes() -> str:
    base = errors.ComputeOptimizerError
    kinds = [base, *base.__subclasses__()]
    rows = (f"| {kind.exit_code} | {_meaning(kind)} |\n" for kind in kinds)
    signals = {
        INTERRUPTED: "interrupted by Ctrl-C",
        READER_LEFT: "quietly, as whatever reads the output has left, such as `head`",
    }
    rows_of_signals = (f"| {code} | {meaning} |\n" for code, meaning in signals.items())
    return "".join((*rows, *rows_of_signals))


def _meaning(kind: type[errors.ComputeOptimizerError]) -> str:
    if kind is errors.ComputeOptimizerError:
        return "another error"
    return (kind.__doc__ or "").partition("\n")[0].rstrip(".")


def _section(name: str, command: Any) -> str:
    parameters = [one for one in command.params if one.name != "help"]
    usage = " ".join([name, *(_metavar(one) for one in _arguments(parameters))])
    rows = "".join(_row(one) for one in parameters)
    table = f"\n| option | default | meaning |\n|---|---|---|\n{rows}" if rows else ""
    return f"## {name}\n\n{_prose(command.help)}\n\n    {usage} [OPTIONS]\n{table}"


def _arguments(parameters: list[Any]) -> list[Any]:
    return [one for one in parameters if one.param_type_name == "argument"]


def _metavar(argument: Any) -> str:
    spelled = argument.metavar or argument.name.upper()
    spelled += "..." if argument.nargs == -1 else ""
    return spelled if argument.required else f"[{spelled}]"


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        spelled = f"`{_metavar(parameter)}`"
    else:
        names = [*parameter.opts, *parameter.secondary_opts]
        spelled = ", ".join(f"`{name}`" for name in names)
    return f"| {spelled} | {_default(parameter)} | {_prose(parameter.help)} |\n"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = parameter.default
    if value is None or value is False or callable(value) or value in ((), [], ""):
        return ""
    return f"`{getattr(value, 'value', value)}`"


def _prose(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    TARGET.write_text(generate())
