"""Fit the risk model that ships on a public trace and write it into the package.

    python scripts/build_risk_prior.py ../shared/traces

Reads bitbrains_rnd_5min_92d.parquet and writes risk_prior.json. The same trace gives the same
bytes.
"""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from compute_optimizer.backtest.fitting import fit_fleet
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.catalog.risk_prior import RISK_PRIOR_FILE
from compute_optimizer.catalog.tables import dump_table
from compute_optimizer.jobs.backtest import trace_fleet

TARGET = (
    Path(__file__).resolve().parents[1] / "src/compute_optimizer/catalog/data" / RISK_PRIOR_FILE
)

TRACE = "bitbrains_rnd_5min_92d.parquet"

SOURCE = (
    "Grid Workloads Archive GWA-T-12 Bitbrains (rnd), half of its machines; Shen, van Beek, "
    "Iosup, CCGrid 2015"
)

LIMITS = (
    "One hosting provider, one summer, five-minute averages; memory is what a hypervisor saw "
    "active. On maxima it was tried on 44 machines of Azure only, next to none of which can "
    "shrink. One shift of the whole fleet is in the data; it set the allowance for the next one."
)

DIGITS = 6
"""Significant digits that are kept: more than the data supports, and the same on every machine."""


def rounded(value: Any) -> Any:
    """Return a value with every figure in it rounded."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(inner) for inner in value]
    return value


def build(folder: Path) -> dict[str, Any]:
    """Return the content of the file."""
    model = asdict(fit_fleet(trace_fleet(folder / TRACE), load_instance_types()))
    model["card"] = {"source": SOURCE, "limits": LIMITS, **model["card"]}
    found: dict[str, Any] = rounded(model)
    return found


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="Folder of the public traces.")
    TARGET.write_bytes(dump_table(build(parser.parse_args().folder), compressed=False))


if __name__ == "__main__":
    main()
