"""`compute-optimizer backup` and `restore`: one consistent point of state and tiles."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from compute_optimizer.app import Application, opened, tiles_of
from compute_optimizer.cli.auditing import record_command
from compute_optimizer.cli.output import (
    DataDirOption,
    Format,
    FormatOption,
    print_json,
    settings_for,
    warn,
)
from compute_optimizer.cli.progress import Lines, bar_on
from compute_optimizer.config import Settings
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import StageProgress
from compute_optimizer.jobs.backup import BackupRequest, back_up
from compute_optimizer.jobs.restore import Restored, RestoreRequest, restore
from compute_optimizer.model.counted import counted
from compute_optimizer.store.access_keys import check_key_file, has_access_keys
from compute_optimizer.store.backup_files import TILES, Manifest
from compute_optimizer.store.sealing import Sealer, open_key_file


def backup(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="TARGET",
            help="Folder to make, or a file that ends in .tar, .tar.gz or .tgz.",
        ),
    ],
    with_key: Annotated[
        bool,
        typer.Option("--with-key", help="Take in the key file, which opens all stored secrets."),
    ] = False,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Back up the state and the tiles of one moment, while everything else goes on."""
    settings = settings_for(data_dir)
    request = BackupRequest(target, settings.key_file if with_key else None)
    with opened(settings) as application, telling() as told:
        tiles = tiles_of(settings)
        made = back_up(application.state, tiles, application.clock, request, told)
        record_command(application, "backup", [], target=str(target), withKey=with_key)
    if output is Format.JSON:
        print_json(_as_json(made, str(target)))
        return
    print(f"Backed up to {target}: {_described(made)}.")
    if not with_key and settings.key_file.exists():
        print(
            f"The key file {settings.key_file} is not in it: without that file the stored secrets "
            "cannot be opened. Keep it elsewhere, or give --with-key."
        )


def restore_backup(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="What `backup` made.")],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the data that is there.")
    ] = False,
    output: FormatOption = Format.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Put a backup in the place of an empty data folder and state: all of it or nothing."""
    settings = settings_for(data_dir)
    request = RestoreRequest(source, settings.key_file, overwrite)
    with opened(settings) as application, telling() as told:
        found = restore(application.state, tiles_of(settings), request, told)
        record_command(application, "restore", [], source=str(source), overwrite=overwrite)
        opens = _secrets_open(application)
    if output is Format.JSON:
        print_json(_restored_json(found, str(source), opens))
        return
    print(
        f"Restored {source}: {_described(found.manifest)}, {counted(found.rows, 'rows')}; "
        f"key file {found.key_file}."
    )


@contextmanager
def telling() -> Iterator[StageProgress]:
    """Yield what tells how far it is: a bar while somebody looks on, else lines."""
    console = Console(stderr=True)
    if console.is_terminal:
        with bar_on(console) as told:
            yield told
    else:
        yield Lines().told


def _secrets_open(application: Application) -> bool:
    """Return whether the key file opens the stored secrets, and warn where it does not."""
    settings = application.settings
    try:
        with application.state.reading() as connection:
            if not has_access_keys(connection):
                return True
            check_key_file(connection, _key_file_that_is_there(settings))
    except InvalidInput as error:
        warn(f"{error} `serve` does not start until then.")
        return False
    return True


def _key_file_that_is_there(settings: Settings) -> Sealer:
    """Open the key file; raise InvalidInput rather than make one, which could open nothing."""
    path = settings.key_file
    if not path.exists():
        raise InvalidInput(
            f"key file {path} does not exist, and no other opens the restored secrets: put the "
            "one that was kept apart from the backup there."
        )
    return open_key_file(path, settings.data_dir)


def _described(made: Manifest) -> str:
    tiles = sum(one.path.startswith(f"{TILES}/") for one in made.files)
    return (
        f"the state of {made.made_at:%Y-%m-%d %H:%M:%S} UTC and {counted(tiles, 'day tiles')}, "
        f"{made.bytes / 2**20:,.1f} MiB"
    )


def _as_json(made: Manifest, target: str) -> dict[str, object]:
    return {
        "backup": target,
        "madeAt": made.made_at.isoformat(),
        "revision": made.revision,
        "database": made.database,
        "tiles": sum(one.path.startswith(f"{TILES}/") for one in made.files),
        "bytes": made.bytes,
        "keyFile": made.has_key,
    }


def _restored_json(found: Restored, source: str, opens: bool) -> dict[str, object]:
    told = {"rows": found.rows, "keyFile": found.key_file, "secretsOpen": opens}
    return _as_json(found.manifest, source) | told
