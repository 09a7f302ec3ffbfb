"""Files that are gone between the moments in which they are listed and looked at."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.sources.files.folders import settled_files

NOW = datetime(2026, 3, 15, tzinfo=UTC)


class Late(type(Path())):  # type: ignore[misc] # PosixPath here, another one elsewhere
    """Says what was there a moment ago: everything that was ever listed."""

    def is_file(self, **_: bool) -> bool:
        return bool(self.suffix == ".csv")

    def is_dir(self, **_: bool) -> bool:
        return not self.suffix


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Lists two tables, of which one leads to nothing."""
    (tmp_path / "here.csv").touch()
    os.utime(tmp_path / "here.csv", ((NOW - timedelta(hours=1)).timestamp(),) * 2)
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nothing.csv")
    return Late(tmp_path)


@pytest.mark.parametrize("name", [".", "*.csv"])
def test_a_listed_file_that_has_gone_is_left_out(folder: Path, name: str) -> None:
    assert [path.name for path in settled_files([name], folder, NOW)] == ["here.csv"]


@pytest.mark.parametrize("name", ["gone.csv", "incoming"])
def test_a_named_file_or_folder_that_has_gone_is_told(folder: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=f"{name}: .*[Nn]o such file"):
        settled_files([name], folder, NOW)
