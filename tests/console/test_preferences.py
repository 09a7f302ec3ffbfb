"""Preferences in the console: stated, in force, changed, and tried out before that."""

import re
from collections.abc import Iterator

import pytest

from compute_optimizer.console import what_if
from compute_optimizer.jobs.simulate import Grid, simulate
from compute_optimizer.jobs.simulated_fleets import FleetPart, imported_fleet
from tests.console.conftest import ACCOUNT, House
from tests.console.visiting import Visit, text, words

MEMBER = "222222222222"
REGION = "us-east-1"
HERE = "/console/preferences"
FORM = {"account": ACCOUNT, "region": REGION, "scope": "AccountId"}


def perform(house: House, operation: str, **parameters: object) -> dict[str, object]:
    visitor = house.room.gate.standing(ACCOUNT, house.clock.now())
    assert visitor is not None
    return house.room.calls.perform(
        visitor, REGION, "", operation, {"resourceType": "Ec2Instance", **parameters}
    )


def scopes_of(house: House) -> list[dict[str, object]]:
    found = perform(house, "GetRecommendationPreferences")["recommendationPreferencesDetails"]
    assert isinstance(found, list)
    return found


@pytest.fixture(autouse=True)
def nothing_stated(demo: House) -> Iterator[None]:
    """Take away what a test stated."""
    yield
    names = [
        "EnhancedInfrastructureMetrics",
        "InferredWorkloadTypes",
        "LookBackPeriodPreference",
        "UtilizationPreferences",
    ]
    for one in scopes_of(demo):
        perform(
            demo,
            "DeleteRecommendationPreferences",
            scope=one["scope"],
            recommendationPreferenceNames=names,
        )


def rows_of(page: str) -> dict[str, tuple[str, ...]]:
    """Return the cells of every table's rows by their headings."""
    found = {}
    for row in re.findall(r"<tr><th scope=\"row\".*?</tr>", page, flags=re.DOTALL):
        first, *cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL)
        found[first] = tuple(re.sub(r"<[^>]*>", "", cell) for cell in cells)
    return found


def test_what_nobody_states_has_its_default(visit: Visit) -> None:
    rows = rows_of(text(visit.get(HERE)))

    assert rows["CPU threshold"] == ("P99.5", "Default")
    assert rows["Look-back period"] == ("14 days", "Default")


def test_a_preference_is_stated_and_comes_from_its_scope(demo: House, visit: Visit) -> None:
    organization = FORM | {"scope": "Organization", "cpuHeadroom": "PERCENT_30"}
    response = visit.send(HERE, **FORM, lookBackPeriod="DAYS_32", inferredWorkloadTypes="Inactive")
    visit.send(HERE, **organization)
    page = text(visit.get(response.headers["location"]))
    rows = rows_of(page)

    assert response.status == 303
    assert rows["Look-back period"] == ("32 days", "Account")
    assert rows["CPU headroom"] == ("30 %", "Organization")
    assert rows["CPU threshold"] == ("P99.5", "Default")
    assert "ALL_ACCOUNTS" in page
    member = rows_of(text(visit.get(f"{HERE}?account={MEMBER}&region={REGION}")))
    assert member["Look-back period"] == ("14 days", "Default")
    assert member["CPU headroom"] == ("30 %", "Organization")
    assert '"operation":"PutRecommendationPreferences"' in demo.audit


def test_fields_that_are_left_alone_keep_what_was_stated(demo: House, visit: Visit) -> None:
    visit.send(HERE, **FORM, cpuThreshold="P90", memoryHeadroom="PERCENT_30")
    visit.send(HERE, **FORM, cpuHeadroom="PERCENT_0")

    (one,) = scopes_of(demo)
    assert one["utilizationPreferences"] == [
        {
            "metricName": "CpuUtilization",
            "metricParameters": {"threshold": "P90", "headroom": "PERCENT_0"},
        },
        {"metricName": "MemoryUtilization", "metricParameters": {"headroom": "PERCENT_30"}},
    ]


@pytest.mark.parametrize("path", [HERE, f"{HERE}/what-if"])
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"lookBackPeriod": "DAYS_93"}, "needs enhancedInfrastructureMetrics to be Active"),
        ({"memoryHeadroom": "PERCENT_0"}, "headroom PERCENT_0, expected PERCENT_30"),
        ({"account": "999999999999"}, "is not open to you"),
        ({"region": "mars-1"}, "no recommendations in the Region"),
    ],
)
def test_what_cannot_be_stated_is_told(
    visit: Visit, path: str, changed: dict[str, str], said: str
) -> None:
    response = visit.send(path, **(FORM | changed))

    assert response.status == 400
    assert said in words(response)


def test_a_member_cannot_try_out_or_state_preferences_of_others(demo: House) -> None:
    visit = demo.visit()
    visit.sign_in(MEMBER)

    for path in (HERE, f"{HERE}/what-if"):
        response = visit.send(path, **FORM, cpuThreshold="P90")
        assert response.status == 400
        assert "is not open to you" in words(response)
    own = FORM | {"account": MEMBER, "scope": "Organization", "cpuThreshold": "P90"}
    assert visit.send(HERE, **own).status == 403
    assert scopes_of(demo) == []


def test_one_instance_has_its_own_preferences_in_force(visit: Visit) -> None:
    listed = text(visit.get("/console/recommendations/ec2-instances?region=us-east-1"))
    found = re.search(r"arn=(arn%3Aaws%3Aec2%3Aus-east-1%3A111111111111[^&\"]+)", listed)
    assert found
    rows = rows_of(text(visit.get(f"{HERE}?region={REGION}&arn={found[1]}")))

    assert rows["CPU threshold"] == ("P99.5", "Default")
    refused = visit.get(f"{HERE}?region={REGION}&arn=arn:aws:s3:::bucket")
    assert refused.status == 400
    assert "expected the ARN of an EC2 instance" in words(refused)


def test_a_what_if_says_what_simulate_says_and_stores_nothing(demo: House, visit: Visit) -> None:
    chosen = {"cpuThreshold": "P90", "cpuHeadroom": "PERCENT_0", "memoryHeadroom": "PERCENT_10"}
    response = visit.send(f"{HERE}/what-if", **FORM, **chosen, architecture="BOTH")
    fleet = imported_fleet(
        demo.state, demo.room.tiles, demo.clock, part=FleetPart(ACCOUNT, REGION, 1_000)
    )
    now = Grid()
    then = Grid((90.0,), (0.0,), (0.1,), architectures=("BOTH",))
    before, after = simulate(fleet, (now, then))["points"]
    rows = rows_of(text(response))

    assert response.status == 200
    assert before["savings"] < after["savings"]
    assert rows["Cost a month, the advice followed"][:2] == (
        f"${before['cost_after']:,.2f}",
        f"${after['cost_after']:,.2f}",
    )
    # The present preferences are the defaults, against which simulate counts as well.
    assert rows["Recommendations that change"][1] == str(after["changed"]) != "0"
    assert "Nothing was saved" in words(response)
    assert re.search(r'value="P90" selected', text(response))
    assert scopes_of(demo) == []


def test_changes_are_counted_against_what_is_in_force(visit: Visit) -> None:
    visit.send(HERE, **FORM, cpuHeadroom="PERCENT_0")
    response = visit.send(f"{HERE}/what-if", **FORM, cpuHeadroom="PERCENT_0")

    assert rows_of(text(response))["Recommendations that change"][1] == "0"


def test_a_large_fleet_is_sampled_and_the_page_says_so(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(what_if, "MOST_INSTANCES", 3)
    said = words(visit.send(f"{HERE}/what-if", **FORM, cpuHeadroom="PERCENT_0"))

    assert re.search(r"[23] instances stand for the \d+ EC2 instances of account", said)


def test_of_two_what_ifs_at_once_the_second_is_asked_to_wait(visit: Visit) -> None:
    with what_if._running:
        response = visit.send(f"{HERE}/what-if", **FORM, cpuHeadroom="PERCENT_0")

    assert response.status == 409
    assert "another what-if is being computed" in words(response)
    assert visit.send(f"{HERE}/what-if", **FORM, cpuHeadroom="PERCENT_0").status == 200


def test_who_may_only_read_sees_no_form_and_can_send_none(secured: House) -> None:
    secured.enroll()
    key, visit = secured.new_key("compute-optimizer:Get*"), secured.visit()
    visit.post(
        "/console/sign-in",
        access_key_id=key.access_key_id,
        secret_access_key=key.secret_access_key,
    )

    page = visit.get(HERE)
    assert page.status == 200
    assert 'id="change"' not in text(page)
    refused = visit.send(HERE, account=ACCOUNT, region="", cpuThreshold="P90")
    assert refused.status == 403
