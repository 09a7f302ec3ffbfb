"""The user's YAML that says what the columns of a foreign metric file mean.

    resource: vm                  # column with the resource's ARN or id
    timestamp: at
    columns:                      # wide files: column -> series
      cpu_centipct: {metric: CPUUtilization, statistic: Average, scale: 0.01, maximum: 100}
      used_mib: {metric: mem_used_percent, statistic: Maximum, percent_of: total_mib}
      read_kib_s: {metric: VolumeReadBytes, scale: 1024, per_second: true}

Long files name the columns `metric`, `value` and `statistic` instead, and list under `metrics` what
their metric names mean.
"""

from pathlib import Path
from typing import Annotated

import msgspec

from compute_optimizer.sources.yaml_files import read_yaml

Factor = Annotated[float, msgspec.Meta(gt=0, le=1e30)]
"""Beyond the upper bound nothing fits in the float32 of tiles; NaN and infinity fail it too."""


class SeriesMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one column, or one metric name, means."""

    metric: str | None = None
    """Name of a kept metric; in `metrics` the same name by default."""
    statistic: str | None = None
    scale: Factor = 1.0
    """Multiplies every value, first."""
    percent_of: str | None = None
    """Column with the whole: the value becomes its percentage (wide files)."""
    maximum: Factor | None = None
    """Larger values become this one, last."""
    per_second: bool = False
    """Values are rates; counters are kept as the sum of five minutes."""


class FileMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the columns of a file mean; None leaves it to their names."""

    resource: str | None = None
    timestamp: str | None = None
    metric: str | None = None
    value: str | None = None
    statistic: str | None = None
    default_statistic: str | None = None
    """Of samples that do not say theirs."""
    columns: dict[str, SeriesMapping] = {}
    metrics: dict[str, SeriesMapping] = {}


NO_MAPPING = FileMapping()


def read_mapping(path: Path) -> FileMapping:
    """Return the mapping in a YAML file; raise InvalidInput that names the place at fault."""
    return read_yaml(path, FileMapping, may_be_empty=False)
