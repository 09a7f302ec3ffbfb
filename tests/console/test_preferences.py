"""Preferences in the console: stated, in force, changed, and tried out before that."""

import html
import re
from collections.abc import Iterator

import pytest

from compute_optimizer.backtest.grid import Grid
from compute_optimizer.console.pages import preferences
from compute_optimizer.console.pages.preferences import ROWS
from compute_optimizer.jobs.simulate import simulate
from compute_optimizer.jobs.simulated_fleets import FleetPart, imported_fleet
from compute_optimizer.jobs.try_preferences import Fleet, try_preferences
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.model.stated_preferences import (
    PreferenceScope,
    ScopeName,
    StatedPreferences,
    UtilizationPreference,
)
from compute_optimizer.store import what_ifs
from compute_optimizer.store.inventory import shard_sizes
from tests.console.conftest import ACCOUNT, House
from tests.console.stating import (
    FORM,
    HERE,
    MEMBER,
    REGION,
    forget,
    over,
    rows_of,
    scopes_of,
    tried,
)
from tests.console.visiting import Visit, text, words


@pytest.fixture(autouse=True)
def nothing_stated(demo: House) -> Iterator[None]:
    """Take away what a test stated."""
    yield
    forget(demo)


def test_what_nobody_states_has_its_default(visit: Visit) -> None:
    rows = rows_of(text(visit.get(HERE)))

    assert rows["CPU threshold"] == ("P99.5", "Default")
    assert rows["Look-back period"] == ("14 days", "Default")


def test_what_is_stated_is_told_in_the_words_of_the_form(visit: Visit) -> None:
    visit.send(HERE, **FORM, cpuHeadroom="PERCENT_0")
    page = text(visit.get(f"{HERE}?region={REGION}"))

    assert rows_of(page)["The account"][:2] == (ACCOUNT, "EC2 instances")


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
        ({"type": "S3Bucket"}, "The resource type 'S3Bucket' has no preferences"),
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


def test_a_what_if_says_what_the_analysis_says_and_stores_nothing(
    demo: House, visit: Visit
) -> None:
    chosen = {"cpuThreshold": "P90", "cpuHeadroom": "PERCENT_0", "memoryHeadroom": "PERCENT_10"}
    response = tried(visit, **FORM, **chosen)
    scope = PreferenceScope(ACCOUNT, REGION, EC2_INSTANCE, ScopeName.ACCOUNT_ID, ACCOUNT)
    utilization = (
        UtilizationPreference("CpuUtilization", "P90", "PERCENT_0"),
        UtilizationPreference("MemoryUtilization", None, "PERCENT_10"),
    )
    trial = try_preferences(
        demo.state,
        demo.room.tiles,
        demo.clock,
        Fleet(frozenset({ACCOUNT}), REGION, EC2_INSTANCE),
        {scope: StatedPreferences(utilization=utilization)},
        profile=demo.room.profile,
    )
    rows, page = rows_of(text(response)), text(response)

    assert response.status == 200
    assert trial.now.savings_usd < trial.then.savings_usd
    assert rows["Cost a month"][:2] == (
        f"${trial.now.cost_after_usd:,.2f}",
        f"${trial.then.cost_after_usd:,.2f}",
    )
    assert rows["Recommendations that change"][1] == str(trial.changed) != "0"
    assert "Nothing was saved" in words(response)
    assert re.search(r'value="P90" selected', page)
    assert {one.told.resource_arn for one in trial.changes[:ROWS]} == set(
        re.findall(r'title="(arn:[^"]+)"', page)
    )
    # What would be in force stands beside what is.
    assert rows["CPU threshold"] == ("P99.5", "Default", "P90", "Account")
    assert rows["Look-back period"] == ("14 days", "Default", "the same", "the same")
    assert scopes_of(demo) == []
    assert '"operation":"what-if PutRecommendationPreferences"' in demo.audit


def test_a_what_if_tests_what_simulate_tests(demo: House, visit: Visit) -> None:
    rows = rows_of(text(tried(visit, **FORM, cpuThreshold="P90", cpuHeadroom="PERCENT_0")))
    part = FleetPart(ACCOUNT, REGION, 1_000)
    fleet = imported_fleet(demo.state, demo.room.tiles, demo.clock, part=part)
    report = simulate(fleet, (Grid(), Grid((90.0,), (0.0,))))
    before, after = report["points"]

    said = rows["Risk: instances whose demand exceeded the advised capacity in a test"]
    assert said[:2] == (
        f"{before['violated']} of {report['tested']}",
        f"{after['violated']} of {report['tested']}",
    )


def test_what_was_tried_is_saved_from_its_own_page(demo: House, visit: Visit) -> None:
    page = text(tried(visit, **FORM, cpuHeadroom="PERCENT_0"))
    form = re.search(r'aria-label="Save what was tried">(.*?)</form>', page, re.DOTALL)
    assert form
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[1]))
    saved = visit.post(HERE, **fields)

    assert saved.status == 303
    there = visit.get(saved.headers["location"])
    assert rows_of(text(there))["CPU headroom"] == ("0 %", "Account")


def test_changes_are_counted_against_what_is_in_force(visit: Visit) -> None:
    visit.send(HERE, **FORM, cpuHeadroom="PERCENT_0")
    response = tried(visit, **FORM, cpuHeadroom="PERCENT_0")

    assert rows_of(text(response))["Recommendations that change"][1] == "0"


def test_architectures_are_tried_without_anything_to_save(visit: Visit) -> None:
    response = tried(visit, **FORM, architecture="AWS_ARM64")

    assert rows_of(text(response))["Recommendations that change"][1] != "0"
    assert "Save this" not in words(response)


def test_what_is_taken_away_is_tried_and_falls_back(demo: House, visit: Visit) -> None:
    organization = FORM | {"scope": "Organization"}
    visit.send(HERE, **organization, cpuHeadroom="PERCENT_30")
    visit.send(HERE, **FORM, cpuHeadroom="PERCENT_0", lookBackPeriod="DAYS_32", exclude="t3")
    away = {"operation": "DeleteRecommendationPreferences", "name": "UtilizationPreferences"}
    response = tried(visit, **FORM, **away)

    assert rows_of(text(response))["CPU headroom"] == ("0 %", "Account", "30 %", "Organization")
    assert "Take them away" in words(response)
    # What takes something away says nothing of the form that states something.
    assert ">t3</textarea>" in text(response)
    gone = visit.send(f"{HERE}/take-away", **FORM, **away)
    assert gone.status == 303
    page = visit.get(gone.headers["location"])
    rows = rows_of(text(page))
    assert "Taken away" in words(page)
    assert rows["CPU headroom"] == ("30 %", "Organization")
    assert rows["Look-back period"] == ("32 days", "Account")
    for operation in ("Put", "Delete"):
        assert f'"operation":"{operation}RecommendationPreferences"' in demo.audit


def test_taking_nothing_away_is_told_on_the_page(visit: Visit) -> None:
    response = visit.send(f"{HERE}/take-away", **FORM)

    assert response.status == 400
    assert "recommendationPreferenceNames is empty" in words(response)


FIELDS = {
    ("Ec2Instance", "AccountId"): {
        "lookBackPeriod",
        "enhancedInfrastructureMetrics",
        "cpuThreshold",
        "cpuHeadroom",
        "memoryHeadroom",
        "inferredWorkloadTypes",
        "externalMetricsPreference",
        "savingsEstimationMode",
        "include",
        "exclude",
    },
    ("EbsVolume", "AccountId"): {"lookBackPeriod", "savingsEstimationMode"},
    ("EcsService", "Organization"): {"lookBackPeriod", "savingsEstimationMode"},
    ("LambdaFunction", "AccountId"): {"savingsEstimationMode"},
    ("RdsDBInstance", "AccountId"): {
        "lookBackPeriod",
        "enhancedInfrastructureMetrics",
        "savingsEstimationMode",
    },
    ("AuroraDBClusterStorage", "AccountId"): {"lookBackPeriod", "savingsEstimationMode"},
    ("NotApplicable", "Organization"): {"savingsEstimationMode"},
}
"""Of spec 4.1, by resource type and scope."""


@pytest.mark.parametrize(("kind", "scope"), FIELDS)
def test_a_form_offers_what_the_api_takes(visit: Visit, kind: str, scope: str) -> None:
    page = text(visit.get(f"{HERE}?type={kind}&region={REGION}&scope={scope}"))
    form = re.search(r'<section class="card" aria-labelledby="change">.*?</form>', page, re.DOTALL)
    assert form
    names = set(re.findall(r'<(?:select|textarea) id="(\w+)"', form[0])) - {"architecture"}

    assert names == FIELDS[kind, scope]
    # 93 days need enhanced metrics, which volumes have not.
    assert ("DAYS_93" in form[0]) == ("enhancedInfrastructureMetrics" in names)


def test_preferences_of_a_volume_are_stated_and_tried(demo: House, visit: Visit) -> None:
    form = FORM | {"type": "EbsVolume", "lookBackPeriod": "DAYS_32"}
    response = tried(visit, **form)
    with demo.state.reading() as connection:
        volumes = sum(
            size
            for key, size in shard_sizes(connection, [ACCOUNT]).items()
            if (key.region, key.resource_type) == (REGION, "EbsVolume")
        )

    assert f"{volumes} resources of account {ACCOUNT}" in words(response)
    assert visit.send(HERE, **form).status == 303
    rows = rows_of(text(visit.get(f"{HERE}?type=EbsVolume&region={REGION}")))
    assert rows["Look-back period"] == ("32 days", "Account")


@pytest.mark.parametrize("path", [HERE, f"{HERE}/what-if"])
@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("lookBackPeriod", "DAYS_93", "needs enhancedInfrastructureMetrics to be Active"),
        ("cpuThreshold", "P42", "CPU threshold P42, expected P90, P95, P99_5"),
        ("include", "m55", "no instance type matches"),
    ],
)
def test_a_refused_form_comes_back_as_it_was_with_the_problem_at_its_field(
    visit: Visit, path: str, field: str, value: str, said: str
) -> None:
    response = visit.send(path, **FORM, **{field: value}, memoryHeadroom="PERCENT_30")
    page = text(response)

    assert response.status == 400
    assert re.search(rf'id="{field}"[^>]* aria-invalid="true" [^>]*"{field}-problem"', page)
    problem = re.search(rf'id="{field}-problem">([^<]*)<', page)
    assert problem
    assert said in html.unescape(problem[1])
    assert '<option value="PERCENT_30" selected>' in page
    assert re.search(rf'value="{value}" selected|>{value}</textarea>', page) or value == "P42"


def test_an_arn_that_is_none_is_told_at_its_field(visit: Visit) -> None:
    response = visit.get(f"{HERE}?region={REGION}&arn=arn:aws:s3:::bucket")

    assert response.status == 400
    assert re.search(r'id="arn-problem">[^<]*expected the ARN of an EC2 instance', text(response))


def test_progress_is_shown_and_a_what_if_can_be_stopped(
    demo: House, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preferences, "PATIENCE_SECONDS", 0.0)
    with demo.room.trials.turn:
        begun = visit.send(f"{HERE}/what-if", **FORM, cpuHeadroom="PERCENT_0")
        there = begun.headers["location"]
        waiting = visit.get(there)
        visit.send(f"{there}/stop")

    assert "Waiting for its turn" in words(waiting)
    assert "data-follow" in text(waiting)
    assert "It was stopped; nothing was saved" in words(over(visit, there))


def test_a_what_if_is_of_its_session_only(demo: House, visit: Visit) -> None:
    begun = visit.send(f"{HERE}/what-if", **FORM, cpuHeadroom="PERCENT_0")
    other = demo.visit()
    other.sign_in(MEMBER)

    response = other.get(begun.headers["location"])
    assert response.status == 404
    assert "not known here any more" in words(response)


def test_more_what_ifs_than_may_wait_are_refused(
    demo: House, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preferences, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(what_ifs, "MOST_WAITING", 0)
    with demo.room.trials.turn:
        there = visit.send(f"{HERE}/what-if", **FORM, cpuHeadroom="PERCENT_0").headers["location"]
        refused = visit.send(f"{HERE}/what-if", **FORM, cpuHeadroom="PERCENT_0")
        visit.send(f"{there}/stop")

    assert refused.status == 409
    assert "1 what-ifs are being computed or wait" in words(refused)
    assert '<option value="PERCENT_0" selected>' in text(refused)
    over(visit, there)


def test_an_organization_is_tried_with_all_its_accounts(visit: Visit) -> None:
    organization = FORM | {"scope": "Organization"}
    response = tried(visit, **organization, cpuHeadroom="PERCENT_0")

    assert "of 3 accounts in us-east-1" in words(response)
    page = text(response)
    accounts = set(re.findall(r'<td class="mono">(\d{12})</td>', page))
    assert {ACCOUNT, MEMBER} <= accounts


def test_one_instance_is_tried_and_has_preferences_of_its_own(visit: Visit) -> None:
    listed = text(visit.get("/console/recommendations/ec2-instances?region=us-east-1"))
    found = re.search(r"(arn:aws:ec2:us-east-1:111111111111:instance/[\w-]+)", listed)
    assert found
    own = FORM | {"scope": "ResourceArn", "arn": found[1]}
    assert "1 resource in us-east-1" in words(tried(visit, **own, cpuHeadroom="PERCENT_0"))
    saved = visit.send(HERE, **own, cpuHeadroom="PERCENT_0")

    assert saved.status == 303
    rows = rows_of(text(visit.get(saved.headers["location"])))
    assert rows["CPU headroom"] == ("0 %", "Resource")
    # Others stay by what the account has.
    assert rows_of(text(visit.get(f"{HERE}?region={REGION}")))["CPU headroom"][1] == "Default"


def test_changed_recommendations_come_in_pages(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preferences, "ROWS", 2)
    first = tried(visit, **FORM, cpuThreshold="P90", cpuHeadroom="PERCENT_0")
    link = re.search(r'rel="next" href="([^"#]+)', text(first))
    assert link
    second = visit.get(html.unescape(link[1]))

    arns = [re.findall(r'title="(arn:[^"]+)"', text(one)) for one in (first, second)]
    assert len(arns[0]) == 2
    assert arns[1]
    assert not set(arns[0]) & set(arns[1])
    assert "1 to 2 of" in words(first)
    assert "3 to " in words(second)


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
