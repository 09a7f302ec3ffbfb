"""The catalog says what AWS publishes of each type, and NaN where AWS publishes nothing."""

import time
from collections import defaultdict

import numpy as np
import pytest

from compute_optimizer.catalog.instance_types import (
    CPU_SPEEDS_FILE,
    CPU_VENDORS,
    HYPERVISORS,
    Architecture,
    InstanceTypes,
    load_instance_types,
)
from compute_optimizer.catalog.price_table import facts_of
from compute_optimizer.catalog.tables import read_table

MINUTES_PER_HOUR = 60


def test_types_are_sorted_by_name_and_the_index_finds_their_place(types: InstanceTypes) -> None:
    assert list(types.names) == sorted(types.names)
    assert [types.index[name] for name in types.names] == list(range(len(types.names)))
    assert types.families[types.index["m5.xlarge"]] == "m5"


def test_every_array_has_one_place_per_type_and_is_read_only(types: InstanceTypes) -> None:
    arrays = [
        value
        for name in InstanceTypes.__slots__
        if isinstance(value := getattr(types, name), np.ndarray)
    ]

    assert len(arrays) > 20
    for array in (*arrays, *types.offerings.values()):
        assert array.shape == (len(types.names),)
        assert not array.flags.writeable


def test_m5_xlarge_has_its_published_figures(types: InstanceTypes) -> None:
    # EC2 User Guide: EBS baseline 1,150 Mbit/s = 143.75 MB/s, maximum 4,750 Mbit/s = 593.75 MB/s.
    place = types.index["m5.xlarge"]

    assert types.vcpus[place] == 4
    assert types.memory_mib[place] == 16 * 1024
    assert types.network_baseline_gbps[place] == 1.25
    assert types.network_peak_gbps[place] == 10
    assert types.ebs_baseline_iops[place] == 6000
    assert types.ebs_maximum_iops[place] == 18750
    assert types.ebs_baseline_mibps[place] == pytest.approx(143.75e6 / 2**20)
    assert types.ebs_maximum_mibps[place] == pytest.approx(593.75e6 / 2**20)
    assert types.instance_store_gib[place] == 0
    assert types.gpu_count[place] == 0
    assert HYPERVISORS[types.hypervisor[place]] == "nitro"
    assert CPU_VENDORS[types.cpu_vendor[place]] == "Intel"
    assert types.relative_speed[place] == 1


@pytest.mark.parametrize(
    ("name", "baseline_gbps", "peak_gbps"),
    [
        ("p4d.24xlarge", 400, 400),  # four cards of 100 Gigabit
        ("c6in.32xlarge", 200, 200),  # two cards of up to 170, 200 Gigabit together
        ("t3.micro", 0.064, 5),  # a burstable network
        ("m3.large", 0.7, 2.8),  # the text says "Moderate" only
    ],
)
def test_network_bandwidth_is_that_of_the_whole_instance(
    types: InstanceTypes, name: str, baseline_gbps: float, peak_gbps: float
) -> None:
    place = types.index[name]

    assert types.network_baseline_gbps[place] == baseline_gbps
    assert types.network_peak_gbps[place] == peak_gbps


def test_a_baseline_is_never_above_its_peak(types: InstanceTypes) -> None:
    assert (types.network_baseline_gbps <= types.network_peak_gbps).all()
    dedicated = ~np.isnan(types.ebs_maximum_iops)
    assert (types.ebs_baseline_iops <= types.ebs_maximum_iops)[dedicated].all()
    assert (types.ebs_baseline_mibps <= types.ebs_maximum_mibps)[dedicated].all()


def test_instance_store_counts_in_gib(types: InstanceTypes) -> None:
    # 1 x 75 GB NVMe: 75 * 10**9 / 2**30.
    place = types.index["m5d.large"]

    assert types.instance_store_gib[place] == pytest.approx(69.849, abs=0.001)
    assert types.instance_store_nvme[place]
    assert not types.instance_store_nvme[types.index["m3.large"]]


@pytest.mark.parametrize(
    ("name", "gpus", "gpu_memory_gib", "accelerated"),
    [
        ("p4d.24xlarge", 8, 320, True),
        ("g6f.large", 1, 2861 / 1024, True),  # an eighth of one GPU
        ("inf2.xlarge", 0, 0, True),
        ("m5.large", 0, 0, False),
    ],
)
def test_accelerators_are_known(
    types: InstanceTypes, name: str, gpus: int, gpu_memory_gib: float, accelerated: bool
) -> None:
    place = types.index[name]

    assert types.gpu_count[place] == gpus
    assert types.gpu_memory_mib[place] == gpu_memory_gib * 1024
    assert types.accelerated[place] == accelerated


@pytest.mark.parametrize(
    ("name", "architectures", "vendor"),
    [
        ("m6g.large", Architecture.ARM64, "AWS"),
        ("m6a.large", Architecture.X86_64, "AMD"),
        ("t2.micro", Architecture.X86_64 | Architecture.I386, "Intel"),
        ("mac2.metal", Architecture.ARM64_MAC, "Apple"),
    ],
)
def test_architectures_are_flags(
    types: InstanceTypes, name: str, architectures: Architecture, vendor: str
) -> None:
    place = types.index[name]

    assert types.architectures[place] == architectures
    assert CPU_VENDORS[types.cpu_vendor[place]] == vendor


def test_platform_facts_tell_xen_from_nitro_and_metal(types: InstanceTypes) -> None:
    xen, nitro, metal = (types.index[name] for name in ("m3.large", "m5.large", "m5.metal"))

    assert [HYPERVISORS[types.hypervisor[place]] for place in (xen, nitro, metal)] == [
        "xen",
        "nitro",
        "",
    ]
    assert types.bare_metal[[xen, nitro, metal]].tolist() == [False, False, True]
    assert types.paravirtual[[xen, nitro, metal]].tolist() == [True, False, False]
    assert types.hvm[[xen, nitro, metal]].all()
    assert types.ena_supported[[xen, nitro, metal]].tolist() == [False, True, True]
    assert types.ena_required[[xen, nitro, metal]].tolist() == [False, True, True]
    assert types.ebs_nvme[[xen, nitro, metal]].tolist() == [False, True, True]


def test_exactly_the_burstable_types_have_credit_figures(types: InstanceTypes) -> None:
    assert types.burstable.sum() == 28  # seven sizes each of t2, t3, t3a and t4g
    assert (~np.isnan(types.burst_baseline) == types.burstable).all()
    assert (~np.isnan(types.burst_credits_per_hour) == types.burstable).all()


def test_credits_per_hour_are_what_the_baseline_spends(types: InstanceTypes) -> None:
    # AWS defines the baseline as credits per hour / vCPUs / 60 minutes.
    spent = types.burst_baseline * types.vcpus * MINUTES_PER_HOUR

    assert spent[types.burstable] == pytest.approx(types.burst_credits_per_hour[types.burstable])
    assert types.burst_baseline[types.index["t2.2xlarge"]] == 0.17
    assert types.burst_credits_per_hour[types.index["t3.large"]] == 36


def test_packets_per_second_are_unknown(types: InstanceTypes) -> None:
    assert np.isnan(types.packets_per_second).all()


def test_speed_is_unknown_where_nobody_measured_the_processor(types: InstanceTypes) -> None:
    place = types.index["r7iz.large"]

    assert np.isnan(types.relative_speed[place])
    assert not types.speed_measured[place]


def test_families_that_borrow_a_speed_have_the_same_kind_of_processor(
    types: InstanceTypes,
) -> None:
    kinds = defaultdict(set)
    for family, vendor, architecture in zip(
        types.families, types.cpu_vendor, types.architectures, strict=True
    ):
        kinds[family].add((vendor, architecture))
    table = read_table(CPU_SPEEDS_FILE)

    assert len(table["same_processor"]) == 22
    for family, measured in table["same_processor"].items():
        assert kinds[family] == kinds[measured]
        assert family not in table["measured"]


@pytest.mark.parametrize(
    ("processor", "families", "spread"),
    [
        # Largest / smallest measured speed: how far borrowing may be off.
        ("Ice Lake", "c6i c6in i4i m6i m6id m6idn m6in r6i x2idn x2iedn", 1.04),
        ("Graviton2", "c6g c6gd c6gn i4g im4gn m6g m6gd r6g r6gd t4g x2gd", 1.06),
        ("Graviton4", "c8g c8gb c8gn i8g i8ge m8g m8gb m8gn r8g x8g", 1.04),
    ],
)
def test_one_processor_measures_alike_in_every_family(
    processor: str, families: str, spread: float
) -> None:
    measured = read_table(CPU_SPEEDS_FILE)["measured"]
    speeds = [measured[family] for family in families.split()]

    assert max(speeds) / min(speeds) < spread, processor


def test_nearly_every_supported_type_has_a_speed(types: InstanceTypes) -> None:
    known = ~np.isnan(types.relative_speed[types.rightsizing_supported])

    assert known.mean() > 0.98


@pytest.mark.parametrize(
    ("name", "supported"),
    [
        ("m5.large", True),
        ("c8i-flex.large", True),
        ("u7in-16tb.224xlarge", True),
        ("c9g.large", False),
        ("mac1.metal", False),
        ("inf2.xlarge", False),
    ],
)
def test_rightsizing_is_supported_by_family(
    types: InstanceTypes, name: str, supported: bool
) -> None:
    assert types.rightsizing_supported[types.index[name]] == supported


def test_regions_offer_what_they_list(types: InstanceTypes) -> None:
    everywhere, rare = types.index["c5.large"], types.index["c9g.large"]

    assert types.offered("us-east-1")[[everywhere, rare]].tolist() == [True, True]
    assert types.offered("eu-south-1")[[everywhere, rare]].tolist() == [True, False]


def test_without_a_list_of_offerings_a_region_offers_the_types_on_its_price_list(
    types: InstanceTypes,
) -> None:
    facts = facts_of("us-gov-west-1", "linux")
    listed = [name in facts and facts[name].quality == "exact" for name in types.names]

    assert types.offered("us-gov-west-1").tolist() == listed
    assert sum(listed) > 700


def test_an_unknown_region_offers_nothing(types: InstanceTypes) -> None:
    assert not types.offered("atlantis-1").any()


def test_groups_name_their_source_and_date(types: InstanceTypes) -> None:
    assert len(types.provenance) == 3
    for provenance in types.provenance.values():
        assert provenance.source
        assert provenance.date.year >= 2026


def test_loading_takes_well_under_200_milliseconds() -> None:
    seconds = []
    for _ in range(3):
        load_instance_types.cache_clear()
        read_table.cache_clear()
        start = time.thread_time()
        load_instance_types()
        seconds.append(time.thread_time() - start)

    assert min(seconds) < 0.1
