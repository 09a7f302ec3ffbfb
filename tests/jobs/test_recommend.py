"""What all accounts and Regions together are recommended, the largest savings first."""

from collections.abc import Collection, Sequence

import pytest
from msgspec import structs

from compute_optimizer.jobs import recommend
from compute_optimizer.jobs.recommend import by_savings
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation, Finding
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import Scope
from tests.enrolling import ALPHA, BETA, Desk, opt_in
from tests.records import REGION, arn, option, recommendation
from tests.written_runs import store_run

FAR = "eu-west-1"


@pytest.fixture
def desk(sqlite_state: State) -> Desk:
    """ALPHA and BETA are opted in."""
    return opt_in(sqlite_state, ALPHA, BETA)


def saving(
    number: int, usd: float, account: str = ALPHA, region: str = REGION
) -> Ec2InstanceRecommendation:
    return recommendation(
        number,
        account_id=account,
        resource_arn=arn(number, account, region),
        options=(option("m5.large", usd),),
    )


def publish(desk: Desk, account: str, region: str, *found: Ec2InstanceRecommendation) -> None:
    store_run(desk.state, Scope(account, region, EC2_INSTANCE), found, now=desk.clock.now())


def read(
    desk: Desk, accounts: Collection[str] | None = None, regions: Collection[str] | None = None
) -> Sequence[str]:
    with desk.state.reading() as connection:
        return [one.resource_arn for one in by_savings(connection, accounts, regions)]


def test_the_largest_savings_come_first_over_accounts_and_regions(desk: Desk) -> None:
    publish(desk, ALPHA, REGION, saving(1, 10), saving(2, 30))
    publish(desk, ALPHA, FAR, saving(3, 20, region=FAR))
    publish(desk, BETA, REGION, saving(4, 25, BETA))

    # 30, 25, 20, 10.
    assert read(desk) == [arn(2, ALPHA), arn(4, BETA), arn(3, ALPHA, FAR), arn(1, ALPHA)]


def test_equal_savings_come_by_arn_and_only_overprovisioned_ones_count(desk: Desk) -> None:
    optimized = structs.replace(saving(1, 99), finding=Finding.OPTIMIZED)
    publish(desk, ALPHA, REGION, optimized, saving(3, 5), saving(2, 5))

    assert read(desk) == [arn(2, ALPHA), arn(3, ALPHA), arn(1, ALPHA)]


def test_accounts_and_regions_narrow_the_list(desk: Desk) -> None:
    publish(desk, ALPHA, REGION, saving(1, 10))
    publish(desk, ALPHA, FAR, saving(2, 10, region=FAR))
    publish(desk, BETA, REGION, saving(3, 10, BETA))

    assert read(desk, accounts=[BETA]) == [arn(3, BETA)]
    assert read(desk, regions=[FAR]) == [arn(2, ALPHA, FAR)]
    assert read(desk, accounts=[BETA], regions=[FAR]) == []
    assert read(desk, accounts=[], regions=[FAR]) == []


def test_an_account_that_opted_out_is_not_shown(desk: Desk) -> None:
    publish(desk, ALPHA, REGION, saving(1, 10))
    desk.opt_out(ALPHA)

    assert read(desk) == []


@pytest.mark.parametrize("count", [3, 4, 5])
def test_nothing_is_lost_between_the_pages_that_are_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    publish(desk, ALPHA, REGION, *(saving(number, 1) for number in range(count)))
    monkeypatch.setattr(recommend, "PAGE", 2)

    # Pages of 2: an odd number ends in a short page, an even one in an empty one.
    assert read(desk) == [arn(number, ALPHA) for number in range(count)]
