"""The inventory: resources keep their shard, and are found by ARN or id."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from compute_optimizer.errors import InvalidInput, NotFound
from compute_optimizer.model.resource import (
    EBS_VOLUME,
    EC2_INSTANCE,
    LICENSE,
    Resource,
    ShardKey,
)
from compute_optimizer.resources.license import MARK
from compute_optimizer.store import State, inventory
from compute_optimizer.store.schema import resources
from tests.inventoried import ACCOUNT, instance, upsert
from tests.licenses import licensed
from tests.records import REGION
from tests.volumes import volume

OTHER = "333333333333"


def test_resources_come_back_as_they_went_in_and_ordered_by_arn(state: State) -> None:
    one, two = instance(1), replace(instance(2), vcpus=1.5, memory_mib=686.0, name="web")
    upsert(state, two, one)
    with state.reading() as connection:
        key = ShardKey(ACCOUNT, "us-east-1", EC2_INSTANCE, 0)
        assert inventory.resources_of(connection, key) == [one, two]
        assert inventory.arns_of(connection, key) == (one.arn, two.arn)


def test_upsert_counts_what_it_added_changed_and_left(state: State) -> None:
    assert upsert(state, instance(1), instance(2)) == inventory.UpsertCounts(2, 0, 0)
    grown = replace(instance(2), instance_type="m5.xlarge")
    assert upsert(state, instance(1), grown, instance(3)) == inventory.UpsertCounts(1, 1, 1)
    with state.reading() as connection:
        assert inventory.find_resource(connection, grown.arn) == grown


def test_what_is_not_kept_leaves_its_scope_only(state: State) -> None:
    elsewhere = instance(3, region="eu-west-1")
    upsert(state, instance(1), instance(2), elsewhere)

    with state.writing() as connection:
        scope = (ACCOUNT, "us-east-1", EC2_INSTANCE)
        assert inventory.remove_others(connection, scope, {instance(2).arn}) == [instance(1).arn]

    with state.reading() as connection:
        kept = [one.arn for one in inventory.placements(connection)]
    assert kept == sorted([instance(2).arn, elsewhere.arn])


def test_equal_tags_in_another_order_are_no_change(state: State) -> None:
    upsert(state, instance(1))
    turned = replace(instance(1), tags={"App": "front", "Team": "search"})
    assert upsert(state, turned) == inventory.UpsertCounts(0, 0, 1)


def test_shards_fill_up_one_after_the_other_and_resources_stay(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "SHARD_RESOURCES", 2)
    upsert(state, instance(5), instance(6))
    # Smaller ARNs come later: shard 0 is full, so they open shard 1; nobody moves.
    upsert(state, instance(1), instance(5))
    with state.reading() as connection:
        keys = inventory.shards(connection)
        held = {key.shard: inventory.arns_of(connection, key) for key in keys}
    assert held == {0: (instance(5).arn, instance(6).arn), 1: (instance(1).arn,)}


def test_shards_are_those_of_the_asked_accounts(state: State) -> None:
    upsert(state, instance(1), instance(2, account="222222222222"), instance(3, region="eu-west-1"))
    with state.reading() as connection:
        assert inventory.shards(connection, {"222222222222"}) == [
            ShardKey("222222222222", "us-east-1", EC2_INSTANCE, 0)
        ]
        assert [key.region for key in inventory.shards(connection, {ACCOUNT})] == [
            "eu-west-1",
            "us-east-1",
        ]
        assert len(inventory.shards(connection)) == 3


def test_a_resource_is_found_by_arn_and_by_id(state: State) -> None:
    upsert(state, instance(1), instance(2))
    with state.reading() as connection:
        assert inventory.find_resource(connection, instance(2).arn) == instance(2)
        assert inventory.find_resource(connection, instance(2).resource_id) == instance(2)
        assert inventory.shard_of(connection, instance(2).resource_id).shard == 0


def test_an_unknown_resource_is_not_found(state: State) -> None:
    with (
        state.reading() as connection,
        pytest.raises(NotFound, match="no resource 'i-9' in the inventory"),
    ):
        inventory.find_resource(connection, "i-9")


def test_an_id_that_two_accounts_use_must_be_given_as_arn(state: State) -> None:
    upsert(state, instance(1), instance(1, account="222222222222"))
    with (
        state.reading() as connection,
        pytest.raises(InvalidInput, match="several resources have the id"),
    ):
        inventory.find_resource(connection, instance(1).resource_id)


def test_an_instance_is_stored_as_before_there_were_other_types(sqlite_state: State) -> None:
    upsert(sqlite_state, instance(1))
    with sqlite_state.reading() as connection:
        (body,) = connection.execute(select(resources.c.body)).scalars()

    # The bytes that version 0.1.0 wrote: an inventory that is imported again changes nothing.
    assert body == (
        b'{"account_id":"111111111111",'
        b'"arn":"arn:aws:ec2:us-east-1:111111111111:instance/i-00000000000000001",'
        b'"auto_scaling_group_arn":null,"instance_type":"m5.large","memory_mib":null,"name":"",'
        b'"platform":"linux","region":"us-east-1","resource_id":"i-00000000000000001",'
        b'"resource_type":"Ec2Instance","state":"running",'
        b'"tags":{"App":"front","Team":"search"},"vcpus":null}'
    )


def test_each_type_comes_back_as_its_own_record(state: State) -> None:
    disk = volume(1, "io1", 100, iops=4_000, root=True, tags={"Team": "data"})
    upsert(state, instance(1), disk)
    with state.reading() as connection:
        assert inventory.find_resource(connection, disk.resource_id) == disk
        key = inventory.shard_of(connection, disk.arn)
        assert (key.resource_type, inventory.resources_of(connection, key)) == (EBS_VOLUME, [disk])


# Licenses stand among the instances


def shard_of(resource_type: str, account: str = ACCOUNT, shard: int = 0) -> ShardKey:
    return ShardKey(account, REGION, resource_type, shard)


def test_an_instance_with_a_license_is_one_row_that_both_types_read(state: State) -> None:
    one, two = instance(1), licensed(2, "m5.xlarge", account=ACCOUNT, tags={"Team": "data"})
    upsert(state, one, two)

    with state.reading() as connection:
        assert inventory.resources_of(connection, shard_of(LICENSE)) == [two]
        assert inventory.arns_of(connection, shard_of(LICENSE)) == (two.arn,)
        machines = inventory.resources_of(connection, shard_of(EC2_INSTANCE))
        assert [type(found) for found in machines] == [Resource, Resource]
        assert [found.arn for found in machines] == [one.arn, two.arn]
        assert len(inventory.placements(connection)) == 2
        assert inventory.find_resource(connection, two.arn) == machines[1]


def test_shards_of_licenses_are_told_to_those_who_analyze_only(state: State) -> None:
    upsert(state, instance(1), licensed(2, "m5.xlarge", account=ACCOUNT), instance(3, OTHER))

    with state.reading() as connection:
        assert shard_of(LICENSE) not in inventory.shard_sizes(connection)
        assert inventory.analyzed_sizes(connection) == {
            shard_of(EC2_INSTANCE): 2,
            shard_of(LICENSE): 1,
            shard_of(EC2_INSTANCE, OTHER): 1,
        }
        assert inventory.analyzed_sizes(connection, [OTHER]) == {shard_of(EC2_INSTANCE, OTHER): 1}


def test_a_license_lies_in_the_shard_of_its_instance(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "SHARD_RESOURCES", 1)
    upsert(state, instance(1), licensed(2, "m5.xlarge", account=ACCOUNT))

    with state.reading() as connection:
        sizes = inventory.analyzed_sizes(connection)
    assert [key.shard for key in sizes if key.resource_type == LICENSE] == [1]
    assert inventory.kept_key(shard_of(LICENSE, shard=1)) == shard_of(EC2_INSTANCE, shard=1)


@pytest.mark.parametrize("text", [MARK, "sql_server", f"x{MARK}y"])
def test_no_tag_or_name_makes_a_license(state: State, text: str) -> None:
    upsert(state, replace(instance(1), name=text, tags={text: text}))

    with state.reading() as connection:
        assert inventory.analyzed_sizes(connection) == {shard_of(EC2_INSTANCE): 1}


def test_a_license_that_is_gone_from_the_row_is_gone(state: State) -> None:
    one = licensed(1, "m5.xlarge", account=ACCOUNT)
    upsert(state, one)

    assert upsert(state, instance(1)) == inventory.UpsertCounts(0, 1, 0)

    with state.reading() as connection:
        assert inventory.resources_of(connection, shard_of(LICENSE)) == []
