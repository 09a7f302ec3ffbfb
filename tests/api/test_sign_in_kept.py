"""Credentials that are kept between commands: for how long, for whom, in which file."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from compute_optimizer.api.sign_in.client.kept import cache_file, keep, kept
from compute_optimizer.api.sign_in.client.request import Wanted
from compute_optimizer.errors import ComputeOptimizerError

NOW = datetime(2026, 11, 22, 21, 44, 20, tzinfo=UTC)
WANTED = Wanted("https://a.example", "operator", None, "a.example", None, None)
ENVIRONMENT = {"XDG_CACHE_HOME": "/caches"}


def credentials(minutes: int) -> dict[str, str]:
    ends = NOW + timedelta(minutes=minutes)
    return {"AccessKeyId": "ASIA", "Expiration": ends.isoformat().replace("+00:00", "Z")}


@pytest.mark.parametrize(
    ("minutes", "used"),
    [
        # SDKs ask for new ones from 15 minutes before the end: 60 - 15.
        (60, 45),
        # Of short sessions a quarter is left unused: 16 - 4.
        (16, 12),
    ],
)
def test_credentials_are_given_out_until_shortly_before_they_expire(
    tmp_path: Path, minutes: int, used: int
) -> None:
    file = tmp_path / "folder" / "file.json"
    keep(file, credentials(minutes), NOW)
    until = NOW + timedelta(minutes=used)

    assert kept(file, NOW) == credentials(minutes)
    assert kept(file, until - timedelta(seconds=1)) == credentials(minutes)
    assert kept(file, until) is None
    assert kept(file, NOW - timedelta(seconds=1)) is None, "a clock that was set back"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"Since": 1, "Expiration": 2}', "\x00"])
def test_a_damaged_file_is_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "file.json"
    file.write_text(content)
    file.chmod(0o600)

    assert kept(file, NOW) is None
    assert kept(tmp_path / "absent.json", NOW) is None


def test_what_is_kept_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    keep(file, credentials(60), NOW)
    keep(file, credentials(120), NOW)

    assert kept(file, NOW) == credentials(120)
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_cannot_be_had_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ComputeOptimizerError, match=r"cannot be kept in .*; use --no-cache"):
        keep(tmp_path / "file" / "file.json", credentials(60), NOW)


def test_every_wish_has_a_file_of_its_own() -> None:
    wishes = [
        WANTED,
        replace(WANTED, endpoint="https://b.example"),
        replace(WANTED, profile="other"),
        replace(WANTED, region="eu-west-1"),
        replace(WANTED, server_name="b.example"),
        replace(WANTED, account="111111111111"),
        replace(WANTED, seconds=900),
    ]

    files = {cache_file(one, ENVIRONMENT) for one in wishes}

    assert len(files) == len(wishes)
    assert {one.parent for one in files} == {Path("/caches/compute-optimizer/credentials")}


def test_without_a_profile_the_file_is_that_of_the_credentials_in_the_environment() -> None:
    nobody = replace(WANTED, profile=None)
    environments = [
        {},
        {"AWS_PROFILE": "operator"},
        {"AWS_ACCESS_KEY_ID": "AKIA1"},
        {"AWS_ACCESS_KEY_ID": "AKIA2"},
    ]

    files = {cache_file(nobody, ENVIRONMENT | one) for one in environments}

    assert len(files) == len(environments)
    named = ENVIRONMENT | {"AWS_ACCESS_KEY_ID": "AKIA1"}
    assert cache_file(WANTED, named) == cache_file(WANTED, ENVIRONMENT)
