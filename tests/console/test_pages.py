"""What the pages say: the same figures as the API, of the accounts that are open to the visitor."""

import csv
import io
import json
import re
from urllib.parse import quote

import pytest

from compute_optimizer.console.kinds import KINDS
from compute_optimizer.console.pages import recommendations
from compute_optimizer.console.words import money
from tests.console.conftest import ACCOUNT, House
from tests.console.visiting import Visit, text, words

MEMBER = "222222222222"
LISTS = [kind.slug for kind in KINDS]


def rows_of(visit: Visit, address: str) -> list[dict[str, str]]:
    """Return the rows of a view, from its file."""
    kind, _, query = address.partition("?")
    response = visit.get(f"/console/recommendations/{kind}/export?{query}")
    assert response.status == 200, words(response)
    return list(csv.DictReader(io.StringIO(response.body.decode())))


def addresses_in(visit: Visit, kind: str) -> list[str]:
    page = text(visit.get(f"/console/recommendations/{kind}?size=500"))
    found = re.findall(r'<th scope="row"><a href="(/console/resource[^"]+)"', page)
    return [one.replace("&amp;", "&") for one in found]


def test_the_dashboard_adds_up_what_the_api_says_of_every_account(
    demo: House, visit: Visit
) -> None:
    total = 0.0
    for account in (ACCOUNT, MEMBER, "333333333333"):
        for region in ("us-east-1", "eu-west-1"):
            session = demo.room.gate.standing(ACCOUNT, demo.clock.now())
            assert session is not None
            answer = demo.room.calls.perform(
                session, region, "", "GetRecommendationSummaries", {"accountIds": [account]}
            )
            total += sum(
                one["aggregatedSavingsOpportunity"]["estimatedMonthlySavings"]["value"]
                for one in answer["recommendationSummaries"]
            )

    assert total > 0
    assert money(total) in words(visit.get("/console/"))


def test_a_member_sees_its_own_account_only(demo: House) -> None:
    visit = demo.visit()
    visit.sign_in(MEMBER)
    accounts = {row["Account"] for row in rows_of(visit, "ec2-instances")}

    assert accounts == {MEMBER}
    assert rows_of(visit, f"ec2-instances?account={ACCOUNT}") == []


def test_a_resource_of_an_account_out_of_reach_is_as_if_it_were_not_there(
    demo: House, visit: Visit
) -> None:
    foreign = next(one for one in addresses_in(visit, "ec2-instances") if ACCOUNT in one)
    member = demo.visit()
    member.sign_in(MEMBER)

    assert visit.get(foreign).status == 200
    for path in (foreign, foreign.replace("/resource?", "/resource/usage?")):
        refused = member.get(path)
        assert refused.status == 404
        assert "no resource" in words(refused).lower()


@pytest.mark.parametrize("kind", LISTS)
def test_every_list_shows_what_there_is_the_largest_savings_first(visit: Visit, kind: str) -> None:
    rows = rows_of(visit, kind)
    savings = [float(row["Savings a month"]) for row in rows]

    assert rows
    assert savings == sorted(savings, reverse=True)
    page = words(visit.get(f"/console/recommendations/{kind}"))
    assert f"{len(rows):,} recommendation" in page


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_every_filter_of_the_api_is_a_filter_of_its_list(visit: Visit, kind: object) -> None:
    assert hasattr(kind, "filters")
    page = text(visit.get(f"/console/recommendations/{kind.slug}"))  # type: ignore[attr-defined]

    for name in kind.filters:
        assert f'name="filter.{name}"' in page


def test_filters_narrow_a_list(visit: Visit) -> None:
    every = rows_of(visit, "ec2-instances")
    finding = "filter.Finding=Underprovisioned"
    under = rows_of(visit, f"ec2-instances?{finding}")
    here = rows_of(visit, "ec2-instances?region=eu-west-1")
    tagged = rows_of(visit, "ec2-instances?tag=environment%3Dprod&columns=tags")

    assert {row["Finding"] for row in under} == {"Underprovisioned"}
    assert 0 < len(under) < len(every)
    assert {row["Region"] for row in here} == {"eu-west-1"}
    assert all("environment=prod" in row["Tags"] for row in tagged)


def test_a_text_is_searched_in_names_ids_and_tags_whatever_its_case(visit: Visit) -> None:
    first = rows_of(visit, "ec2-instances")[0]

    by_name = rows_of(visit, f"ec2-instances?q={first['Resource'].upper()}")
    by_id = rows_of(visit, f"ec2-instances?q={first['Resource ARN'][-10:]}")
    assert first in by_name
    assert by_id == [first]
    assert rows_of(visit, "ec2-instances?q=m5.large") == []


def test_pages_follow_each_other_until_all_is_shown(visit: Visit) -> None:
    seen: list[str] = []
    address = "/console/recommendations/ec2-instances?size=10"
    while address:
        page = text(visit.get(address))
        seen += re.findall(r'title="(arn:[^"]+)"', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = following[1].replace("&amp;", "&") if following else ""

    assert seen == [row["Resource ARN"] for row in rows_of(visit, "ec2-instances")]


def test_chosen_columns_are_those_of_the_page_and_of_the_file(visit: Visit) -> None:
    (first, *_) = rows_of(visit, "ebs-volumes?columns=name&columns=tags")

    assert list(first) == ["Resource ARN", "Resource", "Tags"]
    page = text(visit.get("/console/recommendations/ebs-volumes?columns=name&columns=tags"))
    assert re.findall(r'<th scope="col"[^>]*>(?:<a[^>]*>)?(\w+)', page) == ["Resource", "Tags"]


@pytest.mark.parametrize(
    "query",
    ["size=9999", "sort=;drop", "after=x~y", "after=1~2~3~4", "filter.Finding=nope", "columns=x"],
)
def test_what_means_nothing_in_an_address_is_left_out(visit: Visit, query: str) -> None:
    assert visit.get(f"/console/recommendations/ec2-instances?{query}").status == 200


@pytest.mark.parametrize("kind", LISTS)
def test_every_resource_page_has_its_figures_and_its_charts(visit: Visit, kind: str) -> None:
    panels = 0
    for address in addresses_in(visit, kind)[: 8 if kind == "idle" else 2]:
        page = visit.get(address)
        usage = visit.get(address.replace("/resource?", "/resource/usage?"))
        told = json.loads(usage.body)

        assert page.status == 200
        assert "Why" in words(page)
        # 14 days of 288 five-minute slots; longer windows have maxima of several.
        assert len(told["times"]) <= 14 * 288
        assert all(len(panel["values"]) == len(told["times"]) for panel in told["panels"])
        panels += len(told["panels"])
    # Some of what idles has no samples at all, such as unattached volumes.
    assert panels > 0


def test_the_use_on_an_option_is_what_the_option_was_chosen_by(visit: Visit) -> None:
    address = addresses_in(visit, "ec2-instances")[0]
    usage = json.loads(visit.get(address.replace("/resource?", "/resource/usage?")).body)
    cpu = next(panel for panel in usage["panels"] if panel["title"] == "CPU")
    name, ratio = next(iter(cpu["ratios"].items()))
    highest = max(value for value in cpu["values"] if value is not None) * ratio

    # The API's projected utilization of the same option is its highest value, too.
    assert re.search(rf"{re.escape(name)}.*?CPU {highest:.1f} %", words(visit.get(address)))


def test_what_fails_of_a_function_stands_beside_its_use(visit: Visit) -> None:
    address = addresses_in(visit, "lambda-functions")[0]
    told = json.loads(visit.get(address.replace("/resource?", "/resource/usage?")).body)
    panels = {panel["title"]: panel for panel in told["panels"]}

    # One in a thousand calls of the demo fails, and none is turned away.
    assert max(value for value in panels["Errors"]["values"] if value is not None) > 0
    assert set(panels["Throttled calls"]["values"]) <= {0.0, None}
    assert "to judge a change" in panels["Errors"]["says"]
    assert "to judge a change" not in panels["Invocations"]["says"]


def test_a_database_costs_what_its_class_and_its_storage_cost(visit: Visit) -> None:
    pages = (words(visit.get(one)) for one in addresses_in(visit, "rds-databases"))
    price = r"\$([\d,]+\.\d\d)"
    row = re.compile(rf"as it is {price} class {price} storage {price}")
    told = [
        [float(one.replace(",", "")) for one in found.groups()]
        for page in pages
        if (found := row.search(page))
    ]

    assert told
    for whole, of_class, of_storage in told:
        # Each is rounded to cents.
        assert whole == pytest.approx(of_class + of_storage, abs=0.011)
        assert min(of_class, of_storage) > 0


def test_a_function_tells_how_long_it_would_run_at_the_size_that_is_advised(visit: Visit) -> None:
    page = words(visit.get(addresses_in(visit, "lambda-functions")[0]))

    assert "Projected duration" in page
    # As it is, and what is expected at another size, with its bounds.
    assert re.search(r"[\d,.]+ ms on average (?!,)", page)
    assert re.search(r"[\d,.]+ ms on average, [\d,.]+ to [\d,.]+", page)


def test_what_is_idle_is_told_how_to_be_stopped(visit: Visit) -> None:
    pages = [words(visit.get(one)) for one in addresses_in(visit, "idle")[:8]]

    told = [one for one in pages if "Make the change" in one]
    assert told
    for page in told:
        assert re.search(r"AWS CLI aws (ec2|rds|ecs|autoscaling) ", page)
    # Deleting a cluster loses what is in it.
    assert any("MemoryDB" in one and "Make the change" not in one for one in pages)


@pytest.mark.parametrize("page", ["quality", "quality/history", "decisions"])
def test_the_menu_says_where_one_is(visit: Visit, page: str) -> None:
    part = page.partition("/")[0]

    assert f'<a href="/console/{part}" aria-current="page">' in text(visit.get(f"/console/{page}"))


def test_gaps_are_null(visit: Visit, demo: House) -> None:
    panels = [
        panel
        for address in addresses_in(visit, "ec2-instances")[:3]
        for panel in json.loads(visit.get(address.replace("/resource?", "/resource/usage?")).body)[
            "panels"
        ]
    ]

    assert any(None in panel["values"] for panel in panels)


def test_a_change_names_the_resource_and_the_option(visit: Visit) -> None:
    address = addresses_in(visit, "ebs-volumes")[0]
    page = words(visit.get(address))

    volume = address.rpartition("%2F")[2]
    assert f"aws ec2 modify-volume --region us-east-1 \\ --volume-id {volume}" in page
    assert 'resource "aws_ebs_volume"' in page


def test_an_account_that_is_not_enrolled_is_told_what_to_do(house: House) -> None:
    visit = house.visit()
    visit.sign_in(ACCOUNT)
    response = visit.get("/console/")

    assert response.status == 403
    assert "Aws account is not registered for recommendation." in words(response)
    assert 'href="/console/enrollment"' in text(response)


def test_empty_pages_say_what_to_do_next(house: House) -> None:
    house.enroll()
    visit = house.visit()
    visit.sign_in(ACCOUNT)

    assert "compute-optimizer import" in words(visit.get("/console/"))
    assert "compute-optimizer analyze" in words(visit.get("/console/recommendations/licenses"))


def test_an_operation_that_the_policy_does_not_allow_has_no_page(secured: House) -> None:
    secured.enroll()
    key, visit = secured.new_key("compute-optimizer:GetEnrollmentStatus"), secured.visit()
    visit.post(
        "/console/sign-in",
        access_key_id=key.access_key_id,
        secret_access_key=key.secret_access_key,
    )

    for path, action in (
        ("/console/", "GetRecommendationSummaries"),
        ("/console/recommendations/idle", "GetIdleRecommendations"),
        ("/console/recommendations/idle/export", "GetIdleRecommendations"),
    ):
        response = visit.get(path)
        assert response.status == 403
        assert f"compute-optimizer:{action}" in words(response)


@pytest.mark.parametrize(
    "path",
    [
        "/console/recommendations/nothing",
        "/console/resource",
        f"/console/resource?arn={quote('<script>alert(1)</script>')}",
        "/console/nowhere",
        "/consolation",
        "/console/static/000000000000/console.css",
        "/console/static/000000000000/..%2f..%2fapp.py",
    ],
)
def test_what_is_not_there_is_told_so_and_nothing_is_repeated_as_code(
    visit: Visit, path: str
) -> None:
    response = visit.get(path)

    assert response.status == 404
    assert "<script>alert" not in text(response)


def test_what_is_looked_at_stands_in_the_audit_log(visit: Visit, demo: House) -> None:
    before = demo.audit.count("\n")
    visit.get("/console/recommendations/ebs-volumes")
    line = json.loads(demo.audit.splitlines()[before])

    assert line["operation"] == "GetEBSVolumeRecommendations"
    assert line["outcome"] == "Success"
    assert (line["account"], line["source"]) == (ACCOUNT, visit.source)


def test_headings_sort_by_their_columns_page_by_page(visit: Visit) -> None:
    every = rows_of(visit, "ec2-instances?sort=-risk")
    risks = [float(row["Risk"]) for row in every if row["Risk"]]
    page = text(visit.get("/console/recommendations/ec2-instances?sort=-risk&size=10&page=2"))

    assert risks == sorted(risks, reverse=True)
    assert all(row["Risk"] == "" for row in every[len(risks) :])
    assert len(every) == len(rows_of(visit, "ec2-instances"))
    shown = re.findall(r'title="(arn:[^"]+)"', page)
    assert shown == [row["Resource ARN"] for row in every[10:20]]
    assert (
        'aria-sort="descending"><a href="/console/recommendations/ec2-instances?sort=risk' in page
    )


def test_more_rows_than_can_be_sorted_are_told_so_on_the_page_and_in_the_name_of_the_file(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert file_name(visit, "ec2-instances/export?sort=current") == "ec2-instances.csv"
    monkeypatch.setattr(recommendations, "MOST_SORTED", 10)
    response = visit.get("/console/recommendations/ec2-instances?sort=current")

    assert "There are more than 10 rows, too many to sort by Current" in words(response)
    assert "sorted by savings, and so is the file of Export CSV" in words(response)
    assert rows_of(visit, "ec2-instances?sort=current") == rows_of(visit, "ec2-instances")
    assert file_name(visit, "ec2-instances/export?sort=current") == "ec2-instances-by-savings.csv"
    # An order that an index has holds for any number of rows.
    assert file_name(visit, "ec2-instances/export?sort=arn") == "ec2-instances.csv"


def file_name(visit: Visit, address: str) -> str:
    headers = visit.get(f"/console/recommendations/{address}").headers
    return headers["content-disposition"].removeprefix('attachment; filename="').removesuffix('"')


def test_a_store_that_cannot_be_reached_is_told_so(house: House) -> None:
    house.enroll()
    visit = house.visit()
    visit.sign_in(ACCOUNT)

    house.state.close()
    database = house.settings.data_dir / "state.db"
    database.unlink()
    database.mkdir()
    response = visit.get("/console/")
    assert response.status == 503
    assert "The state store cannot be used" in words(response)
