"""`backup`, `restore` and `state copy` as somebody types them."""

import base64
import json
import os
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore
from tests.commands import Type
from tests.enrolling import ALPHA, opt_in
from tests.every_table import every_row
from tests.states import FreshUrl
from tests.stored_fleets import store_fleet


@pytest.fixture
def folder(tmp_path: Path, typed: Type) -> Path:
    """A data folder with one machine, and a key whose secret is sealed."""
    state = State(f"sqlite:///{tmp_path / 'state.db'}")
    state.migrate()
    opt_in(state, ALPHA)
    store_fleet(state, TileStore(tmp_path / "tiles"), ALPHA, days=2)
    state.close()
    assert typed("keys", "create", "--account", ALPHA, "--name", "ci", "--allow", "*").code == 0
    return tmp_path


def test_backup_says_what_it_holds_and_what_not(typed: Type, folder: Path) -> None:
    ended = typed("backup", str(folder / "kept"))

    assert ended.code == 0, ended.err
    assert "2 day tiles" in ended.out
    assert "secrets.key is not in it" in " ".join(ended.out.split())
    assert not list((folder / "kept").rglob("secrets.key"))


@pytest.mark.parametrize("name", ["kept.zip", "kept.tar.zst"])
def test_backup_refuses_the_ending_of_an_archive_that_it_does_not_make(
    typed: Type, folder: Path, name: str
) -> None:
    """It would be a folder of that name."""
    ended = typed("backup", str(folder / name))

    assert ended.code == 2
    assert "or a file that ends in .tar, .tar.gz, .tgz" in " ".join(ended.err.split())
    assert not (folder / name).exists()


def test_backup_with_the_key_holds_it(typed: Type, folder: Path) -> None:
    ended = typed("backup", str(folder / "kept"), "--with-key", "--output", "json")

    told = json.loads(ended.out)
    assert (told["tiles"], told["keyFile"], told["database"]) == (2, True, "sqlite")
    kept, own = folder / "kept" / "secrets.key", folder / "secrets.key"
    assert kept.read_bytes() == own.read_bytes()


@pytest.mark.parametrize("name", ["kept.tar", "kept.tar.gz"])
def test_an_archive_is_for_its_owner_alone(typed: Type, folder: Path, name: str) -> None:
    before = os.umask(0o022)
    try:
        assert typed("backup", str(folder / name), "--with-key").code == 0
    finally:
        os.umask(before)

    assert (folder / name).stat().st_mode & 0o777 == 0o600


def test_a_key_file_is_told_of_where_there_is_one(typed: Type, folder: Path) -> None:
    assert "is not in it" in typed("backup", str(folder / "kept")).out

    (folder / "secrets.key").unlink()

    assert "key file" not in typed("backup", str(folder / "kept-without")).out


def test_restore_brings_all_back_and_the_key_opens_the_secrets(typed: Type, folder: Path) -> None:
    typed("backup", str(folder / "kept.tar"), "--with-key")
    for one in (*folder.glob("state.db*"), folder / "secrets.key"):
        one.unlink()

    ended = typed("restore", str(folder / "kept.tar"), "--output", "json")

    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert (told["tiles"], told["keyFile"], told["secretsOpen"]) == (2, "restored", True)
    assert ALPHA in typed("keys", "list").out


def test_restore_warns_where_the_key_file_is_not_there_and_makes_none(
    typed: Type, folder: Path
) -> None:
    typed("backup", str(folder / "kept"))
    key = folder / "secrets.key"
    kept_apart = key.rename(folder / "kept-apart")
    for one in folder.glob("state.db*"):
        one.unlink()

    ended = typed("restore", str(folder / "kept"))

    assert ended.code == 0
    assert f"key file {key} does not exist" in " ".join(ended.err.split())
    assert not key.exists()
    kept_apart.rename(key)
    again = typed("restore", str(folder / "kept"), "--overwrite", "--output", "json")
    assert json.loads(again.out)["secretsOpen"] is True


def test_restore_warns_where_the_key_is_another_one(typed: Type, folder: Path) -> None:
    typed("backup", str(folder / "kept"))
    for one in folder.glob("state.db*"):
        one.unlink()
    (folder / "secrets.key").write_text(base64.b64encode(bytes(32)).decode())

    ended = typed("restore", str(folder / "kept"))

    assert ended.code == 0
    assert "warning" in ended.err
    assert "does not open the secret" in " ".join(ended.err.split())


def test_restore_replaces_nothing_unless_told(typed: Type, folder: Path) -> None:
    typed("backup", str(folder / "kept"))

    refused = typed("restore", str(folder / "kept"))
    done = typed("restore", str(folder / "kept"), "--overwrite")

    assert (refused.code, done.code) == (4, 0)
    assert "--overwrite" in refused.err


def test_both_are_in_the_audit_log(typed: Type, folder: Path) -> None:
    typed("backup", str(folder / "kept"), "--with-key")
    typed("restore", str(folder / "kept"), "--overwrite")

    lines = [json.loads(one) for one in (folder / "audit.jsonl").read_text().splitlines()]
    operations = {one["operation"]: one["parameters"] for one in lines if one.get("parameters")}
    assert operations["backup"]["withKey"] is True
    assert operations["restore"]["overwrite"] is True


def test_the_state_moves_to_postgresql_and_back(
    typed: Type, folder: Path, fresh_postgresql: FreshUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = fresh_postgresql()

    moved = typed("state", "copy", "--to", there, "--output", "json")
    monkeypatch.setenv("COMPUTE_OPTIMIZER_STATE_URL", there)
    served = typed("keys", "list")
    back = typed("state", "copy", "--to", f"sqlite:///{folder / 'back.db'}")

    assert (moved.code, served.code, back.code) == (0, 0, 0), moved.err + back.err
    assert {"table": "access_keys", "rows": 1} in json.loads(moved.out)
    assert ALPHA in served.out
    rows = []
    for name in ("state.db", "back.db"):
        state = State(f"sqlite:///{folder / name}")
        with state.reading() as connection:
            rows.append(every_row(connection))
        state.close()
    assert rows[0] == rows[1]


def test_a_database_that_holds_something_is_copied_over_only_when_told(
    typed: Type, folder: Path
) -> None:
    url = f"sqlite:///{folder / 'other.db'}"
    typed("state", "copy", "--to", url)

    assert typed("state", "copy", "--to", url).code == 4
    assert typed("state", "copy", "--to", url, "--overwrite").code == 0


def test_the_state_is_not_copied_onto_itself(typed: Type, folder: Path) -> None:
    url = f"sqlite:///{folder / 'state.db'}"

    ended = typed("state", "copy", "--to", url, "--overwrite")

    assert ended.code == 4
    assert "itself" in ended.err


def test_a_target_that_is_no_database_is_named(typed: Type, folder: Path) -> None:
    ended = typed("state", "copy", "--to", "mysql://host/db")

    assert ended.code == 2
    assert "mysql" in ended.err


NOBODYS = {
    "backup": ("backup", "{0}/new"),
    "state copy to a new file": ("state", "copy", "--to", "sqlite:///{0}/new"),
    "state copy": ("state", "copy", "--overwrite", "--to", "sqlite:///{0}/kept.db"),
}


@pytest.mark.parametrize("command", NOBODYS)
def test_a_folder_that_nobody_meant_is_not_taken_for_the_state(
    typed: Type, folder: Path, command: str
) -> None:
    kept = (folder / "state.db").rename(folder / "kept.db")
    before = rows_of(kept)

    ended = typed(*(word.format(folder) for word in NOBODYS[command]))

    assert ended.code == 3
    assert f"{folder}/state.db holds nothing" in ended.err
    assert not (folder / "new").exists()
    assert rows_of(kept) == before


def rows_of(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(State(f"sqlite:///{file}")) as state, state.reading() as connection:
        return every_row(connection)
