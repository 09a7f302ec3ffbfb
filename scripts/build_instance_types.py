"""Build the package's table of EC2 instance types from the data that moto bundles.

moto (Apache-2.0) ships the answers of DescribeInstanceTypes and DescribeInstanceTypeOfferings.
This reads them and writes one compact file of columns, types sorted by name:

    python scripts/build_instance_types.py --date 2026-10-27

The date is the release date of the installed moto, which its files do not say. The same moto
gives the same bytes. What the source does not know is null; nothing is guessed.
"""

import argparse
import gzip
import json
import re
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from compute_optimizer.catalog.instance_types import (
    CPU_VENDORS,
    HYPERVISORS,
    INSTANCE_TYPES_FILE,
    Architecture,
)
from compute_optimizer.catalog.tables import dump_table

Description = Mapping[str, Any]
"""One type as DescribeInstanceTypes answers it."""

BYTES_PER_GB = 10**9
BYTES_PER_GIB = 2**30
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
    match = re.fullmatch(r"(?:Up to )?(?:(\d+)x )?([\d.]+) Gigabit", text)
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
    return sum(gpu["LogicalGpuCount"] for gpu in item.get("GpuInfo", {}).get("Gpus", []))


def architecture_bits(item: Description) -> int:
    """Return the flags of all supported architectures."""
    names = item["ProcessorInfo"]["SupportedArchitectures"]
    return int(sum(ARCHITECTURES[name] for name in names))


def supports(item: Description, kind: str) -> bool:
    """Tell whether the type runs images of the virtualization type `kind`."""
    return kind in item["SupportedVirtualizationTypes"]


COLUMNS: Mapping[str, Callable[[Description], object]] = {
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


def read_gzip_json(path: Traversable) -> Any:
    """Return the content of one of moto's data files."""
    return json.loads(gzip.decompress(path.read_bytes()))


def compact_column(values: Iterable[object]) -> list[object]:
    """Return the values as JSON writes them shortest: true and false as 1 and 0, 2.0 as 2."""
    return [compact(value) for value in values]


def compact(value: object) -> object:
    """Return a boolean or a float without a fraction as a whole number, anything else as it is."""
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    return value


def membership(names: list[str], offered: set[str]) -> str:
    """Return, in hexadecimal, one bit per type: offered or not."""
    bits = np.packbits([name in offered for name in names])
    return bits.tobytes().hex()


def read_offerings(folder: Traversable, names: list[str]) -> dict[str, str]:
    """Return the membership of every Region that moto knows."""
    return {
        path.name.removesuffix(".json.gz"): membership(
            names, {offering["InstanceType"] for offering in read_gzip_json(path)}
        )
        for path in folder.iterdir()
    }


def build(date: str) -> bytes:
    """Return the content of the data file."""
    resources = files("moto.ec2") / "resources"
    described = read_gzip_json(resources / "instance_types.json.gz")
    names = sorted(described)
    columns = {
        column: compact_column(read(described[name]) for name in names)
        for column, read in COLUMNS.items()
    }
    source = f"moto {version('moto')}, bundled DescribeInstanceTypes data"
    offerings = read_offerings(resources / "instance_type_offerings" / "region", names)
    table = {
        "source": source,
        "date": date,
        "names": names,
        "columns": columns,
        "offerings": offerings,
    }
    return dump_table(table, compressed=True)


def main() -> None:
    """Write the data file into the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--date", required=True, help="release date of the installed moto")
    package = Path(__file__).parents[1] / "src/compute_optimizer/catalog/data"
    parser.add_argument("--output", type=Path, default=package / INSTANCE_TYPES_FILE)
    arguments = parser.parse_args()
    content = build(arguments.date)
    arguments.output.write_bytes(content)
    print(f"{arguments.output.name}: {len(content)} bytes")


if __name__ == "__main__":
    main()
