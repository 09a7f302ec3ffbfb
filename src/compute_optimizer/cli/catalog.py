"""`compute-optimizer catalog`: instance types beside those that the program ships."""

from typing import Annotated, Any

import typer

from compute_optimizer.app import opened
from compute_optimizer.cli.auditing import record_command
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    print_rows,
    settings_for,
)
from compute_optimizer.model.counted import counted
from compute_optimizer.model.described_type import DescribedType
from compute_optimizer.sources.files.type_descriptions import read_descriptions
from compute_optimizer.store.described_types import described_types, keep_types, remove_types

commands = typer.Typer(
    help="Instance types beside those that the program ships.", no_args_is_help=True
)

TYPES = {
    "type": "Type",
    "region": "Region",
    "vcpus": "vCPUs",
    "memoryMib": "Memory MiB",
    "described": "Described",
}


@commands.command("import")
def import_(
    file: Annotated[
        str, typer.Argument(help="JSON, as `aws ec2 describe-instance-types` prints it.")
    ],
    region: Annotated[str, typer.Option(help="Region that was asked, which offers the types.")],
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Take in instance types that the program does not know, as EC2 describes them."""
    with opened(settings_for(data_dir)) as application:
        today = application.clock.now().date()
        found = read_descriptions(file, region, today)
        with application.state.writing() as connection:
            kept = keep_types(connection, found)
        record_command(application, "catalog import", [file], types=len(kept))
    if output is Format.TABLE and not kept:
        print(f"Nothing new: the program knows the {counted(len(found), 'types')} of the file.")
        return
    _print(kept, output)


@commands.command("list")
def list_(output: FormatOption = Format.TABLE, data_dir: DataDirOption = None) -> None:
    """Print the instance types that EC2 described beside those that the program ships."""
    with opened(settings_for(data_dir)) as application, application.state.reading() as connection:
        found = described_types(connection)
    if output is Format.TABLE and not found:
        print("There are none beside those that the program ships.")
        return
    _print(found, output)


@commands.command("remove")
def remove(data_dir: DataDirOption = None) -> None:
    """Remove all described instance types."""
    with opened(settings_for(data_dir)) as application:
        with application.state.writing() as connection:
            removed = remove_types(connection)
        record_command(application, "catalog remove", [])
    print(f"Removed {counted(removed, 'types')}. The next analysis does without them.")


def _print(found: tuple[DescribedType, ...] | list[DescribedType], output: Format) -> None:
    rows = [_row(one) for one in found]
    if output is Format.JSON:
        print_json({"types": rows})
        return
    print_rows(rows, TYPES, Format.TABLE)


def _row(one: DescribedType) -> dict[str, Any]:
    figures = dict(one.figures)
    return {
        "type": one.name,
        "region": one.region,
        "vcpus": figures["vcpus"],
        "memoryMib": figures["memory_mib"],
        "described": one.date.isoformat(),
    }
