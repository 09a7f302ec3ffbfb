"""What recommendations advise, of every type by the engine, and how resources stand to it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from compute_optimizer.model.database import Database
from compute_optimizer.model.decision import Advice
from compute_optimizer.model.ebs_volume import EbsVolume
from compute_optimizer.model.license import STANDARD, LicensedInstance
from compute_optimizer.model.metrics import SLOTS_PER_DAY
from compute_optimizer.model.recommendation import Discounts, Finding, Recommendation, Savings
from compute_optimizer.model.resource import NAT_GATEWAY, NEWER_IDLE_TYPES, Resource
from compute_optimizer.resources import RESOURCE_TYPES
from compute_optimizer.resources.advice import ADVISED, advice_id, advice_of
from compute_optimizer.resources.configured import (
    CONFIGURED,
    Standing,
    configured,
    standing,
    text_of,
)
from compute_optimizer.resources.nat_gateway import METRICS as NAT_GATEWAY_METRICS
from tests import records
from tests.databases import (
    BYTES_USED,
    GIB,
    MEMORY_USED,
    READ_IOPS,
    READ_IOS,
    WRITE_IOS,
    cluster,
    database,
    maximum,
    recommended_database,
)
from tests.fleets import CPU, MEMORY, instance, recommended
from tests.functions import function, recommended_function, runs
from tests.groups import group, recommended_group
from tests.idleness import idle_of, idle_recommendation, nat_gateway
from tests.licenses import licensed, recommended_license
from tests.services import busy, recommended_service, service
from tests.volumes import recommended_volume, use, volume


@dataclass(frozen=True)
class Trial:
    """A resource, what the engine says of it, and how the inventory shows changes to it."""

    resource: Resource
    found: Recommendation
    followed: Callable[[Any, Any], Resource]
    """From the resource and the advised configuration to the resource as advised."""
    otherwise: Callable[[Any], Resource]


def _volume_as(one: EbsVolume, advised: Any) -> Resource:
    # As the import and AWS tell gp3: with all that is provisioned.
    return replace(
        one,
        instance_type=advised["volumeType"],
        size_gib=advised["sizeGib"],
        iops=advised["iops"],
        throughput_mibps=advised["throughputMibps"],
    )


def _database_as(one: Database, advised: Any) -> Resource:
    return replace(
        one,
        instance_type=advised["dbClass"],
        storage_type=advised.get("storageType", one.storage_type),
        allocated_gib=advised.get("allocatedGib", one.allocated_gib),
    )


MACHINE = instance(1, "m5.xlarge")
GROUP = group(1, "m5.xlarge")
DISK = volume(1, "gp2", 500)
WORKER = function("worker", 1024)
API = service("api", 2048, 8192)
ORDERS = database(1, "db.m5.2xlarge")
SHOP = cluster("shop")
SQL = licensed(1, "m5.xlarge", metrics_source_arn="arn:aws:applicationinsights:here")
QUIET = {CPU: 10.0, MEMORY: 20.0}

TRIALS = {
    "instance": Trial(
        MACHINE,
        recommended(MACHINE, QUIET),
        lambda one, advised: replace(one, instance_type=advised["instanceType"]),
        lambda one: replace(one, instance_type="c5.4xlarge"),
    ),
    "group": Trial(
        GROUP,
        recommended_group(GROUP, QUIET),
        lambda one, advised: replace(one, instance_type=advised["instanceType"]),
        lambda one: replace(one, instance_type="c5.4xlarge"),
    ),
    "volume": Trial(
        DISK,
        recommended_volume(DISK, use(100, 5)),
        _volume_as,
        lambda one: replace(one, instance_type="io1", iops=5000),
    ),
    "function": Trial(
        WORKER,
        recommended_function(WORKER, runs(10, 100, 200)),
        lambda one, advised: replace(one, memory_size=advised["memorySize"]),
        lambda one: replace(one, memory_size=1536),
    ),
    "service": Trial(
        API,
        recommended_service(API, busy(5.0, 5.0)),
        lambda one, advised: replace(
            one, cpu_units=advised["cpuUnits"], task_memory=advised["memoryMib"]
        ),
        lambda one: replace(one, cpu_units=4096),
    ),
    "database": Trial(
        ORDERS,
        recommended_database(
            ORDERS, {maximum("CPUUtilization"): 10, MEMORY_USED: 20, READ_IOPS: 100}
        ),
        _database_as,
        lambda one: replace(one, instance_type="db.m5.24xlarge"),
    ),
    "cluster": Trial(
        SHOP,
        # Reads by the thousand a second make I/O the larger part of the bill.
        recommended_database(SHOP, {READ_IOS: 3e6, WRITE_IOS: 1e5, BYTES_USED: 100 * GIB}),
        lambda one, advised: replace(one, instance_type=advised["storageType"]),
        lambda one: replace(one, instance_type="other"),
    ),
    "license": Trial(
        SQL,
        recommended_license(SQL),
        lambda one, advised: replace(
            one, sql_server=structs.replace(one.sql_server, edition=advised["edition"])
        ),
        lambda one: replace(one, sql_server=structs.replace(one.sql_server, edition="Free")),
    ),
}


def advised(found: Recommendation) -> Advice:
    advice = advice_of(found)
    assert advice is not None
    return advice


@pytest.mark.parametrize("trial", TRIALS.values(), ids=TRIALS)
def test_the_inventory_shows_whether_advice_was_followed(trial: Trial) -> None:
    """With the engine's own advice, so that both sides name the same things."""
    advice = advised(trial.found)

    def stands(resource: Resource) -> Standing:
        return standing(advice, configured(advice, resource))

    assert stands(trial.resource) is Standing.AS_IT_WAS
    assert stands(trial.followed(trial.resource, advice.advised)) is Standing.ADVISED
    assert stands(trial.otherwise(trial.resource)) is Standing.OTHER
    assert standing(advice, None) is Standing.OTHER


@pytest.mark.parametrize("trial", TRIALS.values(), ids=TRIALS)
def test_advice_has_its_id_and_both_prices(trial: Trial) -> None:
    advice, promised = advised(trial.found), advised(trial.found).prediction

    assert advice.recommendation_id == advice_id(trial.found)
    assert promised.current_monthly_usd is not None
    assert promised.advised_monthly_usd is not None
    assert promised.savings_monthly_usd == pytest.approx(
        promised.current_monthly_usd - promised.advised_monthly_usd
    )
    assert advice.current_text != advice.advised_text != ""


def test_every_type_has_its_rows() -> None:
    sized = [one for one in RESOURCE_TYPES if one.name not in (NAT_GATEWAY, *NEWER_IDLE_TYPES)]

    assert set(CONFIGURED) == {one.name for one in sized}
    assert set(ADVISED) == {one.recommendation for one in sized}


def test_the_advice_of_a_group_is_priced_with_all_of_its_machines() -> None:
    three = recommended_group(replace(GROUP, desired_capacity=3), QUIET)

    # 0.192 USD an hour, 730 hours.
    assert advised(three).prediction.current_monthly_usd == pytest.approx(3 * 0.192 * 730)


def test_what_costs_more_saves_less_than_nothing() -> None:
    found = recommended(MACHINE, {CPU: 99.0, MEMORY: 99.0})
    assert found.finding is Finding.UNDER_PROVISIONED
    promised = advised(found).prediction

    assert promised.savings_monthly_usd is not None
    assert promised.savings_monthly_usd < 0


def test_a_database_saves_its_class_at_effective_rates_and_its_storage_at_list_prices() -> None:
    found: Any = TRIALS["database"].found
    (first, *others), (disk,) = found.instance_options, found.storage_options
    rated = structs.replace(
        found,
        discounts=Discounts(0.5),
        instance_options=(structs.replace(first, after_discounts=Savings(10.0, 50.0)), *others),
        storage_finding=Finding.OVER_PROVISIONED,
        storage_options=(
            structs.replace(
                disk,
                configuration=structs.replace(disk.configuration, allocated_gib=50),
                savings=Savings(50.0, 6.0),
            ),
        ),
    )
    alone = structs.replace(rated, instance_finding=Finding.OPTIMIZED)

    assert advised(found).prediction.savings_after_discounts_monthly_usd is None
    assert advised(rated).prediction.savings_after_discounts_monthly_usd == 56.0
    assert advised(alone).prediction.savings_after_discounts_monthly_usd == 6.0


def test_a_database_of_which_one_side_is_done_is_partly_as_advised() -> None:
    advice = advised(TRIALS["database"].found)
    both = replace(advice, advised={**advice.advised, "allocatedGib": 50})
    half = _database_as(ORDERS, advice.advised)

    assert standing(both, configured(both, half)) is Standing.PARTLY


def test_what_the_inventory_does_not_say_counts_for_neither_side() -> None:
    advice = advised(TRIALS["volume"].found)
    now = {**advice.advised, "throughputMibps": None}

    assert standing(advice, now) is Standing.ADVISED
    assert standing(advice, dict.fromkeys(advice.advised)) is Standing.AS_IT_WAS


def test_a_license_that_is_gone_from_its_instance_is_something_else() -> None:
    advice = advised(TRIALS["license"].found)
    assert advice.advised == {"edition": STANDARD}

    plain = instance(1, "m5.xlarge")
    assert not isinstance(plain, LicensedInstance)
    assert standing(advice, configured(advice, plain)) is Standing.OTHER


@pytest.mark.parametrize(
    "found",
    [
        records.recommendation(follows_group=True),
        records.recommendation(finding=Finding.OPTIMIZED),
        records.recommendation(options=()),
        # The type that it has already.
        records.recommendation(options=(records.option("m5.xlarge", 0.0),)),
        # Under another preference than that for the present architecture.
        records.recommendation(options=(records.option("m6g.large", 70.0, pool="AWS_ARM64"),)),
    ],
)
def test_a_recommendation_to_stay_advises_nothing(found: Recommendation) -> None:
    assert advice_of(found) is None
    assert advice_id(found) is None


def test_a_follower_of_the_same_advice_keeps_its_id_when_prices_and_tags_change() -> None:
    before = records.recommendation()
    after = structs.replace(before, tags={"team": "other"}, current_hourly_usd=9.0, name="renamed")

    assert advice_id(before) == advice_id(after)


def test_idle_advice_is_to_stop_or_delete() -> None:
    idle = idle_recommendation(savings=Savings(50.0, 8.0))
    advice = advised(idle)

    # 50 % of what it costs is saved: snapshots, say, go on to cost.
    assert advice.prediction.current_monthly_usd == pytest.approx(16.0)
    assert advice.prediction.advised_monthly_usd == pytest.approx(8.0)
    assert advice.recommendation_id == advice_id(idle)
    assert advice.idle
    assert standing(advice, None) is Standing.ADVISED


@pytest.mark.parametrize(
    "stopped",
    [
        replace(MACHINE, state="stopped"),
        replace(MACHINE, state="terminated"),
        replace(ORDERS, state="Stopped"),
        replace(GROUP, desired_capacity=0),
        replace(API, desired_count=0),
        replace(nat_gateway(1), state="deleted"),
    ],
)
def test_what_is_stopped_follows_idle_advice_and_what_runs_does_not(stopped: Resource) -> None:
    advice = replace(advised(idle_recommendation()), resource_arn=stopped.arn)
    changes: dict[str, Any] = {"state": "running"}
    for name in ("desired_capacity", "desired_count"):
        if hasattr(stopped, name):
            changes[name] = 2

    assert standing(advice, configured(advice, stopped)) is Standing.ADVISED
    running = replace(stopped, **changes)
    assert standing(advice, configured(advice, running)) is Standing.AS_IT_WAS


def test_what_an_idle_rule_finds_runs_by_the_same_words() -> None:
    """A resource that the rules look at must not count as stopped already."""
    gateway = nat_gateway(1)
    nothing = np.zeros(32 * SLOTS_PER_DAY)
    (found,) = idle_of([gateway], dict.fromkeys(NAT_GATEWAY_METRICS, nothing))

    assert standing(advised(found), configured(advised(found), gateway)) is Standing.AS_IT_WAS


def test_configurations_are_told_in_one_line() -> None:
    assert text_of({"volumeType": "gp3", "iops": None, "sizeGib": 5}) == "volumeType gp3, sizeGib 5"
    assert text_of(None) == "gone"
