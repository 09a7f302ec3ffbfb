"""What a move from one instance type to another means for the software on it."""

from functools import lru_cache

from compute_optimizer.catalog import InstanceTypes

PAIRS = 65_536
"""Pairs of types remembered: a fleet of any size has few."""

VERY_LOW_EFFORT = "VeryLow"
"""Migration effort while the CPU architecture stays (spec 3.6)."""

MEDIUM_EFFORT = "Medium"
"""Migration effort to Graviton while no workload type is inferred (spec 3.6)."""

DIFFERENCES = (
    "Hypervisor",
    "NetworkInterface",
    "StorageInterface",
    "InstanceStoreAvailability",
    "VirtualizationType",
    "Architecture",
)
"""Enum PlatformDifference, in the order of the answers."""


@lru_cache(maxsize=PAIRS)
def platform_differences(types: InstanceTypes, now: int, option: int) -> tuple[str, ...]:
    """Return how the platform of a type differs from today's, both by place in the catalog."""
    stores = types.instance_store_gib[[now, option]] > 0
    differs = (
        types.hypervisor[now] != types.hypervisor[option],
        _network_interface(types, now) != _network_interface(types, option),
        types.ebs_nvme[now] != types.ebs_nvme[option]
        or (stores.all() and types.instance_store_nvme[now] != types.instance_store_nvme[option]),
        stores[0] and not stores[1],
        # Whether an instance that may be paravirtual is so, nobody tells.
        types.paravirtual[now] and not types.paravirtual[option],
        not same_architecture(types, now, option),
    )
    return tuple(name for name, is_so in zip(DIFFERENCES, differs, strict=True) if is_so)


def _network_interface(types: InstanceTypes, place: int) -> tuple[bool, bool]:
    return bool(types.ena_supported[place]), bool(types.ena_required[place])


def same_architecture(types: InstanceTypes, now: int, option: int) -> bool:
    """Return whether both types run the same machine code."""
    return bool(types.architectures[now] & types.architectures[option])


@lru_cache(maxsize=PAIRS)
def migration_effort(types: InstanceTypes, now: int, option: int) -> str:
    """Return the effort of a move while no workload type is inferred."""
    return VERY_LOW_EFFORT if same_architecture(types, now, option) else MEDIUM_EFFORT
