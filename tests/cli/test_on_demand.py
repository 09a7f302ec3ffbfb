"""A command imports what it needs, and the table of commands leads to all of them."""

import subprocess
import sys

import pytest
import typer

from compute_optimizer.cli import COMMANDS, app

WHO_IMPORTED = """
import sys
from compute_optimizer.cli import app
app(["status", "--help"], standalone_mode=False)
print(sorted(one for one in sys.modules if one.startswith("compute_optimizer.cli.")))
"""


AFTER_IMPORTING = """
import importlib, sys
importlib.import_module(sys.argv[1])
print(*sorted(set(sys.argv[2:]) & set(sys.modules)))
"""


def group() -> typer.core.TyperGroup:
    found = typer.main.get_command(app)
    assert isinstance(found, typer.core.TyperGroup)
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_each_name_leads_to_a_command_that_says_what_it_does(name: str) -> None:
    command = group().commands[name]

    assert command.name == name
    assert command.help
    # Options to install a completion belong to the program, not to a command.
    assert not {"install_completion", "show_completion"} & {one.name for one in command.params}


def test_names_are_listed_without_importing_and_others_are_unknown() -> None:
    assert list(group().commands) == list(COMMANDS)
    assert group().commands.get("analyzer") is None


def test_a_command_imports_no_other_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WHO_IMPORTED], capture_output=True, text=True, check=True
    )

    imported = ran.stdout.splitlines()[-1]
    assert "'compute_optimizer.cli.status'" in imported
    for other in ("serve", "collect", "backtest", "worker"):
        assert f"'compute_optimizer.cli.{other}'" not in imported


@pytest.mark.parametrize(
    ("module", "unneeded"),
    [
        ("cli", ("compute_optimizer.operations", "sqlalchemy", "numpy", "pyarrow")),
        (
            "cli.backup",
            ("compute_optimizer.jobs.worker", "compute_optimizer.sources.aws", "alembic"),
        ),
        ("cli.serve", ("compute_optimizer.emulator.handles", "compute_optimizer.emulator.running")),
        ("cli.auditing", ("compute_optimizer.api.dispatch", "compute_optimizer.operations")),
    ],
)
def test_a_start_does_not_wait_for_what_it_does_not_need(
    module: str, unneeded: tuple[str, ...]
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", AFTER_IMPORTING, f"compute_optimizer.{module}", *unneeded],
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.split() == []
