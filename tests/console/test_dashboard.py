"""What the dashboard adds up."""

from compute_optimizer.console.pages.dashboard import CountedGroup
from compute_optimizer.model.resource import EC2_INSTANCE, LICENSE
from compute_optimizer.model.tally import Tally, Topic
from compute_optimizer.store.analysis_runs import Scope
from compute_optimizer.store.summaries import Counted
from tests.console.conftest import House
from tests.console.visiting import words
from tests.records import ACCOUNT, REGION, arn, recommendation
from tests.written_runs import store_run


def together(savings: float, cost: float, *of: str) -> Counted:
    return Counted(of, Tally(Topic.TOGETHER, "", 1, savings, cost))


def test_an_instance_is_paid_once_whatever_is_said_of_its_license() -> None:
    account = CountedGroup("111111111111")
    account.add(together(30.0, 300.0, account.name, EC2_INSTANCE))
    # What a license costs is told with its machine: the same 300.
    account.add(together(60.0, 300.0, account.name, LICENSE))

    assert (account.savings, account.cost) == (90.0, 300.0)
    assert account.saved_share == 0.3


def test_the_line_of_licenses_has_what_they_cost() -> None:
    licenses = CountedGroup(LICENSE)
    licenses.add(together(60.0, 300.0, LICENSE))

    assert licenses.saved_share == 0.2


def test_amounts_are_in_the_currency_of_the_regions(house: House) -> None:
    house.enroll(ACCOUNT)
    chinese = recommendation(resource_arn=arn(1).replace(REGION, "cn-north-1"))
    store_run(house.state, Scope(ACCOUNT, "cn-north-1", EC2_INSTANCE), [chinese])
    visit = house.visit()
    visit.sign_in(ACCOUNT)

    for page in ("", "decisions"):
        said = words(visit.get(f"/console/{page}"))
        assert "CN¥" in said
        assert "$" not in said
