import re
from collections import Counter

import pytest

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.scenario.fleet import (
    ACCOUNT_IDS,
    REGIONS,
    ROLES,
    generate_fleet,
)
from compute_optimizer.scenario.load_shapes import LoadShape


def test_fleet_is_the_same_for_the_same_seed_only() -> None:
    assert generate_fleet(1) == generate_fleet(1)
    assert generate_fleet(1) != generate_fleet(2)


def test_fleet_spans_every_account_region_and_load_shape() -> None:
    fleet = generate_fleet(1)

    assert len(fleet) == 240
    assert {m.resource.account_id for m in fleet} == set(ACCOUNT_IDS)
    assert {m.resource.region for m in fleet} == set(REGIONS)
    assert {m.shape for m in fleet} == set(LoadShape)


def test_every_machine_has_its_own_arn_and_a_type_that_is_offered_where_it_runs() -> None:
    types = load_instance_types()
    fleet = generate_fleet(1)

    assert len({m.resource.arn for m in fleet}) == len(fleet)
    for machine in fleet:
        resource = machine.resource
        assert re.fullmatch(r"i-0[0-9a-f]{16}", resource.resource_id)
        assert resource.arn == (
            f"arn:aws:ec2:{resource.region}:{resource.account_id}:instance/{resource.resource_id}"
        )
        assert types.offered(resource.region)[types.index[resource.instance_type]]


def test_shares_of_the_roles_add_up() -> None:
    assert sum(role.share for role in ROLES) == pytest.approx(1.0)


def test_about_the_stated_share_of_a_large_fleet_has_an_agent() -> None:
    fleet = generate_fleet(3, size=2_000)
    with_agent = Counter(machine.memory_level is not None for machine in fleet)[True]

    # A binomial of 2,000 x 0.6 has a standard deviation of 22; four of them are 88.
    assert with_agent == pytest.approx(1_200, abs=88)
