"""Runs on SQLite and on a real PostgreSQL: what few have is found where parts say who has it."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from compute_optimizer.model.facets import Facets, named_finding, named_tag
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation, Finding
from compute_optimizer.operations.filters import EC2_FILTERS, selection
from compute_optimizer.store import State, analysis_runs
from compute_optimizer.store import facet_holders as module
from compute_optimizer.store import recommendations as store
from compute_optimizer.store.analysis_runs import Scope
from compute_optimizer.store.facet_holders import (
    LISTED_PER_LOOK,
    LOOKS_PER_EXPECTED,
    SHORTFALL,
    Candidates,
    Lists,
    facet_number,
    fewest_candidates,
    shared_beginning,
    stream_candidates,
)
from compute_optimizer.store.recommendations import Selection
from compute_optimizer.store.search_tables import facet_holders
from tests.records import ACCOUNT, NOW, REGION, arn, recommendation
from tests.revisions import back_to

HERE = Scope(ACCOUNT, REGION, "Ec2Instance")
PART = 40
PARTS = 3
COUNT = PART * PARTS
RARE = (7, 41, 45, 80, 119)
"""Some in each part, at the ends of two of them."""

COMMON = {"team": "web"}

LATE = (0, *range(COUNT - COUNT // 2, COUNT))
"""The first one, and the last half: 61 of 120."""


def tags_of(number: int) -> dict[str, str]:
    """Return tags: one that all have alike, one that none has alike, and of some a rare one."""
    rare = {"rare": "yes" if number % 2 else "no"} if number in RARE else {}
    return {**COMMON, "Name": f"web-{number}", **rare}


@pytest.fixture
def run_id(state: State) -> str:
    """Write a run in parts of which each has every third number, as shards lie across ARNs."""
    with state.writing() as connection:
        run_id = analysis_runs.begin_run(connection, NOW, NOW)
        for part in range(PARTS):
            found = [
                recommendation(
                    number,
                    tags=tags_of(number),
                    finding=Finding.OPTIMIZED if number == 80 else Finding.OVER_PROVISIONED,
                )
                for number in range(part, COUNT, PARTS)
            ]
            analysis_runs.write_result(connection, run_id, HERE, found, [], now=NOW)
        analysis_runs.complete_run(connection, run_id, [HERE], NOW)
    return run_id


def wanted(*filters: tuple[str, Sequence[str]]) -> Selection:
    """Return what the store reads for filters of a request."""
    spelled = [{"name": name, "values": list(values)} for name, values in filters]
    return selection(spelled, EC2_FILTERS)  # type: ignore[arg-type] # plain dicts


def page(
    state: State, run_id: str, chosen: Selection, *, limit: int = 100, after: str = ""
) -> list[int]:
    with state.reading() as connection:
        record = Ec2InstanceRecommendation
        found = store.read_page(
            connection, run_id, HERE, record, limit=limit, after=after, selection=chosen
        )
    return [int(one.resource_arn.rpartition("i-")[2], 16) for one in found]


def holders(
    state: State, run_id: str, *sets: set[str], after: str = "", tries: int = 0
) -> list[str] | None:
    here = analysis_runs.rows_of_run(facet_holders, run_id, HERE)
    with state.reading() as connection:
        lists = Lists(connection, facet_holders, here)
        found = fewest_candidates(lists, sets)
        if found is None:
            return None
        return [*stream_candidates(lists, found, after, tries)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([("tag:rare", ["yes"])], [7, 41, 45, 119]),
        ([("tag:rare", ["yes", "no"])], list(RARE)),
        ([("tag-key", ["rare", "none has it"])], list(RARE)),
        ([("tag:Name", ["web-99"])], [99]),
        ([("tag:rare", ["yes"]), ("tag:team", ["web"])], [7, 41, 45, 119]),
        ([("tag:rare", ["yes"]), ("tag:Name", ["web-99"])], []),
        ([("tag-key", ["rare"]), ("Finding", ["Optimized"])], [80]),
        ([("tag:rare", ["none has it"])], []),
        # Each has the one and the other; each is told once.
        ([("FindingReasonCodes", ["CPUOverprovisioned", "NetworkBandwidthOverprovisioned"])], None),
    ],
)
def test_filters_find_the_same_with_and_without_the_lists_of_who_has_a_facet(
    state: State, run_id: str, filters: list[tuple[str, list[str]]], expected: list[int] | None
) -> None:
    chosen = wanted(*filters)
    looked_through = Selection(None, chosen.findings, chosen.matches, chosen.mentions)
    expected = list(range(COUNT))[:100] if expected is None else expected
    assert page(state, run_id, chosen) == expected
    assert page(state, run_id, looked_through) == expected


def test_pages_of_what_few_have_follow_each_other_by_arn(state: State, run_id: str) -> None:
    chosen = wanted(("tag-key", ["rare"]))
    assert page(state, run_id, chosen, limit=2) == [7, 41]
    assert page(state, run_id, chosen, limit=2, after=arn(41)) == [45, 80]
    assert page(state, run_id, chosen, limit=2, after=arn(80)) == [119]
    assert page(state, run_id, chosen, limit=2, after=arn(119)) == []


def test_of_a_run_only_those_are_looked_at_who_have_the_facet(state: State, run_id: str) -> None:
    seen: list[Facets] = []

    def matches(facets: Facets) -> bool:
        seen.append(facets)
        return True

    by_tag = Selection(matches=matches, named=(frozenset({named_tag("rare", "yes")}),))
    assert page(state, run_id, by_tag) == [7, 41, 45, 119]
    assert [one.tags["Name"] for one in seen] == ["web-7", "web-41", "web-45", "web-119"]


def test_the_rarest_of_several_conditions_is_listed(state: State, run_id: str) -> None:
    common, rare = {named_tag("team")}, {named_tag("rare", "no")}
    assert holders(state, run_id, common, rare) == [arn(80)]
    assert holders(state, run_id, rare, common) == [arn(80)]


def test_beyond_some_looks_those_are_listed_who_have_one_of_each_set(
    state: State, run_id: str
) -> None:
    yes, names = {named_tag("rare", "yes")}, {named_tag("Name", f"web-{one}") for one in (41, 45)}
    # 15 * 2 are more than the four with the tag; the two names are fewer.
    assert holders(state, run_id, yes, names) == [arn(41), arn(45)]
    apart = {named_tag("rare", "no")}, {named_tag("Name", "web-7"), named_tag("Name", "web-9")}
    assert holders(state, run_id, *apart) == []
    assert holders(state, run_id, *apart, tries=1) == [arn(80)]
    assert holders(state, run_id, yes, {named_tag("rare")}, tries=3) == [
        arn(number) for number in (7, 41, 45, 119)
    ]


def test_of_two_conditions_that_meet_nowhere_few_rows_are_looked_at(state: State) -> None:
    seen: list[Facets] = []

    def matches(facets: Facets) -> bool:
        seen.append(facets)
        return facets.tags.keys() >= {"even", "odd"}

    with state.writing() as connection:
        run_id = analysis_runs.begin_run(connection, NOW, NOW)
        found = [recommendation(one, tags={("even", "odd")[one % 2]: ""}) for one in range(COUNT)]
        analysis_runs.write_result(connection, run_id, HERE, found, [], now=NOW)
        analysis_runs.complete_run(connection, run_id, [HERE], NOW)
    both = frozenset({named_tag("even")}), frozenset({named_tag("odd")})
    # 60 * 60 are more than 15 * 1 * 120: twice 120 / 60 rows and the one at which they end, then
    # twice 120 / 60 of the list, and beyond them nobody has both.
    assert page(state, run_id, Selection(matches=matches, named=both), limit=1) == []
    assert len(seen) == 5 + 4


def test_of_what_is_common_only_parts_with_somebody_of_the_rarer_are_unpacked(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked: list[str] = []
    with state.writing() as connection:
        run_id = analysis_runs.begin_run(connection, NOW, NOW)
        for part in range(PARTS):
            # The first part has all who are rare, and nobody there is both.
            found = [
                recommendation(number, tags={"rare" if number < 10 else "common": ""})
                for number in range(part * PART, (part + 1) * PART)
            ]
            analysis_runs.write_result(connection, run_id, HERE, found, [], now=NOW)
        analysis_runs.complete_run(connection, run_id, [HERE], NOW)

    def decode(endings: str) -> list[str]:
        unpacked.append(endings)
        return json.loads(endings)  # type: ignore[no-any-return] # texts

    monkeypatch.setattr(module, "_decode", decode)
    # 110 who are common are not over 15 times as many as 10, so that both lists are read.
    assert holders(state, run_id, {named_tag("rare")}, {named_tag("common")}) == []
    assert [len(json.loads(one)) for one in unpacked] == [10, PART - 10]


def test_what_does_not_mention_all_that_is_wanted_is_not_fetched(state: State, run_id: str) -> None:
    seen: list[Facets] = []

    def matches(facets: Facets) -> bool:
        seen.append(facets)
        return True

    # 5 are rare and all are of the team: candidates of both, of whom 80 alone is optimized.
    chosen = wanted(("tag-key", ["rare"]), ("tag:team", ["web"]), ("Finding", ["Optimized"]))
    none = wanted(("tag-key", ["rare"]), ("tag:team", ["db"]))
    assert page(state, run_id, replace(chosen, matches=matches)) == [80]
    assert page(state, run_id, replace(none, matches=matches, named=none.named[:1])) == []
    assert len(seen) == 1


def test_of_a_finding_and_a_condition_the_rarer_one_is_listed(state: State, run_id: str) -> None:
    seen: list[Facets] = []

    def matches(facets: Facets) -> bool:
        seen.append(facets)
        return facets.tags.get("team") == "web"

    chosen = replace(wanted(("tag:team", ["web"]), ("Finding", ["Optimized"])), matches=matches)
    assert page(state, run_id, chosen) == [80]
    assert len(seen) == 1


def test_those_with_one_of_many_names_are_not_listed(state: State, run_id: str) -> None:
    assert holders(state, run_id, set(map(str, range(101)))) is None
    assert holders(state, run_id) is None


def test_who_is_listed_comes_in_order_from_anywhere_on(state: State, run_id: str) -> None:
    team = {named_tag("team")}
    for number in (0, 1, 57, COUNT - 1):
        beyond = [arn(other) for other in range(number + 1, COUNT)]
        assert holders(state, run_id, team, after=arn(number)) == beyond
    # Neither begins as the ARNs of a part do: one comes before all of them, one after.
    assert holders(state, run_id, team, after="arn:aws:a") == [arn(one) for one in range(COUNT)]
    assert holders(state, run_id, team, after="arn:aws:z") == []


def test_what_many_have_is_looked_for_row_by_row_as_long_as_it_is_sooner() -> None:
    # Of 1,500 rows one is found sooner one by one where over sqrt(15 * 1 * 1,500) = 150 have it,
    # and where 300 have it after 1,500 / 300 = 5 looks, if they are spread evenly.
    assert LISTED_PER_LOOK == 15
    assert Candidates(((1,),), (150,)).are_few(rows=1_500, limit=1)
    assert not Candidates(((1,),), (151,)).are_few(rows=1_500, limit=1)
    assert Candidates(((1,),), (300,)).looks(rows=1_500, limit=1) == LOOKS_PER_EXPECTED * 5


def test_fewer_found_than_half_of_what_was_expected_are_rarer_beyond_chance() -> None:
    # Of every second and every second, 64 looks should find 16, and 72 should find 18.
    both = Candidates(((1,), (2,)), (50, 50))
    assert SHORTFALL == 16
    assert both.are_rarer(rows=100, looked=64, found=0)
    assert not both.are_rarer(rows=100, looked=64, found=1)
    assert both.are_rarer(rows=100, looked=72, found=1)
    # A run that is being written does not know its rows.
    assert not both.are_rarer(rows=0, looked=0, found=0)


def test_how_many_there_are_at_least_is_known_of_one_set_only() -> None:
    # 30 are told of three names: at least ten, who have all three.
    assert Candidates(((1, 2, 3),), (30,)).at_least == 10
    assert Candidates(((1,),), (30,)).at_least == 30
    assert Candidates(((),), (0,)).at_least == 0
    assert Candidates(((1,), (2,)), (30, 40)).at_least == 0


def test_of_the_rarest_so_many_are_tried_as_meet_the_others_if_these_are_spread_evenly() -> None:
    # Of 100 rows every second and every fourth: one of eight meets both.
    three = Candidates(((1,), (2,), (3,)), (20, 25, 50))
    assert three.tries(rows=100, limit=3) == LOOKS_PER_EXPECTED * 3 * 8
    assert Candidates(((1,),), (20,)).tries(rows=100, limit=3) == LOOKS_PER_EXPECTED * 3
    # A run that is being written does not know its rows.
    assert three.tries(rows=0, limit=3) == LOOKS_PER_EXPECTED * 3


@pytest.fixture
def late_run_id(state: State) -> str:
    """Write a run of which the last half has a tag, and the first one."""
    with state.writing() as connection:
        run_id = analysis_runs.begin_run(connection, NOW, NOW)
        for part in range(PARTS):
            found = [
                recommendation(number, tags={"late": str(number)} if number in LATE else COMMON)
                for number in range(part, COUNT, PARTS)
            ]
            analysis_runs.write_result(connection, run_id, HERE, found, [], now=NOW)
        analysis_runs.complete_run(connection, run_id, [HERE], NOW)
    return run_id


def test_what_many_have_at_the_end_is_found_after_a_few_looks(
    state: State, late_run_id: str
) -> None:
    seen: list[Facets] = []

    def matches(facets: Facets) -> bool:
        seen.append(facets)
        return "late" in facets.tags

    by_tag = Selection(matches=matches, named=(frozenset({named_tag("late")}),))
    # 61 * 61 are more than 15 * 1 * 120. Of 120 rows with 61 of them one is expected after
    # 120 / 61 = 2 looks; after twice as many rows (240 // 61 = 3) and the one at which they end,
    # the lists tell the first one, and others are fetched with it.
    assert page(state, late_run_id, by_tag, limit=1, after=arn(0)) == [60]
    assert len(seen) == 4 + 1


@pytest.mark.parametrize("limit", [1, 2, 7, 60, 61, 100])
def test_pages_of_what_lies_at_both_ends_are_whole(
    state: State, late_run_id: str, limit: int
) -> None:
    by_key = wanted(("tag-key", ["late"]))
    found: list[int] = []
    after = ""
    while some := page(state, late_run_id, by_key, limit=limit, after=after):
        assert len(some) == min(limit, len(LATE) - len(found))
        found += some
        after = arn(some[-1])
    assert found == list(LATE)


def test_who_has_several_of_the_names_is_listed_once(state: State, run_id: str) -> None:
    both = {named_tag("rare"), named_tag("rare", "no"), named_tag("Name", "web-80")}
    assert holders(state, run_id, both) == [arn(number) for number in RARE]


def test_names_that_share_a_number_are_told_apart_by_looking(state: State) -> None:
    # The best known pair of words with one CRC-32.
    assert facet_number("plumless") == facet_number("buckeroo")
    with state.writing() as connection:
        run_id = analysis_runs.begin_run(connection, NOW, NOW)
        found = [
            recommendation(number, inferred_workload_types=(name,))
            for number, name in enumerate(("plumless", "buckeroo", "plumless"))
        ]
        analysis_runs.write_result(connection, run_id, HERE, found, [], now=NOW)
        analysis_runs.complete_run(connection, run_id, [HERE], NOW)
    by_name = Selection(
        matches=lambda facets: "buckeroo" in facets.workload_types,
        named=(frozenset({"buckeroo"}),),
    )
    assert page(state, run_id, by_name) == [1]


def test_a_run_that_is_not_complete_is_filtered_as_well(state: State) -> None:
    with state.writing() as connection:
        run_id = analysis_runs.begin_run(connection, NOW, NOW)
        found = [recommendation(number, tags=tags_of(number)) for number in range(10)]
        analysis_runs.write_result(connection, run_id, HERE, found, [], now=NOW)
    assert page(state, run_id, wanted(("tag-key", ["rare"]))) == [7]


@pytest.mark.parametrize("by", ["run", "account"])
def test_who_has_a_facet_goes_with_the_run_and_with_the_account(
    state: State, run_id: str, by: str
) -> None:
    counted = select(func.count()).select_from(facet_holders)
    with state.writing() as connection:
        assert connection.execute(counted).scalar_one() > 0
        if by == "account":
            analysis_runs.remove_recommendations_of(connection, ACCOUNT)
        else:
            other = analysis_runs.begin_run(connection, NOW, NOW)
            analysis_runs.complete_run(connection, other, [HERE], NOW)
            analysis_runs.prune_runs(connection, NOW + 2 * analysis_runs.RUN_KEPT)
        assert connection.execute(counted).scalar_one() == 0


@pytest.mark.parametrize("revision", ["0018", "0020"])
def test_a_state_of_an_earlier_revision_is_filtered_at_once(
    state: State, run_id: str, revision: str
) -> None:
    with state.writing() as connection:
        back_to(connection, revision)

    state.migrate()

    assert holders(state, run_id, {named_tag("rare")}) == [arn(number) for number in RARE]
    assert page(state, run_id, wanted(("tag:rare", ["no"]))) == [80]
    assert page(state, run_id, wanted(("tag:Name", ["web-99"]))) == [99]
    assert holders(state, run_id, {named_finding(Finding.OPTIMIZED)}) == [arn(80)]


@pytest.mark.parametrize(
    ("texts", "beginning"),
    [([], ""), (["abc"], "abc"), (["abc", "abx", "abcd"], "ab"), (["a", "b"], ""), (["", "a"], "")],
)
def test_a_shared_beginning_is_the_longest_one(texts: list[str], beginning: str) -> None:
    assert shared_beginning(texts) == beginning


TAGS = ("a", "b", "c")

FLEETS = st.lists(st.sets(st.sampled_from(TAGS)), min_size=1, max_size=60)
"""Which tags each resource has."""


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fleet=FLEETS,
    shards=st.integers(1, 3),
    asked=st.lists(st.sets(st.sampled_from(TAGS), min_size=1), min_size=1, max_size=3),
    findings=st.none() | st.sets(st.sampled_from(tuple(Finding)[:3])),
    limit=st.integers(1, 5),
)
def test_pages_have_all_that_match_each_once_in_order(
    state: State,
    fleet: list[set[str]],
    shards: int,
    asked: list[set[str]],
    findings: set[Finding] | None,
    limit: int,
) -> None:
    finding_of = [tuple(Finding)[number % 3] for number in range(len(fleet))]
    with state.writing() as connection:
        run_id = analysis_runs.begin_run(connection, NOW, NOW)
        for shard in range(shards):
            found = [
                recommendation(number, tags=dict.fromkeys(tags, ""), finding=finding_of[number])
                for number, tags in list(enumerate(fleet))[shard::shards]
            ]
            analysis_runs.write_result(connection, run_id, HERE, found, [], now=NOW)
        analysis_runs.complete_run(connection, run_id, [HERE], NOW)
    chosen = replace(
        wanted(*(("tag-key", sorted(one)) for one in asked)),
        findings=None if findings is None else frozenset(findings),
    )

    pages: list[int] = []
    while some := page(state, run_id, chosen, limit=limit, after=arn(pages[-1]) if pages else ""):
        pages += some

    assert pages == [
        number
        for number, tags in enumerate(fleet)
        if all(tags & one for one in asked) and (findings is None or finding_of[number] in findings)
    ]
