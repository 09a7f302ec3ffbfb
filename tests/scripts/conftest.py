"""Loads the scripts, which are no package."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def load_script(repository: Path) -> Iterator[Callable[[str], ModuleType]]:
    """Load scripts as if they were run: what lies beside them can be imported."""
    folder = str(repository / "scripts")
    sys.path.insert(0, folder)

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, repository / "scripts" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield load
    sys.path.remove(folder)
