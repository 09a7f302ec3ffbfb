"""What is declared about an exporter: how its series tell our metrics, and whose they are."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.model.resource import EC2_INSTANCE


class FromLabel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text taken from a label, as relabelling in Prometheus does."""

    label: str
    regex: str = "(.*)"
    """Must match the whole label; otherwise nothing is told."""
    replacement: str = "$1"
    """With $1 or ${1} for what the first group matched."""


TextSource = str | FromLabel | tuple[str | FromLabel, ...]
"""A constant, a label, or several of them of which the first that tells something counts."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One series of ours <- PromQL that is evaluated at the end of each slot."""

    metric: str
    statistic: Statistic
    query: str
    """In our unit. Placeholders: see `expressions`."""

    @property
    def key(self) -> MetricKey:
        """Return which series of ours it tells."""
        return MetricKey(self.metric, self.statistic)

    @property
    def narrowed(self) -> bool:
        """Return whether a server is told which machines are asked for."""
        return "$match" in self.query


class Info(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A metric whose labels describe machines, as `node_dmi_info` does."""

    query: str
    labels: tuple[str, ...]
    """Labels that it shares with the series that tell the machines."""


class Exporter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where machines and their metrics are found, whatever runs on them to measure."""

    by: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    """Labels that tell one machine from another."""
    machines: str
    """PromQL for a series per machine, whose labels describe it."""
    metrics: tuple[Rule, ...]
    resource: Mapping[str, TextSource] = {}
    """Columns of an inventory row <- constants and labels."""
    info: tuple[Info, ...] = ()
    vcpus: str = ""
    """PromQL for the cores of each machine."""
    memory_mib: str = ""
    """The same for its memory."""
    tags: str = ""
    """Labels whose whole name matches become tags, named by the first group."""
    resource_type: str = EC2_INSTANCE
