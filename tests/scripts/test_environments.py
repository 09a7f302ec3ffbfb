"""Environments are made once per content of their locks."""

import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from threading import Barrier
from types import ModuleType

import pytest

from tests.waiting import SECONDS


@pytest.fixture
def script(load_script: Callable[[str], ModuleType], tmp_path: Path) -> ModuleType:
    """The script in a project with one environment, `little`, that needs no package."""
    return project(load_script, tmp_path)


def project(load_script: Callable[[str], ModuleType], folder: Path) -> ModuleType:
    # Each time it is loaded it is another module: nobody else sees what is set here.
    script = load_script("environments")
    little = script.Environment(("little",))
    vars(script).update(ROOT=folder, ENVIRONMENTS={"little": little})
    (folder / "constraints").mkdir()
    (folder / "constraints/little.txt").write_text("# nothing\n")
    return script


@dataclass(frozen=True)
class Made:
    """An environment, and what was said when it was made, and when it was asked for again."""

    folder: Path
    said: str
    again: str


@pytest.fixture(scope="module")
def made(
    load_script: Callable[[str], ModuleType], tmp_path_factory: pytest.TempPathFactory
) -> Made:
    """`little`, where an interrupted run had begun it: made once, since it takes seconds."""
    root = tmp_path_factory.mktemp("environments")
    script, folder = project(load_script, root), root / ".venv-little"
    folder.mkdir()
    (folder / "left-by-an-interrupted-run").touch()
    said = []
    for _ in range(2):
        with redirect_stdout(StringIO()) as out:
            script.main(["create", "little"])
        said.append(out.getvalue())
    return Made(folder, *said)


def test_environment_is_made_anew_unless_its_stamp_says_that_it_is_ready(made: Made) -> None:
    assert "Installing .venv-little" in made.said
    assert made.again == ""
    assert (made.folder / "bin/python").exists()
    assert not (made.folder / "left-by-an-interrupted-run").exists()
    assert len(list(made.folder.glob("ready-*"))) == 1


@pytest.fixture
def two(script: ModuleType, made: Made, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The same with two environments, of which neither is begun before both are."""
    little = script.ENVIRONMENTS["little"]
    monkeypatch.setattr(script, "ENVIRONMENTS", {"one": little, "other": little})
    both = Barrier(2)

    def together(folder: Path) -> None:
        both.wait(timeout=SECONDS)
        shutil.copytree(
            made.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("ready-*")
        )

    monkeypatch.setattr(script, "_make_venv", together)
    return script


def test_several_environments_are_made_side_by_side(two: ModuleType, tmp_path: Path) -> None:
    two.main(["create", "one", "other"])

    assert ready(tmp_path) == {".venv-one", ".venv-other"}


def test_one_that_cannot_be_made_is_told_when_the_other_is_ready(
    two: ModuleType, tmp_path: Path
) -> None:
    two.ENVIRONMENTS["one"] = two.Environment(("broken",))
    (tmp_path / "constraints/broken.txt").write_text("no requirement at all\n")

    with pytest.raises(SystemExit, match="this command failed"):
        two.main(["create", "one", "other"])

    assert ready(tmp_path) == {".venv-other"}


def ready(folder: Path) -> set[str]:
    return {stamp.parent.name for stamp in folder.glob(".venv-*/ready-*")}


def test_stamp_follows_the_content_of_the_lock(script: ModuleType, tmp_path: Path) -> None:
    little, folder = script.ENVIRONMENTS["little"], tmp_path / ".venv-little"
    before = script._key(little, folder)
    (tmp_path / "constraints/little.txt").write_text("numpy==2.4.6\n")

    assert script._key(little, folder) != before
    assert script._key(little, tmp_path / "elsewhere") != script._key(little, folder)


def test_lock_of_development_declares_run_time_extras_and_tools(
    load_script: Callable[[str], ModuleType],
) -> None:
    declared = load_script("environments").declared

    assert set(declared("run")) < set(declared("dev"))
    assert any(line.startswith("psycopg") for line in declared("dev"))
    assert any(line.startswith("pytest") for line in declared("dev"))
    assert declared("client-boto3-1.26") == ["boto3==1.26.*"]


@pytest.fixture
def node(script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The same with one environment of npm's packages, on a machine without npm."""
    monkeypatch.setattr(script, "ENVIRONMENTS", {"js": script.Environment(("js",), node=True)})
    (tmp_path / "constraints/js").mkdir()
    for name in ("package.json", "package-lock.json"):
        (tmp_path / "constraints/js" / name).write_text("{}")
    monkeypatch.setenv("PATH", str(tmp_path))
    return script


def test_missing_npm_is_a_warning(
    node: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.delenv("CI", raising=False)

    node.main(["create", "js"])

    assert (
        "WARNING: .venv-js IS NOT THERE and its tests are skipped: npm" in capsys.readouterr().out
    )
    assert not (tmp_path / ".venv-js").exists()


def test_missing_npm_fails_in_ci(node: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(SystemExit, match="npm is missing"):
        node.main(["create", "js"])


def test_lock_of_npm_needs_npm(node: ModuleType) -> None:
    with pytest.raises(SystemExit, match="the lock of js cannot be written: npm is missing"):
        node._lock_node("js")
