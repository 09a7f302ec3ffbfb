"""Groups of a generated fleet: of machines that are alike, of every way to scale."""

from compute_optimizer.model.auto_scaling_group import SCALING
from compute_optimizer.scenario.fleet import generate_fleet
from compute_optimizer.scenario.groups import SCALING_SHARES, generate_groups

FLEET = generate_fleet(1)


def test_groups_are_the_same_for_the_same_seed_only() -> None:
    assert generate_groups(1, FLEET) == generate_groups(1, FLEET)
    assert generate_groups(1, FLEET) != generate_groups(2, FLEET)


def test_members_are_as_many_as_the_group_wants_and_like_it() -> None:
    groups, members = generate_groups(1, FLEET)
    machines = {machine.resource.arn: machine.resource for machine in FLEET}

    assert len(groups) > 3
    for group in groups:
        own = [machines[arn] for arn, owner in members.items() if owner == group.arn]
        assert len(own) == group.desired_capacity >= 2
        assert {(one.account_id, one.region, one.instance_type) for one in own} == {
            (group.account_id, group.region, group.instance_type)
        }
        assert group.min_size <= group.desired_capacity <= group.max_size
        assert (group.scaling == "none") == (group.min_size == group.max_size)


def test_groups_scale_in_every_way() -> None:
    groups, _ = generate_groups(1, generate_fleet(1, 2_000))

    assert {group.scaling for group in groups} == set(SCALING) == set(SCALING_SHARES)
    assert sum(SCALING_SHARES.values()) == 1
