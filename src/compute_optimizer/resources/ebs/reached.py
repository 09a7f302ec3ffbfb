"""Whether volumes that were made smaller have come up against what they can do now."""

from dataclasses import replace
from math import inf, nan

import numpy as np

from compute_optimizer.catalog.volume_types import VolumeTypes, performance_of
from compute_optimizer.engine.reached import MadeChange, Resized, judged_by, shrunk
from compute_optimizer.model.decision import Configuration
from compute_optimizer.model.ebs_volume import EbsVolume
from compute_optimizer.resources.ebs.replay import REPLAY

UNKNOWN = (inf, inf)
"""IOPS and MiB/s of a type that the catalog does not know."""


def _configured(volume: EbsVolume, now: Configuration) -> EbsVolume:
    return replace(volume, instance_type=now["volumeType"], size_gib=now["sizeGib"])


def _resized(change: MadeChange, types: VolumeTypes) -> Resized:
    """Return the change: what there was counts with its bursts, what there is without any."""
    (_, before), (now, _) = (_carried(one, types) for one in (change.former, change.now))
    return Resized(shrunk(before, now), now)


def _carried(
    one: Configuration, types: VolumeTypes
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return IOPS and MiB/s of a configuration, steady and with bursts."""
    place = types.index.get(one["volumeType"])
    if place is None:
        return UNKNOWN, UNKNOWN
    size, iops, flow = (
        np.array([nan if one.get(name) is None else float(one[name])])
        for name in ("sizeGib", "iops", "throughputMibps")
    )
    found = performance_of(types.types[place], size, iops, flow)
    steady = float(found.iops[0]), float(found.throughput[0])
    return steady, (float(found.burst_iops[0]), float(found.burst_throughput[0]))


JUDGE = judged_by(REPLAY, _configured, _resized)
