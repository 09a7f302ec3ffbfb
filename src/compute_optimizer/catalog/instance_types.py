"""EC2 instance types as arrays that are ready for matching.

The leading axis of every array is the type, sorted by name; `index` finds a type's place.
What the sources do not know is NaN. Sources and dates: docs/catalog.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntFlag
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.catalog.own_prices import NO_OWN_PRICES, OwnPrices
from compute_optimizer.catalog.price_table import EXACT, LINUX, facts_of, priced_regions
from compute_optimizer.catalog.rightsizing import RIGHTSIZING_FAMILIES
from compute_optimizer.catalog.size_law import family_of
from compute_optimizer.catalog.tables import read_table

INSTANCE_TYPES_FILE = "instance_types.json.gz"
BURSTABLE_FILE = "burstable.json"
CPU_SPEEDS_FILE = "cpu_speeds.json"
_FILES = (INSTANCE_TYPES_FILE, BURSTABLE_FILE, CPU_SPEEDS_FILE)

CREDIT_BALANCE_HOURS = 24
"""A burstable instance keeps at most the credits of this many hours (Amazon EC2 User Guide)."""

CPU_VENDORS = ("Intel", "AMD", "AWS", "Apple")
"""What the codes in `InstanceTypes.cpu_vendor` mean; AWS makes Graviton."""

HYPERVISORS = ("", "nitro", "xen")
"""What the codes in `InstanceTypes.hypervisor` mean; bare metal has none."""


class Architecture(IntFlag):
    """Flags of the instruction sets that a type runs; two types may share one."""

    X86_64 = 1
    ARM64 = 2
    I386 = 4
    X86_64_MAC = 8
    ARM64_MAC = 16


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a group of figures comes from."""

    source: str
    date: date


@dataclass(frozen=True, slots=True, eq=False)
class InstanceTypes:
    """The catalog; every array has shape (types,)."""

    names: tuple[str, ...]
    families: tuple[str, ...]
    index: Mapping[str, int]
    vcpus: NDArray[np.float64]
    memory_mib: NDArray[np.float64]
    network_baseline_gbps: NDArray[np.float64]
    network_peak_gbps: NDArray[np.float64]
    """What the instance reaches for a while; its baseline where it does not burst."""
    packets_per_second: NDArray[np.float64]
    """NaN throughout: no public source states it."""
    ebs_baseline_iops: NDArray[np.float64]
    """The EBS figures are NaN for types without dedicated EBS bandwidth."""
    ebs_maximum_iops: NDArray[np.float64]
    ebs_baseline_mibps: NDArray[np.float64]
    ebs_maximum_mibps: NDArray[np.float64]
    ebs_nvme: NDArray[np.bool_]
    """EBS volumes appear as NVMe devices."""
    instance_store_gib: NDArray[np.float64]
    """0 where there is none."""
    instance_store_nvme: NDArray[np.bool_]
    gpu_count: NDArray[np.int64]
    """GPUs that the guest sees; a share of one counts as one."""
    gpu_memory_mib: NDArray[np.float64]
    """Of all GPUs together."""
    accelerated: NDArray[np.bool_]
    """Has GPUs, FPGAs, or inference, training or media accelerators."""
    architectures: NDArray[np.int64]
    """`Architecture` flags."""
    cpu_vendor: NDArray[np.int64]
    """Codes: places in CPU_VENDORS."""
    hypervisor: NDArray[np.int64]
    """Codes: places in HYPERVISORS."""
    bare_metal: NDArray[np.bool_]
    current_generation: NDArray[np.bool_]
    burstable: NDArray[np.bool_]
    burst_baseline: NDArray[np.float64]
    """Share of all vCPUs that may be used for ever; NaN unless burstable."""
    burst_credits_per_hour: NDArray[np.float64]
    """Credits earned; one is a vCPU at full speed for a minute. NaN unless burstable."""
    relative_speed: NDArray[np.float64]
    """Speed of one vCPU, m5 = 1; NaN where nobody measured the family or its processor."""
    speed_measured: NDArray[np.bool_]
    """The family itself was measured, not only another one with the same processor."""
    hvm: NDArray[np.bool_]
    """Runs images of virtualization type HVM."""
    paravirtual: NDArray[np.bool_]
    """Runs images of virtualization type PV."""
    ena_supported: NDArray[np.bool_]
    """Enhanced networking through ENA is possible."""
    ena_required: NDArray[np.bool_]
    rightsizing_supported: NDArray[np.bool_]
    """The family is one that the service gives rightsizing recommendations for."""
    offerings: Mapping[str, NDArray[np.bool_]]
    """By Region. Where no list of offerings is published, the types with a list price of their
    own; a Region that is absent has neither."""
    provenance: Mapping[str, Provenance]
    """By data file: INSTANCE_TYPES_FILE (with the offerings), BURSTABLE_FILE, CPU_SPEEDS_FILE."""
    own_prices: OwnPrices = NO_OWN_PRICES
    """They count before those that the package ships."""

    def offered(self, region: str) -> NDArray[np.bool_]:
        """Return which types `region` offers, shape (types,); none in an unknown Region."""
        known = self.offerings.get(region)
        return np.zeros(len(self.names), dtype=np.bool_) if known is None else known


_KINDS: Mapping[str, type[np.generic]] = {
    "ebs_nvme": np.bool_,
    "instance_store_nvme": np.bool_,
    "gpu_count": np.int64,
    "accelerated": np.bool_,
    "architectures": np.int64,
    "cpu_vendor": np.int64,
    "hypervisor": np.int64,
    "bare_metal": np.bool_,
    "current_generation": np.bool_,
    "burstable": np.bool_,
    "hvm": np.bool_,
    "paravirtual": np.bool_,
    "ena_supported": np.bool_,
    "ena_required": np.bool_,
}
"""The kinds of the file's columns; every other one holds figures (float64)."""


@cache
def load_instance_types() -> InstanceTypes:
    """Return the catalog that the package ships; read once, its arrays are read-only."""
    table = read_table(INSTANCE_TYPES_FILE)
    names = tuple(table["names"])
    families = tuple(family_of(name) for name in names)
    burst_baseline, burst_credits = _burst_figures(names)
    columns = _numeric_columns(table["columns"]) | {
        "packets_per_second": np.full(len(names), np.nan),
        "burst_baseline": burst_baseline,
        "burst_credits_per_hour": burst_credits,
        "relative_speed": _relative_speeds(families),
        "speed_measured": _measured(families),
        "rightsizing_supported": np.array([name in RIGHTSIZING_FAMILIES for name in families]),
    }
    offerings = _listed_offerings(names) | {
        region: _unpack_membership(bits, len(names)) for region, bits in table["offerings"].items()
    }
    for array in (*columns.values(), *offerings.values()):
        array.flags.writeable = False
    return InstanceTypes(
        names=names,
        families=families,
        index=MappingProxyType({name: place for place, name in enumerate(names)}),
        offerings=MappingProxyType(offerings),
        provenance=MappingProxyType({name: _provenance(name) for name in _FILES}),
        own_prices=NO_OWN_PRICES,
        **columns,
    )


def _numeric_columns(columns: Mapping[str, list[Any]]) -> dict[str, NDArray[Any]]:
    """Return the file's columns as arrays; null is NaN."""
    return {
        name: np.array(values, _KINDS.get(name, np.float64)) for name, values in columns.items()
    }


def _burst_figures(names: tuple[str, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return baseline and credits per hour, NaN for types that do not burst."""
    known = read_table(BURSTABLE_FILE)["baseline_per_vcpu_and_credits_per_hour"]
    figures = np.array([known.get(name, (np.nan, np.nan)) for name in names])
    return figures[:, 0].copy(), figures[:, 1].copy()


def _relative_speeds(families: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the speed of each type's family, NaN where it is unknown."""
    table = read_table(CPU_SPEEDS_FILE)
    speeds: dict[str, float] = dict(table["measured"])
    speeds |= {family: speeds[kin] for family, kin in table["same_processor"].items()}
    return np.array([speeds.get(family, np.nan) for family in families])


def _measured(families: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return whether each type's family was measured itself."""
    measured = read_table(CPU_SPEEDS_FILE)["measured"]
    return np.array([family in measured for family in families])


def _provenance(file: str) -> Provenance:
    """Return the source and the date that a data file names."""
    table = read_table(file)
    return Provenance(table["source"], date.fromisoformat(table["date"]))


def _listed_offerings(names: tuple[str, ...]) -> dict[str, NDArray[np.bool_]]:
    """Return the types whose own price stands on a Region's public list: they are sold there."""
    return {
        region: np.array([name in facts and facts[name].quality == EXACT for name in names])
        for region in priced_regions()
        if (facts := facts_of(region, LINUX))
    }


def _unpack_membership(bits: str, count: int) -> NDArray[np.bool_]:
    """Return the flags that a hexadecimal string holds, one bit per type."""
    packed = np.frombuffer(bytes.fromhex(bits), dtype=np.uint8)
    return np.unpackbits(packed, count=count).astype(np.bool_)
