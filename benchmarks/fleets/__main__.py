"""Write a fleet made of the load of real machines: a data folder with tiles, or files to import.

    python -m benchmarks.fleets FOLDER --instances 20000 [--as tiles|files] [--seed 2026] ...

The folder of tiles is a data folder: `compute-optimizer analyze --data-dir FOLDER` works on it.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.fleets.profiles import TRACES, load_profiles, told
from benchmarks.fleets.recipe import Recipe, fleet_of
from benchmarks.fleets.writing import store_fleet, write_import_files
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore

TILES, FILES = "tiles", "files"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the fleet and say of what it was made."""
    usual = Recipe()
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--instances", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=usual.days)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--noise", type=float, default=usual.noise, help="share of a sample")
    parser.add_argument("--gaps", type=float, default=usual.gaps, help="share of the slots")
    parser.add_argument("--workers", type=int, default=None, help="processes; default: the cores")
    parser.add_argument("--as", dest="form", choices=(TILES, FILES), default=TILES)
    parser.add_argument("--traces", type=Path, default=TRACES, help="folder of public traces")
    given = parser.parse_args(arguments)
    profiles = load_profiles(given.traces)
    print(told(profiles), file=sys.stderr)
    recipe = Recipe(seed=given.seed, days=given.days, noise=given.noise, gaps=given.gaps)
    fleet = fleet_of(recipe, profiles)
    if given.form == FILES:
        write_import_files(
            given.folder, fleet, given.instances, workers=given.workers, progress=_progress
        )
        return
    given.folder.mkdir(parents=True, exist_ok=True)
    with closing(State(f"sqlite:///{given.folder / 'state.db'}")) as state:
        state.migrate()
        tiles = TileStore(given.folder / "tiles", durable=False)
        store_fleet(state, tiles, fleet, given.instances, workers=given.workers, progress=_progress)


def _progress(done: int, total: int) -> None:
    print(f"\r{done} of {total}", end="\n" if done == total else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
