"""Runs on SQLite and on a real PostgreSQL: idle recommendations of all types, and the counts."""

from datetime import timedelta

import pytest
from msgspec import structs

from compute_optimizer.model.facets import Facets, named_tag
from compute_optimizer.model.recommendation import Finding, IdleRecommendation, Savings
from compute_optimizer.model.tally import Tally, Topic
from compute_optimizer.store import State, analysis_runs
from compute_optimizer.store import idle_recommendations as idle_store
from compute_optimizer.store.analysis_runs import Scope
from compute_optimizer.store.idle_recommendations import After, IdleScope, Order
from compute_optimizer.store.recommendations import MAX_LISTED, Selection
from compute_optimizer.store.summaries import current_tallies
from tests.idleness import idle_recommendation
from tests.records import ACCOUNT, NOW, REGION, recommendation
from tests.written_runs import store_run

SCOPE = Scope(ACCOUNT, REGION, "EbsVolume")
INSTANCES = Scope(ACCOUNT, REGION, "Ec2Instance")
FAR = Scope(ACCOUNT, "eu-west-1", "EbsVolume")

PRICES = {1: 0.1 + 0.2, 2: 0.3, 3: 0.3, 4: 5.0, 5: 1 / 3}
"""Doubles that differ in their last bits only, two that are equal, and others."""


def priced(number: int) -> IdleRecommendation:
    return idle_recommendation(number, savings=Savings(100.0, PRICES[number]))


def write(state: State, *found: IdleRecommendation, scope: Scope = SCOPE) -> str:
    return store_run(state, scope, [], idle=found)


def place_of(state: State) -> IdleScope:
    with state.reading() as connection:
        return IdleScope(ACCOUNT, REGION, idle_store.current_runs(connection, ACCOUNT, REGION))


def numbers(state: State, place: IdleScope | None = None, **wanted: object) -> list[int]:
    with state.reading() as connection:
        found = idle_store.read_idle_page(
            connection,
            place or place_of(state),
            **{"limit": 99, **wanted},  # type: ignore[arg-type]  # keywords of a test
        )
    return [int(one.resource_id.removeprefix("vol-"), 16) for one in found]


def test_an_idle_recommendation_comes_back_equal(state: State) -> None:
    write(state, priced(1))
    with state.reading() as connection:
        assert idle_store.read_idle_page(connection, place_of(state), limit=9) == [priced(1)]


def test_without_a_run_there_is_nothing(state: State) -> None:
    write(state, priced(1), scope=FAR)
    assert numbers(state) == []


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order.ARN, [1, 2, 3, 4, 5]),
        # 0.3 twice, then 0.1 + 0.2, which is a little more.
        (Order.SAVINGS, [2, 3, 1, 5, 4]),
        (Order.SAVINGS_DESCENDING, [4, 5, 1, 3, 2]),
    ],
)
def test_pages_go_on_exactly_where_the_last_one_ended(
    state: State, order: Order, expected: list[int]
) -> None:
    write(state, *map(priced, PRICES))
    found, after = [], None
    while page := numbers(state, order=order, after=after, limit=1):
        found += page
        last = priced(page[0])
        after = After(PRICES[page[0]], last.resource_arn)

    assert found == expected


def test_selections_restrict_by_name_finding_and_facets(state: State) -> None:
    loose = idle_recommendation(3, finding=Finding.UNATTACHED, tags={"team": "web"})
    write(state, priced(1), priced(2), loose)

    named = Selection(arns=(f"vol-{1:017x}", loose.resource_arn))
    assert numbers(state, selection=named) == [1, 3]
    assert numbers(state, selection=Selection(findings=frozenset({"Unattached"}))) == [3]
    of_web = Selection(
        matches=lambda facets: facets.tags == {"team": "web"}, mentions=(frozenset({"web"}),)
    )
    assert numbers(state, selection=of_web) == [3]
    with state.reading() as connection:
        known = idle_store.known_names(connection, place_of(state), [loose.resource_id, "vol-9"])
    assert loose.resource_id in known
    assert "vol-9" not in known


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("after", [None, After(0.3, "arn:aws:ec2:us-east-1:111111111111:volume/v")])
def test_of_the_idle_only_those_are_looked_at_who_have_the_facet(
    state: State, order: Order, after: After | None
) -> None:
    rare = [structs.replace(priced(number), tags={"rare": ""}) for number in (2, 4)]
    write(state, priced(1), rare[0], priced(3))
    write(state, rare[1], priced(5), scope=INSTANCES)
    seen: list[Facets] = []

    def matches(facets: Facets) -> bool:
        seen.append(facets)
        return "rare" in facets.tags

    tagged = Selection(matches=matches, named=(frozenset({named_tag("rare")}),))
    looked_through = Selection(matches=matches)
    found = numbers(state, order=order, after=after, selection=tagged)
    assert len(seen) == len(found)
    assert found == numbers(state, order=order, after=after, selection=looked_through)


def test_idle_ones_of_whom_too_many_are_told_are_found_row_by_row(state: State) -> None:
    many = [idle_recommendation(number, tags={"all": ""}) for number in range(MAX_LISTED + 1)]
    write(state, *many)
    tagged = Selection(
        matches=lambda facets: "all" in facets.tags, named=(frozenset({named_tag("all")}),)
    )
    assert numbers(state, limit=MAX_LISTED + 2, selection=tagged) == list(range(MAX_LISTED + 1))


def test_each_type_is_read_from_its_own_run(state: State) -> None:
    former = write(state, priced(1))
    write(state, idle_recommendation(2), scope=INSTANCES)
    newer = write(state, priced(3))

    assert place_of(state).runs == {
        "EbsVolume": newer,
        "Ec2Instance": place_of(state).runs["Ec2Instance"],
    }
    assert numbers(state) == [2, 3]
    assert numbers(state, IdleScope(ACCOUNT, REGION, {"EbsVolume": former})) == [1]


def test_pruning_and_opting_out_remove_them_with_their_counts(state: State) -> None:
    former, newer = write(state, priced(1)), write(state, priced(2))
    with state.writing() as connection:
        analysis_runs.prune_runs(connection, NOW + timedelta(days=1, seconds=1))
    assert numbers(state, IdleScope(ACCOUNT, REGION, {"EbsVolume": former})) == []
    assert numbers(state) == [2]

    with state.writing() as connection:
        analysis_runs.remove_recommendations_of(connection, ACCOUNT)
    with state.reading() as connection:
        assert current_tallies(connection, ACCOUNT, REGION) == {}
    assert numbers(state, IdleScope(ACCOUNT, REGION, {"EbsVolume": newer})) == []


def test_counts_add_up_over_the_shards_of_the_current_run(state: State) -> None:
    write(state, priced(1))
    with state.writing() as connection:
        run_id = analysis_runs.begin_run(connection, NOW, NOW)
        for number in (1, 2):
            found = [recommendation(number, current_hourly_usd=0.192)]
            analysis_runs.write_result(connection, run_id, INSTANCES, found, [], now=NOW)
        analysis_runs.complete_run(connection, run_id, [INSTANCES], NOW)

    with state.reading() as connection:
        counts = current_tallies(connection, ACCOUNT, REGION)

    assert set(counts) == {"EbsVolume", "Ec2Instance"}
    # The first option of each saves 79.424 USD.
    told = {(one.topic, one.name): one for one in counts["Ec2Instance"]}
    expected = Tally(Topic.FINDING, "Overprovisioned", 2, 2 * 79.424, 2 * 140.16)
    assert told[Topic.FINDING, "Overprovisioned"] == expected
    assert told[Topic.RISK, "VeryLow"].resources == 2
    assert told[Topic.REASON, "Overprovisioned CPUOverprovisioned"].resources == 2


def test_a_run_that_is_being_written_does_not_count(state: State) -> None:
    with state.writing() as connection:
        run_id = analysis_runs.begin_run(connection, NOW, NOW)
        analysis_runs.write_result(connection, run_id, SCOPE, [], [], idle=[priced(1)], now=NOW)
    with state.reading() as connection:
        assert current_tallies(connection, ACCOUNT, REGION) == {}
