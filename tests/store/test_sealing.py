"""Sealed secrets: opened by the key file that sealed them, for the record that they belong to."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.store.sealing import open_key_file


def test_a_sealed_secret_is_opened_again_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    sealed = open_key_file(path, tmp_path).seal("s3cret", "AKIA1")

    assert b"s3cret" not in sealed
    assert open_key_file(path, tmp_path).unseal(sealed, "AKIA1") == "s3cret"


def test_sealing_twice_gives_different_bytes(tmp_path: Path) -> None:
    sealer = open_key_file(tmp_path / "secrets.key", tmp_path)

    assert sealer.seal("s3cret", "AKIA1") != sealer.seal("s3cret", "AKIA1")


def test_a_secret_moved_to_another_record_is_not_opened(tmp_path: Path) -> None:
    sealer = open_key_file(tmp_path / "secrets.key", tmp_path)

    with pytest.raises(InvalidInput, match="does not open the secret of AKIA2"):
        sealer.unseal(sealer.seal("s3cret", "AKIA1"), "AKIA2")


def test_another_key_file_does_not_open_it(tmp_path: Path) -> None:
    sealed = open_key_file(tmp_path / "one.key", tmp_path).seal("s3cret", "AKIA1")

    with pytest.raises(InvalidInput, match=r"two\.key does not open .* rotate the key"):
        open_key_file(tmp_path / "two.key", tmp_path).unseal(sealed, "AKIA1")


def test_a_missing_key_file_is_made_inside_the_data_folder_for_its_owner_only(
    tmp_path: Path,
) -> None:
    path = tmp_path / "data" / "secrets.key"

    open_key_file(path, tmp_path / "data")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(base64.b64decode(path.read_text())) == 32
    assert [file.name for file in path.parent.iterdir()] == ["secrets.key"]


def test_a_missing_key_file_elsewhere_is_an_error_that_says_how_to_make_one(
    tmp_path: Path,
) -> None:
    with pytest.raises(InvalidInput, match="Mount it, or make one: openssl rand"):
        open_key_file(tmp_path / "mounted" / "secrets.key", tmp_path)


def test_of_many_starters_all_use_the_same_new_key(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    with ThreadPoolExecutor(8) as pool:
        sealers = list(pool.map(lambda _: open_key_file(path, tmp_path), range(8)))

    sealed = sealers[0].seal("s3cret", "AKIA1")

    assert {sealer.unseal(sealed, "AKIA1") for sealer in sealers} == {"s3cret"}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not base64 at all!", id="not base64"),
        pytest.param(base64.b64encode(bytes(31)), id="too short"),
        pytest.param(bytes(32), id="raw bytes"),
    ],
)
def test_a_file_that_holds_no_key_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secrets.key"
    path.write_bytes(content)

    with pytest.raises(InvalidInput, match="must hold 32 bytes in base64"):
        open_key_file(path, tmp_path)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    path.mkdir()

    with pytest.raises(InvalidInput, match="cannot be read: Is a directory"):
        open_key_file(path, tmp_path)


def test_white_space_around_a_mounted_key_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    path.write_bytes(b"  " + base64.b64encode(bytes(32)) + b"\r\n")

    sealer = open_key_file(path, tmp_path)

    assert sealer.unseal(sealer.seal("s3cret", "AKIA1"), "AKIA1") == "s3cret"
