"""GetEC2InstanceRecommendations over stored runs: accounts, ARNs, filters, pages and errors."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    Finding,
    RecommendationError,
)
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.operations import ec2_instances
from compute_optimizer.shapes import (
    AccessDeniedException,
    InvalidParameterValueException,
    OptInRequiredException,
)
from compute_optimizer.store.analysis_runs import (
    prune_runs,
)
from tests import written_runs
from tests.enrolling import ALPHA, MANAGEMENT, STRANGER, Desk
from tests.records import REGION, arn, option, recommendation

OPERATION = "GetEC2InstanceRecommendations"

publish = partial(written_runs.publish, resource_type=EC2_INSTANCE)
TOO_YOUNG = "INSUFFICIENT_METRIC_DATA"


def instances(count: int, account: str = MANAGEMENT) -> list[Ec2InstanceRecommendation]:
    return [recommendation(number, account_id=account) for number in range(count)]


def ask(desk: Desk, account: str = MANAGEMENT, **request: Any) -> dict[str, Any]:
    return desk.call(OPERATION, account, **request)


def arns_of(answer: dict[str, Any]) -> list[str]:
    return [one["instanceArn"] for one in answer["instanceRecommendations"]]


def own(number: int, region: str = REGION) -> str:
    return arn(number, MANAGEMENT, region)


@pytest.fixture
def desk(enrolled: Desk) -> Desk:
    """An organization of which every account is Active."""
    return enrolled


def test_before_the_first_analysis_the_answer_is_empty(desk: Desk) -> None:
    assert ask(desk) == {"instanceRecommendations": [], "errors": []}


def test_an_account_sees_its_own_recommendations_only(desk: Desk) -> None:
    publish(desk, instances(2))
    publish(desk, instances(3, ALPHA), account=ALPHA)

    assert arns_of(ask(desk)) == [own(0), own(1)]
    assert arns_of(ask(desk, ALPHA)) == [arn(number, ALPHA) for number in range(3)]


def test_an_account_that_is_not_opted_in_is_told_so(desk: Desk) -> None:
    with pytest.raises(OptInRequiredException, match="not registered for recommendation"):
        ask(desk, STRANGER)


def test_the_management_account_reads_a_member_and_a_member_nobody_else(desk: Desk) -> None:
    publish(desk, instances(1, ALPHA), account=ALPHA)

    assert arns_of(ask(desk, accountIds=[ALPHA])) == [arn(0, ALPHA)]
    with pytest.raises(AccessDeniedException):
        ask(desk, ALPHA, accountIds=[MANAGEMENT])


def test_only_one_account_may_be_named(desk: Desk) -> None:
    with pytest.raises(InvalidParameterValueException, match="accountIds"):
        ask(desk, accountIds=[MANAGEMENT, ALPHA])


def test_recommendations_belong_to_the_region_of_the_request(desk: Desk) -> None:
    publish(desk, instances(1))
    elsewhere = desk.context(MANAGEMENT, region="eu-west-1")

    answer = ec2_instances.get_ec2_instance_recommendations(elsewhere, {})

    assert answer["instanceRecommendations"] == []


def test_listed_arns_come_back_alone_and_each_missing_one_says_why(desk: Desk) -> None:
    young = RecommendationError(own(7), TOO_YOUNG, "The resource doesn't have enough metric data.")
    publish(desk, instances(3), [young])
    strange = arn(1, ALPHA)
    far, broken, unknown = own(1, "eu-west-1"), "arn:aws:ec2:us-east-1:1:volume/v", own(9)

    answer = ask(desk, instanceArns=[own(1), own(7), strange, far, broken, unknown, own(1)])

    assert arns_of(answer) == [own(1)]
    assert {one["identifier"]: one["code"] for one in answer["errors"]} == {
        own(7): TOO_YOUNG,
        strange: "ACCESS_DENIED",
        far: "CROSS_REGION",
        broken: "INVALID_ARN",
        unknown: "RECOMMENDATION_NOT_FOUND",
    }
    assert all(one["message"] for one in answer["errors"])


def test_who_lists_a_members_arn_is_told_to_name_the_member(desk: Desk) -> None:
    publish(desk, instances(1))

    (error,) = ask(desk, instanceArns=[arn(1, ALPHA)])["errors"]

    # The management account may see it, so that want of permission would be the wrong reason.
    assert "belongs to another account" in error["message"]
    assert "accountIds" in error["message"]


def test_arns_that_are_all_refused_do_not_turn_into_the_whole_list(desk: Desk) -> None:
    publish(desk, instances(2))

    assert arns_of(ask(desk, instanceArns=["nonsense"])) == []


def test_a_listed_arn_that_a_filter_leaves_out_is_no_error(desk: Desk) -> None:
    publish(desk, instances(1))
    under = [{"name": "Finding", "values": ["Underprovisioned"]}]

    answer = ask(desk, instanceArns=[own(0)], filters=under)

    assert answer == {"instanceRecommendations": [], "errors": []}


def test_a_thousand_arns_fit_one_request_and_one_page(desk: Desk) -> None:
    publish(desk, instances(1_001))
    wanted = [own(number) for number in range(1_000)]

    answer = ask(desk, instanceArns=wanted)

    assert arns_of(answer) == wanted
    assert "nextToken" not in answer
    with pytest.raises(InvalidParameterValueException, match="1001 resources; at most 1000"):
        ask(desk, instanceArns=[*wanted, own(1_000)])


def test_pages_put_together_are_the_whole_list_and_the_last_has_no_token(desk: Desk) -> None:
    publish(desk, instances(5))
    answer, seen = ask(desk, maxResults=2), []
    while "nextToken" in answer:
        seen += arns_of(answer)
        answer = ask(desk, maxResults=2, nextToken=answer["nextToken"])

    # 5 = 2 + 2 + 1: two pages carry a token, the last does not.
    assert [*seen, *arns_of(answer)] == arns_of(ask(desk))
    assert len(seen) == 4


def test_a_full_last_page_has_no_token(desk: Desk) -> None:
    publish(desk, instances(4))

    assert "nextToken" in ask(desk, maxResults=3)
    assert "nextToken" not in ask(desk, maxResults=4)


def test_zero_results_mean_the_default_page(desk: Desk) -> None:
    publish(desk, instances(1_001))

    answer = ask(desk, maxResults=0)

    assert len(arns_of(answer)) == 1_000
    assert "nextToken" in answer


def test_a_token_stays_with_its_run_when_a_newer_one_arrives(desk: Desk) -> None:
    publish(desk, instances(3))
    token = ask(desk, maxResults=2)["nextToken"]
    desk.clock.tick(hours=1)
    publish(desk, [])

    assert arns_of(ask(desk, maxResults=2, nextToken=token)) == [own(2)]
    assert arns_of(ask(desk)) == []


def test_a_token_of_a_run_superseded_over_a_day_ago_has_expired(desk: Desk) -> None:
    publish(desk, instances(3))
    desk.clock.tick(hours=1)
    token = ask(desk, maxResults=2)["nextToken"]
    publish(desk, [])
    desk.clock.tick(hours=25)
    with desk.state.writing() as connection:
        prune_runs(connection, desk.clock.now())

    with pytest.raises(InvalidParameterValueException, match="expired"):
        ask(desk, maxResults=2, nextToken=token)


@pytest.mark.parametrize(
    "change",
    [
        {"filters": [{"name": "Finding", "values": ["Optimized"]}]},
        {"accountIds": [ALPHA]},
        {"instanceArns": [own(2)]},
        {"recommendationPreferences": {"cpuVendorArchitectures": ["AWS_ARM64"]}},
    ],
)
def test_a_token_is_good_for_the_same_request_only(desk: Desk, change: dict[str, Any]) -> None:
    publish(desk, instances(3))
    token = ask(desk, maxResults=2)["nextToken"]

    with pytest.raises(InvalidParameterValueException, match="not valid for this request"):
        ask(desk, maxResults=2, nextToken=token, **change)


def test_a_tampered_token_is_refused(desk: Desk) -> None:
    publish(desk, instances(3))
    token = ask(desk, maxResults=2)["nextToken"]
    other = "A" if token[0] != "A" else "B"

    with pytest.raises(InvalidParameterValueException, match="nextToken"):
        ask(desk, maxResults=2, nextToken=other + token[1:])


def test_filters_select_across_pages(desk: Desk) -> None:
    under = [
        recommendation(number, account_id=MANAGEMENT, finding=Finding.UNDER_PROVISIONED)
        for number in (1, 3)
    ]
    publish(desk, [*instances(1), under[0], recommendation(2, account_id=MANAGEMENT), under[1]])
    wanted = [{"name": "Finding", "values": ["UNDER_PROVISIONED"]}]

    first = ask(desk, filters=wanted, maxResults=1)
    second = ask(desk, filters=wanted, maxResults=1, nextToken=first["nextToken"])

    assert [arns_of(first), arns_of(second)] == [[own(1)], [own(3)]]
    assert "nextToken" not in second


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (["CURRENT"], ["t3.large", "m5.large"]),
        (["AWS_ARM64"], ["t4g.large", "m6g.large"]),
        # Savings 91.1, 84.0, 79.4 and 70.1: the best three of both pools together.
        (["CURRENT", "AWS_ARM64"], ["t4g.large", "m6g.large", "t3.large"]),
    ],
)
def test_the_architectures_asked_for_decide_which_options_are_shown(
    desk: Desk, wanted: list[str], shown: list[str]
) -> None:
    publish(desk, instances(1))

    answer = ask(desk, recommendationPreferences={"cpuVendorArchitectures": wanted})

    (found,) = answer["instanceRecommendations"]
    assert [one["instanceType"] for one in found["recommendationOptions"]] == shown
    assert [one["rank"] for one in found["recommendationOptions"]] == list(range(1, len(shown) + 1))
    preferences = found["effectiveRecommendationPreferences"]
    assert preferences["cpuVendorArchitectures"] == wanted


def test_an_opt_out_hides_everything_at_once(desk: Desk) -> None:
    publish(desk, instances(1))
    desk.opt_out(MANAGEMENT)

    with pytest.raises(OptInRequiredException):
        ask(desk)


def test_a_pending_account_may_ask_already(desk: Desk) -> None:
    desk.opt_out(ALPHA)
    desk.opt_in(ALPHA)

    assert desk.status(ALPHA)["status"] == "Pending"
    assert arns_of(ask(desk, ALPHA)) == []


def test_savings_of_an_option_without_a_price_are_left_out(desk: Desk) -> None:
    unpriced = recommendation(0, account_id=MANAGEMENT, options=(option("m5.large", None),))
    publish(desk, [unpriced])

    (found,) = ask(desk)["instanceRecommendations"]
    (shown,) = found["recommendationOptions"]

    assert "savingsOpportunity" not in shown or shown["savingsOpportunity"] is None


def test_a_token_expires_a_day_after_it_was_made(desk: Desk) -> None:
    publish(desk, instances(3))
    token = ask(desk, maxResults=2)["nextToken"]
    desk.clock.moment += timedelta(hours=24)

    with pytest.raises(InvalidParameterValueException, match="expired"):
        ask(desk, maxResults=2, nextToken=token)
