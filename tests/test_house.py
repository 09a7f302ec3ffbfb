"""The house rules that can be read off the tracked files; CONTRIBUTING.md lists them."""

import ast
import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]

LONGEST_FUNCTION = 70
LONGEST_FILE = 500
"""Lines; the limits of CONTRIBUTING.md."""

GENERATED = frozenset({"src/compute_optimizer/shapes/compute_optimizer.py"})

# Each of these is put together here, so that this file may be searched as well.
UNFINISHED = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")))
BARE_SILENCE = re.compile(r"#\s*(type:\s*" + r"ignore(?!\[)|no" + r"qa(?!:))")
MACHINE_PATH = re.compile(
    r"(?:^|[^\w.])/(?:" + "|".join(("wo" + "rk", "roo" + "t", "fa" + "rm")) + ")/"
)
PACKAGE_INDEX = re.compile(
    "|".join(
        (
            r"pypi\." + "org",
            "python" + "hosted",
            r"registry\." + "npmjs",
            r"deb\." + "debian",
            "--" + "index-url",
            "--" + "extra-index",
            "find" + "-links",
            "trusted" + "-host",
        )
    )
)
IMPORTED_TEST = re.compile(r"^\s*from tests\.([a-z_]+\.)*test_|^\s*from tests[a-z_.]* import test_")
PRESENT_MOMENT = re.compile(r"\b(datetime\.(now|utcnow)|date\.today|time\.time)\(")


def tracked_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


TRACKED = tracked_files()
PYTHON = [name for name in TRACKED if name.endswith(".py") and name not in GENERATED]
PACKAGE = [name for name in PYTHON if name.startswith("src/")]


def lines_of(name: str) -> list[str]:
    try:
        return (ROOT / name).read_text().splitlines()
    except UnicodeDecodeError:
        return []  # compressed data: nothing to read


def places(names: list[str], pattern: re.Pattern[str]) -> list[str]:
    """Return file:line of every line that matches."""
    return [
        f"{name}:{number}: {line.strip()}"
        for name in names
        for number, line in enumerate(lines_of(name), 1)
        if pattern.search(line)
    ]


class Faults(NamedTuple):
    """What the tree of a file is read for; trees themselves are millions of objects to keep."""

    long: tuple[str, ...]
    silent: tuple[str, ...]


@cache
def faults(name: str) -> Faults:
    tree = ast.parse((ROOT / name).read_text())
    return Faults(tuple(_long(tree)), tuple(_undocumented(tree)))


def _long(tree: ast.Module) -> Iterator[str]:
    for node in _functions(tree):
        length = (node.end_lineno or 0) - node.lineno + 1
        if length > LONGEST_FUNCTION:
            yield f"{node.name} has {length} lines"


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    waiting: list[ast.AST] = [tree]
    while waiting:
        # Statements only: no expression holds a function that is long by its lines.
        for node in _statements_in(waiting.pop()):
            waiting.append(node)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def _statements_in(node: ast.AST) -> Iterator[ast.AST]:
    """Return the statements of a block, and the parts of one that hold blocks of their own."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        inner = getattr(node, name, ())
        if isinstance(inner, list):
            yield from inner


def _undocumented(tree: ast.Module) -> Iterator[str]:
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    bodies = [tree.body, *(node.body for node in classes if not node.name.startswith("_"))]
    for node in (node for body in bodies for node in body):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if not node.name.startswith("_") and ast.get_docstring(node) is None:
            yield node.name


def test_functions_are_short() -> None:
    long = [
        f"{name}:{found}"
        for name in PYTHON
        if len(lines_of(name)) > LONGEST_FUNCTION
        for found in faults(name).long
    ]

    assert not long


def test_files_are_short() -> None:
    long = {name: count for name in PYTHON if (count := len(lines_of(name))) > LONGEST_FILE}

    assert not long


def test_public_functions_and_classes_of_the_package_say_what_they_do() -> None:
    silent = [f"{name}:{label}" for name in PACKAGE for label in faults(name).silent]

    assert not silent


def test_nothing_is_left_undone() -> None:
    assert not places(PYTHON, UNFINISHED)


def test_checkers_are_silenced_only_by_name() -> None:
    assert not places(PYTHON, BARE_SILENCE)


def test_only_the_clock_knows_the_present_moment() -> None:
    others = [name for name in PACKAGE if name != "src/compute_optimizer/interfaces.py"]

    assert not places(others, PRESENT_MOMENT)


def test_no_test_imports_what_is_in_another() -> None:
    assert not places([name for name in PYTHON if name.startswith("tests/")], IMPORTED_TEST)


def test_no_file_names_a_folder_of_one_machine() -> None:
    assert not places(TRACKED, MACHINE_PATH)


def test_no_file_names_a_package_index() -> None:
    assert not places(TRACKED, PACKAGE_INDEX)


# Dependencies: declared in pyproject.toml, explained in docs/dependencies.md, locked.

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUN = PROJECT["project"]["dependencies"]
OPTIONAL: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
EXTRAS = [line for lines in OPTIONAL.values() for line in lines]
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]
BUILD = PROJECT["build-system"]["requires"]
DECLARED = {
    "run": RUN,
    "dev": [*RUN, *EXTRAS, *GROUPS["dev"]],
    "build": BUILD,
    "postgresql": OPTIONAL["postgresql"],
    **{name: lines for name, lines in GROUPS.items() if name != "dev"},
}
"""What each lock is made from, by the lock's name."""


def locked(name: str) -> dict[str, str]:
    """Return the version of every distribution in a lock, by its canonical name."""
    lines = (ROOT / "constraints" / f"{name}.txt").read_text().splitlines()
    pins = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(distribution): version for distribution, version in pins}


def test_every_lock_belongs_to_something_declared() -> None:
    assert {path.stem for path in (ROOT / "constraints").glob("*.txt")} == set(DECLARED)


@pytest.mark.parametrize("name", DECLARED)
def test_lock_pins_what_is_declared(name: str) -> None:
    pins = locked(name)

    for line in DECLARED[name]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), line


NPM = sorted(path.parent for path in (ROOT / "constraints").glob("*/package.json"))
NPM_DECLARED: dict[str, dict[str, str]] = {
    path.name: json.loads((path / "package.json").read_text())["dependencies"] for path in NPM
}


@pytest.mark.parametrize("path", NPM, ids=lambda path: path.name)
def test_lock_of_npm_pins_what_is_declared_and_says_not_where_it_comes_from(path: Path) -> None:
    packages = json.loads((path / "package-lock.json").read_text())["packages"]
    pins = {path: one["version"] for path, one in packages.items() if path}
    declared = NPM_DECLARED[path.name]

    assert {name: pins[f"node_modules/{name}"] for name in declared} == declared
    assert all(
        "integrity" in one and "resolved" not in one for path, one in packages.items() if path
    )


@pytest.mark.parametrize("name", ["run", "dev"])
def test_lock_is_complete(name: str) -> None:
    pins = locked(name)

    assert _needed(DECLARED[name]) - pins.keys() == set()


def _needed(lines: list[str]) -> set[str]:
    """Return everything that the requirements bring along here, by canonical name."""
    waiting = [Requirement(line) for line in lines]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        place = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if place in seen or not _applies(requirement, frozenset({""})):
            continue
        seen.add(place)
        wanted = [Requirement(line) for line in _requires(requirement.name)]
        extras = place[1] | {""}
        waiting += [_bare(one) for one in wanted if _applies(one, extras)]
    return {name for name, _ in seen}


def _applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)


def _bare(requirement: Requirement) -> Requirement:
    requirement.marker = None
    return requirement


def _requires(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:
        pytest.fail(f"{name} is declared or needed, but not installed here")


@pytest.mark.parametrize(
    "name",
    [
        *(
            Requirement(line).name
            for lines in (RUN, EXTRAS, BUILD, *GROUPS.values())
            for line in lines
        ),
        *(name for declared in NPM_DECLARED.values() for name in declared),
    ],
)
def test_every_dependency_has_its_reason(name: str) -> None:
    reasons = (ROOT / "docs/dependencies.md").read_text()

    assert re.search(rf"^\| `{re.escape(name)}` \| \S", reasons, re.MULTILINE)
