"""Counts over a shard: what they cost and save, and what belongs to which type."""

import pytest

from compute_optimizer.model.tally import Topic
from compute_optimizer.resources import RESOURCE_TYPES, type_of
from compute_optimizer.resources.counting import read, tallies
from tests.databases import MEMORY_USED, READ_IOPS, database, recommended_database
from tests.fleets import CPU
from tests.idleness import idle_recommendation


def test_a_database_costs_what_class_and_storage_do() -> None:
    series = {CPU: 10.0, MEMORY_USED: 20.0, READ_IOPS: 100.0}
    found = recommended_database(database(1, "db.m5.2xlarge"), series)

    counted = {(one.topic, one.name): one for one in tallies([read(found)], [])}

    # db.m5.2xlarge at 0.684 and db.t3.2xlarge at 0.544 USD an hour of 730; 100 GiB of gp3 at 0.115
    # USD a month.
    whole = counted[Topic.TOGETHER, ""]
    assert whole.resources == 1
    assert whole.monthly_savings_usd == pytest.approx(102.2)
    assert whole.monthly_usd == pytest.approx(499.32 + 11.5)
    assert counted[Topic.PART_TOGETHER, "RdsDBInstance"].monthly_usd == pytest.approx(499.32)
    assert counted[Topic.PART, "RdsDBInstanceStorage Optimized"].monthly_usd == 11.5


def test_only_databases_have_parts() -> None:
    counted = tallies([], [idle_recommendation(1)])

    assert {one.topic for one in counted} == {Topic.IDLE, Topic.TOGETHER}


def test_idle_recommendations_are_of_the_type_whose_rule_found_them() -> None:
    told = {
        rule.idle_type: type_of(idle_recommendation(1, idle_type=rule.idle_type)).name
        for kind in RESOURCE_TYPES
        for rule in kind.idle
    }

    # The service spells some types in one way here and in another there.
    assert told["EBSVolume"] == "EbsVolume"
    assert told["RDSDBInstance"] == "RdsDBInstance"
    assert told["DynamoDBTable"] == "DynamoDBTable"
    assert len(set(told.values())) == len(told)
