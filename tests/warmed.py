"""What commands do before their own work, done when this is imported.

The process that commands of tests are forked of imports it: each of them would load what typer
reads options with, and each server compile all templates of the console.
"""

import typer

from compute_optimizer.cli import app
from compute_optimizer.console.warming import warm

OFTEN = ("analyze", "backup", "import", "serve", "worker")
"""Commands that tests fork."""

_group = typer.main.get_command(app)
assert isinstance(_group, typer.core.TyperGroup)
COMMANDS = [_group.commands[name] for name in OFTEN]
COMMANDS[-1].make_context(OFTEN[-1], [])  # Reads its options, and runs nothing.

warm("")
