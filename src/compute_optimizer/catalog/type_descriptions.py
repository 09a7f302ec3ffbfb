"""What DescribeInstanceTypes says of an instance type, as the columns of the catalog.

The table that the package ships and whatever is described later are read by the same functions.
What a description does not say is None; nothing is guessed.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from compute_optimizer.catalog.instance_types import CPU_VENDORS, HYPERVISORS, Architecture
from compute_optimizer.model.units import BYTES_PER_GIB

Description = Mapping[str, Any]
"""One type as DescribeInstanceTypes answers it."""

BYTES_PER_GB = 10**9
MIB_PER_MB = 10**6 / 2**20
ARCHITECTURES = {
    "x86_64": Architecture.X86_64,
    "arm64": Architecture.ARM64,
    "i386": Architecture.I386,
    "x86_64_mac": Architecture.X86_64_MAC,
    "arm64_mac": Architecture.ARM64_MAC,
}
ACCELERATORS = (
    "GpuInfo",
    "FpgaInfo",
    "InferenceAcceleratorInfo",
    "NeuronInfo",
    "MediaAcceleratorInfo",
)


def network_text_gbps(text: str) -> float | None:
    """Return the Gbit/s that a text such as "4x 100 Gigabit" names; words such as "High": None."""
    match = re.fullmatch(r"(?:Up to )?(?:(\d+)x )?(\d+(?:\.\d+)?) Gigabit", text)
    return float(match[2]) * int(match[1] or 1) if match else None


def network_gbps(item: Description, key: str) -> float | None:
    """Return a bandwidth of the whole instance in Gbit/s.

    Cards add up, but never to more than the instance's own text: two cards of "up to 170" make
    the 200 Gigabit of a c6in.32xlarge, not 340. A single card's figure stands as it is.
    Without figures of cards the text gives the peak; a baseline is then unknown.
    """
    info = item["NetworkInfo"]
    cards = [card.get(key) for card in info.get("NetworkCards", [])]
    total = network_text_gbps(info["NetworkPerformance"])
    if not cards or None in cards:
        return total if key.startswith("Peak") else None
    bandwidth = float(sum(cards))
    return min(bandwidth, total) if len(cards) > 1 and total else bandwidth


def ebs_figure(item: Description, key: str) -> float | None:
    """Return a figure of the EBS bandwidth; None where the type has no dedicated one."""
    value = item["EbsInfo"].get("EbsOptimizedInfo", {}).get(key)
    return None if value is None else float(value)


def ebs_mibps(item: Description, key: str) -> float | None:
    """Return an EBS throughput, which the source counts in MB/s, in MiB/s."""
    value = ebs_figure(item, key)
    return None if value is None else round(value * MIB_PER_MB, 4)


def instance_store_gib(item: Description) -> float:
    """Return the size of all instance store volumes, which the source counts in GB, in GiB."""
    gigabytes = item.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0)
    return round(float(gigabytes) * BYTES_PER_GB / BYTES_PER_GIB, 3)


def gpu_count(item: Description) -> int:
    """Return the GPUs that a guest sees; a share of one GPU counts as one."""
    gpus = item.get("GpuInfo", {}).get("Gpus", [])
    return sum(gpu["LogicalGpuCount"] if "LogicalGpuCount" in gpu else gpu["Count"] for gpu in gpus)


def architecture_bits(item: Description) -> int:
    """Return the flags of all supported architectures."""
    names = item["ProcessorInfo"]["SupportedArchitectures"]
    return int(sum(ARCHITECTURES[name] for name in names))


def supports(item: Description, kind: str) -> bool:
    """Tell whether the type runs images of the virtualization type `kind`."""
    return kind in item["SupportedVirtualizationTypes"]


COLUMNS: Mapping[str, Callable[[Description], bool | float | None]] = MappingProxyType(
    {
        "vcpus": lambda item: item["VCpuInfo"]["DefaultVCpus"],
        "memory_mib": lambda item: item["MemoryInfo"]["SizeInMiB"],
        "network_baseline_gbps": lambda item: network_gbps(item, "BaselineBandwidthInGbps"),
        "network_peak_gbps": lambda item: network_gbps(item, "PeakBandwidthInGbps"),
        "ebs_baseline_iops": lambda item: ebs_figure(item, "BaselineIops"),
        "ebs_maximum_iops": lambda item: ebs_figure(item, "MaximumIops"),
        "ebs_baseline_mibps": lambda item: ebs_mibps(item, "BaselineThroughputInMBps"),
        "ebs_maximum_mibps": lambda item: ebs_mibps(item, "MaximumThroughputInMBps"),
        "ebs_nvme": lambda item: item["EbsInfo"]["NvmeSupport"] != "unsupported",
        "instance_store_gib": instance_store_gib,
        "instance_store_nvme": lambda item: (
            item.get("InstanceStorageInfo", {}).get("NvmeSupport", "unsupported") != "unsupported"
        ),
        "gpu_count": gpu_count,
        "gpu_memory_mib": lambda item: item.get("GpuInfo", {}).get("TotalGpuMemoryInMiB", 0),
        "accelerated": lambda item: any(key in item for key in ACCELERATORS),
        "architectures": architecture_bits,
        "cpu_vendor": lambda item: CPU_VENDORS.index(item["ProcessorInfo"]["Manufacturer"]),
        "hypervisor": lambda item: HYPERVISORS.index(item.get("Hypervisor", "")),
        "bare_metal": lambda item: item["BareMetal"],
        "current_generation": lambda item: item["CurrentGeneration"],
        "burstable": lambda item: item["BurstablePerformanceSupported"],
        "hvm": lambda item: supports(item, "hvm"),
        "paravirtual": lambda item: supports(item, "paravirtual"),
        "ena_supported": lambda item: item["NetworkInfo"]["EnaSupport"] != "unsupported",
        "ena_required": lambda item: item["NetworkInfo"]["EnaSupport"] == "required",
    }
)
"""By column of the catalog."""
