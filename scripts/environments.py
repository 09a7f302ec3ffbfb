"""Create the environments of this project from their locks, and write those locks.

    environments.py create NAME...     make .venv-NAME, or find it ready
    environments.py lock [NAME...]     write their locks anew (all of them by default)

Needs Python's standard library only, and npm for what is in JavaScript. An environment is ready
when it holds a stamp named after the content of its locks, the interpreter and its own place;
anything else is made anew.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

AT_ONCE = max(2, os.cpu_count() or 1)
"""Environments that are made side by side: installing unpacks on one core, and waits in between."""

BUILDING = Lock()
"""Held while the project itself is installed, which writes into the checkout."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One folder of its own: what is installed, all of it pinned by its locks."""

    locks: tuple[str, ...]
    with_project: bool = False
    compiled: bool = False
    """Whether to compile at once. Development must: a first import that compiles may warn, and
    warnings are errors in tests. Everywhere else it would only make the first run wait."""
    node: bool = False
    """Whether it holds npm's packages instead of Python's."""


ENVIRONMENTS = {
    "run": Environment(("run", "build"), with_project=True),
    "dev": Environment(("dev", "build"), with_project=True, compiled=True),
    "client-boto3-new": Environment(("client-boto3-new",)),
    "client-boto3-1.26": Environment(("client-boto3-1.26",)),
    "client-aiobotocore": Environment(("client-aiobotocore",)),
    "client-awscli": Environment(("client-awscli",)),
    "client-c7n": Environment(("client-c7n",)),
    "client-cid": Environment(("client-cid",)),
    "client-pandas": Environment(("client-pandas",)),
    "client-plugin-new": Environment(("client-plugin-new",)),
    "client-plugin-1.26": Environment(("client-plugin-1.26",)),
    "client-js": Environment(("client-js",), node=True),
    "identity-provider": Environment(("identity-provider",), node=True),
    "ministack": Environment(("ministack",)),
    "browser": Environment(("browser", "build"), with_project=True),
}

NO_NPM = "npm is missing; install Node.js with it (Debian's packages nodejs and npm)"

NODE = tuple(name for name, environment in ENVIRONMENTS.items() if environment.node)

LOCKS = (
    *("run", "dev", "build", "postgresql"),
    *(name for name in ENVIRONMENTS if name not in ("run", "dev")),
)
"""Every environment has one, but `build`, which others have too, and `postgresql`, of images."""


def lock_file(name: str) -> Path:
    """Return the path of a lock of Python packages."""
    return ROOT / "constraints" / f"{name}.txt"


def npm_files(name: str) -> tuple[Path, Path]:
    """Return what is declared of npm's packages, and its lock."""
    folder = ROOT / "constraints" / name
    return folder / "package.json", folder / "package-lock.json"


def declared(name: str) -> list[str]:
    """Return the requirements that pyproject.toml declares for a lock."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups: dict[str, list[str]] = project["dependency-groups"]
    run: list[str] = project["project"]["dependencies"]
    if name == "run":
        return run
    if name == "build":
        requires: list[str] = project["build-system"]["requires"]
        return requires
    if name == "browser":
        # The program is served from the same environment, by what it needs at run time.
        return [*run, *groups["browser"]]
    extras: dict[str, list[str]] = project["project"]["optional-dependencies"]
    if name in extras:
        return extras[name]
    if name == "dev":
        return [*run, *(line for extra in extras.values() for line in extra), *groups["dev"]]
    # What uses the plugin has the project as well, which a test installs as a user would.
    return [*run, *groups[name]] if name.startswith("client-plugin") else groups[name]


def folder_of(name: str) -> Path:
    """Return the folder of an environment."""
    return ROOT / f".venv-{name}"


def create_all(names: list[str]) -> None:
    """Make several side by side; whichever fails, the others are made before that is said."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        made = [pool.submit(create, name) for name in dict.fromkeys(names)]
    for one in made:
        one.result()


def create(name: str) -> None:
    """Make the environment unless it is ready."""
    environment = ENVIRONMENTS[name]
    folder = folder_of(name)
    stamp = folder / f"ready-{_key(environment, folder)}"
    if stamp.exists():
        return
    print(f"Installing {folder.name} (once; about half a minute) ...", flush=True)
    if (_install_node if environment.node else _install_python)(environment, folder):
        stamp.touch()


def _install_python(environment: Environment, folder: Path) -> bool:
    _make_venv(folder)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    install = [*pip, "install", "-qq", "--no-deps"]
    requirements = [word for lock in environment.locks for word in ("-r", str(lock_file(lock)))]
    _run([*install, "--compile" if environment.compiled else "--no-compile", *requirements])
    if environment.with_project:
        with BUILDING:
            _run([*install, "--no-build-isolation", "-e", str(ROOT)])
    _run([*pip, "check"], quiet=True)
    return True


def _install_node(environment: Environment, folder: Path) -> bool:
    """Install what npm's lock lists; say so where that cannot be, which only CI takes for failure.

    Whoever works on something else need not have Node.js; the tests of its client are skipped.
    """
    failure = _failure_of_npm(environment, folder)
    if failure and os.environ.get("CI") == "true":
        raise SystemExit(f"{folder.name} cannot be made: {failure}")
    if failure:
        print(f"WARNING: {folder.name} IS NOT THERE and its tests are skipped: {failure}")
    return not failure


def _failure_of_npm(environment: Environment, folder: Path) -> str:
    """Install, and return why that failed; empty where it did not."""
    if shutil.which("npm") is None:
        return NO_NPM
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for file in (file for name in environment.locks for file in npm_files(name)):
        shutil.copy(file, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode == 0:
        return ""
    shutil.rmtree(folder)
    return f"`{' '.join(command)}` failed: {(done.stdout + done.stderr).strip()}"


def lock(name: str) -> None:
    """Write a lock: everything that a clean environment of what is declared holds."""
    (_lock_node if name in NODE else _lock_python)(name)


def _lock_node(name: str) -> None:
    if shutil.which("npm") is None:
        raise SystemExit(f"the lock of {name} cannot be written: {NO_NPM}")
    declared_file, lock_path = npm_files(name)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copy(declared_file, folder)
        command = ["npm", "install", "--package-lock-only", "--no-audit", "--no-fund"]
        # Where packages come from is the machine's business.
        _run([*command, "--omit-lockfile-registry-resolved", f"--prefix={folder}"])
        shutil.copy(folder / lock_path.name, lock_path)


def _lock_python(name: str) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "venv"
        _make_venv(folder)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        _run([*pip, "install", "-qq", *declared(name)])
        # --all lists the installer's own parts too; only the build lock means to hold setuptools.
        frozen = subprocess.run(
            [*pip, "freeze", *(["--all", "--exclude", "pip"] if name == "build" else [])],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    header = f"# Complete lock, written by `make lock` from what pyproject.toml declares: {name}.\n"
    lock_file(name).write_text(header + frozen)


def _key(environment: Environment, folder: Path) -> str:
    digest = hashlib.sha256(f"{sys.version}\n{folder}\n{environment}".encode())
    for name in environment.locks:
        for file in npm_files(name) if environment.node else (lock_file(name),):
            digest.update(file.read_bytes())
    if environment.with_project:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        digest.update(repr((project["project"], project["build-system"])).encode())
    return digest.hexdigest()[:16]


def _make_venv(folder: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(folder)], capture_output=True, text=True
    )
    if made.returncode:
        raise SystemExit(
            f"{sys.executable} cannot make a virtual environment: "
            f"{(made.stdout + made.stderr).strip()}\n"
            "On Debian and Ubuntu, install the package python3-venv; or name another Python of "
            "3.11 or newer: make PYTHON=/path/to/python ..."
        )


def _run(command: list[str], quiet: bool = False) -> None:
    done = subprocess.run(command, capture_output=quiet, text=True)
    if done.returncode:
        said = f"\n{done.stdout}{done.stderr}" if quiet else ""
        raise SystemExit(f"this command failed: {' '.join(command)}{said}")


def main(arguments: list[str]) -> None:
    """Run one of the two verbs on the named environments or locks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    creating = verbs.add_parser("create", help="make .venv-NAME, or find it ready")
    creating.add_argument("names", nargs="+", choices=ENVIRONMENTS, metavar="NAME")
    locking = verbs.add_parser("lock", help="write constraints/NAME.txt anew")
    locking.add_argument("names", nargs="*", metavar="NAME", help=", ".join(LOCKS))
    given = parser.parse_args(arguments)
    if given.verb == "create":
        create_all(given.names)
        return
    for name in given.names or LOCKS:
        lock(name)


if __name__ == "__main__":
    main(sys.argv[1:])
