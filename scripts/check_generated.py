"""Run every generator again and compare with what is committed: they must agree.

Files are put back as they were. Figures that only the project's own machines hold are compared
where they are.
"""

import gzip
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHAPES = Path("src/compute_optimizer/shapes")
CATALOG = Path("src/compute_optimizer/catalog/data")
FIGURES = Path("../shared/catalog")


@dataclass(frozen=True, slots=True)
class Generator:
    """A script with its arguments, and the committed files that it writes."""

    command: tuple[str, ...]
    writes: tuple[Path, ...]
    needs: Path | None = None
    """A folder without which it cannot run."""


def generators() -> list[Generator]:
    """Return every generator, in the order in which one needs another."""
    moto_date = json.loads(gzip.decompress(_bytes(CATALOG / "instance_types.json.gz")))["date"]
    return [
        Generator(
            ("scripts/vendor_models.py",),
            (
                SHAPES / "compute-optimizer-2019-11-01.json.gz",
                SHAPES / "compute-optimizer-automation-2025-09-22.json.gz",
            ),
        ),
        Generator(("scripts/generate_shapes.py",), (SHAPES / "compute_optimizer.py",)),
        Generator(
            ("scripts/build_instance_types.py", "--date", moto_date),
            (CATALOG / "instance_types.json.gz",),
        ),
        Generator(
            ("scripts/build_prices.py", str(FIGURES)),
            (CATALOG / "prices.json.gz", CATALOG / "cpu_speeds.json"),
            needs=FIGURES,
        ),
        Generator(
            ("scripts/build_volume_prices.py", str(FIGURES)),
            (CATALOG / "volume_prices.json",),
            needs=FIGURES,
        ),
        Generator(
            ("scripts/build_serverless_prices.py", str(FIGURES)),
            (CATALOG / "lambda_prices.json", CATALOG / "fargate_prices.json"),
            needs=FIGURES,
        ),
        Generator(
            ("scripts/build_database_prices.py", str(FIGURES)),
            (CATALOG / "database_prices.json.gz",),
            needs=FIGURES,
        ),
        Generator(
            ("scripts/generate_aws_role.py",),
            (
                Path("deploy/aws/policy.json"),
                Path("deploy/aws/collector-policy.json"),
                Path("deploy/aws/role.yaml"),
                Path("deploy/aws/terraform/main.tf"),
                Path("docs/collect-aws.md"),
            ),
        ),
        Generator(("scripts/generate_cli_docs.py",), (Path("docs/cli.md"),)),
        Generator(
            ("-m", "benchmarks.page"),
            (
                Path("docs/performance.md"),
                Path("docs/performance-ratios.svg"),
                Path("docs/performance-pages.svg"),
            ),
        ),
    ]


def outdated(generator: Generator) -> list[str]:
    """Run a generator and return the files that it would change."""
    if generator.needs is not None and not (ROOT / generator.needs).is_dir():
        print(f"not compared, {generator.needs} is not here: {generator.command[0]}")
        return []
    committed = {path: _bytes(path) for path in generator.writes}
    try:
        subprocess.run(
            [sys.executable, *generator.command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
        )
        return [
            str(path)
            for path, content in committed.items()
            if _unpacked(path, _bytes(path)) != _unpacked(path, content)
        ]
    finally:
        for path, content in committed.items():
            if _bytes(path) != content:
                (ROOT / path).write_bytes(content)


def _unpacked(path: Path, content: bytes) -> bytes:
    """Another zlib may pack the same bytes differently."""
    return gzip.decompress(content) if path.suffix == ".gz" else content


def _bytes(path: Path) -> bytes:
    return (ROOT / path).read_bytes()


def main() -> int:
    """Return 0 when every generated file is what its generator writes."""
    stale = 0
    for generator in generators():
        for path in outdated(generator):
            stale += 1
            print(f"{path} is out of date: run {' '.join(generator.command)} and commit the result")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
