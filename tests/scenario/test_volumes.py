from datetime import date

import numpy as np
import pytest

from compute_optimizer.catalog.volume_types import load_volume_types
from compute_optimizer.model.metrics import Window
from compute_optimizer.scenario.fleet import generate_fleet
from compute_optimizer.scenario.volumes import (
    MAKE_SHARES,
    MAKES,
    generate_volume_samples,
    generate_volumes,
)

FLEET = generate_fleet(1)
DAYS = Window(date(2026, 3, 1), date(2026, 3, 2))


def test_volumes_are_the_same_for_the_same_seed_only() -> None:
    assert generate_volumes(1, FLEET) == generate_volumes(1, FLEET)
    assert generate_volumes(1, FLEET) != generate_volumes(2, FLEET)


def test_attached_and_detached_volumes_of_every_make_belong_to_machines() -> None:
    found = [disk.resource for disk in generate_volumes(1, FLEET)]
    owners = {machine.resource.name for machine in FLEET}

    assert {one.state for one in found} == {"in-use", "available"}
    assert {one.instance_type for one in found} == {make.volume_type for make in MAKES.values()}
    assert len({one.arn for one in found}) == len(found)
    assert all(one.name.rpartition("-")[0] in owners for one in found)
    assert {one.root for one in found} == {True, False}
    assert all(one.created_at and one.created_at.date() < DAYS.first for one in found)


def test_every_size_is_one_that_the_type_has() -> None:
    types = load_volume_types()
    for make in MAKES.values():
        kind = types.types[types.index[make.volume_type]]
        for size in make.sizes_gib:
            assert kind.least_gib <= size <= kind.most_gib
    assert sum(MAKE_SHARES) == pytest.approx(1.0)
    assert len(MAKE_SHARES) == len(MAKES)


def test_detached_volumes_send_nothing_and_the_others_in_every_slot() -> None:
    disks = generate_volumes(1, FLEET)
    attached = np.array([disk.resource.state == "in-use" for disk in disks])

    samples = generate_volume_samples(disks, DAYS, 1)

    assert len(samples.series) == 4
    for matrix in samples.series.values():
        assert matrix.shape == (len(disks), 2 * 288)
        assert np.isfinite(matrix[attached]).all()
        assert np.isnan(matrix[~attached]).all()
        assert (matrix[attached] >= 0).all()
