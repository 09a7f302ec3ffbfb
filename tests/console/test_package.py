"""The templates, scripts and styles go into the package."""

import tomllib
from pathlib import Path, PurePosixPath

import compute_optimizer

PACKAGE = Path(compute_optimizer.__file__).parent


def test_every_file_of_the_pages_is_data_of_the_package(repository: Path) -> None:
    declared = tomllib.loads((repository / "pyproject.toml").read_text())
    patterns = declared["tool"]["setuptools"]["package-data"]["compute_optimizer"]
    folders = (PACKAGE / "console" / name for name in ("templates", "static"))
    files = [file for folder in folders for file in folder.iterdir()]

    assert len(files) > 10
    for file in files:
        name = PurePosixPath(file.relative_to(PACKAGE).as_posix())
        assert any(name.match(pattern) for pattern in patterns), name
