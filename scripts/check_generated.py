"""Run every generator again and compare with what is committed: they must agree."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

GENERATORS: tuple[tuple[str, ...], ...] = ()
"""Commands that exit with an error when their committed result is out of date."""


def main() -> int:
    """Return 0 when every generated file is up to date."""
    return max((subprocess.call([sys.executable, *words], cwd=ROOT) for words in GENERATORS), default=0)


if __name__ == "__main__":
    sys.exit(main())
