"""Commands that are imported when they are typed: a command waits for no other's imports."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

PACKAGE = "compute_optimizer"


class Imported(Mapping[str, Any]):
    """Commands by name, each made of its function, or its group, when it is asked for."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places

    def __getitem__(self, name: str) -> Any:
        module, _, attribute = self._places[name].partition(":")
        with garbage_left():
            found = import_module(f"{PACKAGE}.{module}")
        return _command(name, getattr(found, attribute))

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def group_of(places: Mapping[str, str]) -> type[TyperGroup]:
    """Return the class of a group whose commands are at `module:attribute`, below the package.

    An attribute is the function of a command, or a typer.Typer with commands of its own.
    """

    class OnDemand(TyperGroup):
        """Lists names without importing what they stand for."""

        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = Imported(places)  # type: ignore[assignment] # is only read

        def list_commands(self, ctx: Any) -> list[str]:
            """Return the names in the order of the table."""
            return list(places)

    return OnDemand


@contextmanager
def garbage_left() -> Iterator[None]:
    """Look for no garbage meanwhile: what modules make stays, and looking was a seventh of it."""
    looked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looked:
            gc.enable()


@cache
def _command(name: str, found: Any) -> Any:
    """Return what typer makes of a command or of a group of commands, under its name.

    Once, however often one is typed in a process: typer looks through all parameters of a group.
    """
    root = typer.Typer(add_completion=False)
    root.callback()(_nothing)
    if isinstance(found, typer.Typer):
        root.add_typer(found, name=name)
    else:
        root.command(name)(found)
    return typer.main.get_group(root).commands[name]


def _nothing() -> None:
    """Make typer see a group, also around a single command."""
