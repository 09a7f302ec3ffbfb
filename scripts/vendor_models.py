"""Copy the two service models out of the installed botocore into the package.

Run it after `pip install --upgrade botocore`, then run scripts/generate_shapes.py, and write the
version that it prints into src/compute_optimizer/shapes/README.md.
"""

import gzip
import json
from pathlib import Path

import botocore

MODELS = (
    ("compute-optimizer", "2019-11-01"),
    ("compute-optimizer-automation", "2025-09-22"),
)
"""Service and API version, as botocore lays out its data folder."""

SHAPES = Path(__file__).parent.parent / "src" / "compute_optimizer" / "shapes"


def vendor_models(target: Path = SHAPES) -> list[Path]:
    """Write each model into `target` as compact JSON in gzip and return the files."""
    return [_vendor(service, version, target) for service, version in MODELS]


def _vendor(service: str, version: str, target: Path) -> Path:
    data = Path(botocore.__file__).parent / "data"
    source = data / service / version / "service-2.json.gz"
    model = json.loads(gzip.decompress(source.read_bytes()))
    compact = json.dumps(model, separators=(",", ":"), ensure_ascii=False).encode()
    path = target / f"{service}-{version}.json.gz"
    # No time stamp inside, so that the same model gives the same file.
    path.write_bytes(gzip.compress(compact, compresslevel=9, mtime=0))
    return path


if __name__ == "__main__":
    for written in vendor_models():
        print(f"{written.name}: {written.stat().st_size} bytes, botocore {botocore.__version__}")
