"""Run every benchmark, each in a process of its own: `python -m benchmarks [NAME ...]`."""

import subprocess
import sys

BENCHMARKS = ("enrollment_rate", "analysis_rate", "wire_speed", "emulator_start")
"""Those whose ratios to baselines are quoted; the others are tools for whoever tunes a part."""


def main() -> None:
    """Run the named benchmarks, by default all, and stop at the first that fails."""
    for name in sys.argv[1:] or BENCHMARKS:
        print(f"== {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
        print(flush=True)


if __name__ == "__main__":
    main()
