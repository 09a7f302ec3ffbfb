"""Every benchmark with the arguments of each size: a new one is a row here.

It is a module of this folder with `main(arguments)` that prints its report as
`benchmarks.measurement` says.
What its figures are held against, and what limits them, are rows of `benchmarks.aims`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """One way to run a benchmark."""

    arguments: tuple[str, ...]
    told: str
    """The size for people, such as 4,000 instances."""
    seconds: int
    """That it takes on two quiet cores, about; one that takes LATE times as long is ended."""
    disk_mb: int = 100
    """That it takes in the folder for temporary files, about."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One module of this folder."""

    name: str
    what: str
    full: Size
    ci: Size | None = None
    """None for a tool of those who tune a part: it runs at full size, or when it is named."""


LATE = 6
"""Times the expected seconds after which a benchmark is taken to hang, on a busy machine too."""

CI, FULL = "ci", "full"


def _size(told: str, seconds: int, *arguments: str, disk_mb: int = 100) -> Size:
    return Size(arguments, told, seconds, disk_mb)


BENCHMARKS: tuple[Benchmark, ...] = ()
