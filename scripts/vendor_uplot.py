"""Copy uPlot's script, style sheet and licence into the console, by npm.

    vendor_uplot.py

npm checks the package against the digest that stands here. Nothing of it is changed.
"""

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "1.6.32"
SHA512 = "KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw=="
"""Of the package, in base64, as npm lists it (dist.integrity; read 2026-11-26)."""

STATIC = Path(__file__).resolve().parents[1] / "src/compute_optimizer/console/static"

FILES = {
    "package/dist/uPlot.iife.min.js": "uplot.min.js",
    "package/dist/uPlot.min.css": "uplot.min.css",
    "package/LICENSE": "uplot-LICENSE.txt",
}
"""What is taken, and what it is called here."""


def main() -> None:
    """Fetch the package, check it, and copy the files; exit where it is another one."""
    if shutil.which("npm") is None:
        raise SystemExit("npm is missing; install Node.js with it (Debian's packages nodejs, npm)")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", f"uplot@{VERSION}"], cwd=folder, check=True)
        (packed,) = Path(folder).glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
        if digest != SHA512:
            raise SystemExit(f"uPlot {VERSION} is not what it was: its digest is {digest}")
        with tarfile.open(packed) as archive:
            for name, here in FILES.items():
                content = archive.extractfile(name)
                if content is None:
                    raise SystemExit(f"uPlot {VERSION} has no file {name}")
                (STATIC / here).write_bytes(content.read())
    print(f"uPlot {VERSION} is in {STATIC}")


if __name__ == "__main__":
    sys.exit(main())
