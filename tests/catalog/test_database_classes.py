"""DB instance classes: figures of EC2 types under names of RDS."""

import numpy as np
import pytest

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.catalog.database_classes import (
    AURORA_FAMILIES,
    EC2_FAMILIES,
    RDS_FAMILIES,
    load_database_classes,
    newer_available,
)

CLASSES = load_database_classes()


def supported(name: str, engine: str) -> bool:
    return bool(CLASSES.supported(engine)[CLASSES.index[name]])


def test_every_supported_family_has_classes() -> None:
    assert set(CLASSES.types.families) == RDS_FAMILIES | AURORA_FAMILIES


@pytest.mark.parametrize(
    ("db_class", "vcpus", "gib"),
    # Amazon RDS User Guide, hardware specifications of DB instance classes.
    [
        ("db.t3.micro", 2, 1),
        ("db.m5.large", 2, 8),
        ("db.r5.24xlarge", 96, 768),
        ("db.r6g.xlarge", 4, 32),
        ("db.x2g.large", 2, 32),
        ("db.z1d.3xlarge", 12, 96),
    ],
)
def test_published_sizes(db_class: str, vcpus: int, gib: int) -> None:
    place = CLASSES.types.index[db_class]

    assert (CLASSES.types.vcpus[place], CLASSES.types.memory_mib[place]) == (vcpus, gib * 1024)


def test_every_class_has_the_figures_of_its_type() -> None:
    types, ec2 = CLASSES.types, load_instance_types()
    for name, place in types.index.items():
        _, family, size = name.split(".")
        origin = ec2.index[f"{EC2_FAMILIES.get(family, family)}.{size}"]
        assert types.ebs_baseline_iops[place] == ec2.ebs_baseline_iops[origin]
        assert types.network_baseline_gbps[place] == ec2.network_baseline_gbps[origin]
    assert np.array_equal(types.offered("us-east-1").shape, types.vcpus.shape)


@pytest.mark.parametrize("name", ["db.m5.metal", "db.t3.nano", "db.m6g.medium", "db.m4.large"])
def test_what_rds_does_not_sell_or_the_service_not_analyze_is_no_class(name: str) -> None:
    assert name not in CLASSES.index


def test_classes_are_supported_by_engine() -> None:
    assert supported("db.m5.large", "mysql")
    assert supported("db.m5.large", "postgres")
    assert not supported("db.m5.large", "aurora-mysql")
    assert supported("db.r7g.large", "aurora-postgresql")
    assert not supported("db.m5.large", "mariadb")
    assert not supported("db.m5.large", "aurora")


def test_an_x2g_has_no_instance_store_and_an_r6gd_has_one() -> None:
    store = CLASSES.types.instance_store_gib

    assert store[CLASSES.types.index["db.x2g.large"]] == 0
    assert store[CLASSES.types.index["db.r6gd.large"]] > 0


@pytest.mark.parametrize(
    ("name", "engine", "newer"),
    [
        ("db.m5.large", "mysql", True),  # m6i
        ("db.r6g.large", "aurora-mysql", True),  # r7g
        ("db.t3.large", "mysql", False),  # t4g is of another architecture
        ("db.m8g.large", "mysql", False),
        ("db.r7i.large", "mysql", False),
        ("db.x2g.large", "mysql", False),
    ],
)
def test_a_later_generation_is_of_the_same_series_and_architecture(
    name: str, engine: str, newer: bool
) -> None:
    place = CLASSES.types.index[name]

    assert newer_available(CLASSES, place, "us-east-1", engine) is newer
    assert not newer_available(CLASSES, place, "mars-north-1", engine)


def test_storage_of_clusters_is_known_to_the_inventory() -> None:
    places = [CLASSES.index[name] for name in ("aurora", "aurora-iopt1")]

    assert min(places) >= len(CLASSES.types.names)
