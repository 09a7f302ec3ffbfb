"""What a run said on SQLite and on a real PostgreSQL: pages, and why there is nothing."""

import pytest

from compute_optimizer.model.ebs_volume import EbsVolumeRecommendation
from compute_optimizer.model.facets import Facets
from compute_optimizer.model.recommendation import (
    Finding,
)
from compute_optimizer.store import State, analysis_runs
from compute_optimizer.store import recommendations as store
from compute_optimizer.store.analysis_runs import Scope
from compute_optimizer.store.recommendations import Selection
from tests.records import ACCOUNT, BY_HAND, NOW, REGION, arn, option, recommendation
from tests.volumes import volume_recommendation
from tests.written_runs import (
    ELSEWHERE,
    INSUFFICIENT,
    SCOPE,
    numbers_of,
    page,
    store_run,
    write_run,
)


def test_a_stored_recommendation_comes_back_equal(state: State) -> None:
    run_id = write_run(state, 1)
    assert page(state, run_id) == [BY_HAND]


def test_pages_follow_each_other_by_arn(state: State) -> None:
    run_id = write_run(state, 5, 3, 1, 4, 2)
    assert numbers_of(page(state, run_id, limit=2)) == [1, 2]
    assert numbers_of(page(state, run_id, limit=2, after=arn(2))) == [3, 4]
    assert numbers_of(page(state, run_id, limit=2, after=arn(4))) == [5]


def test_a_selection_restricts_by_arn_finding_and_facets_at_once(state: State) -> None:
    found = [
        recommendation(1),
        recommendation(2, finding=Finding.OPTIMIZED),
        recommendation(3, tags={"team": "data"}),
        recommendation(4),
    ]
    run_id = store_run(state, SCOPE, found)
    of_web = Selection(
        arns=(arn(1), arn(2), arn(3)),
        findings=frozenset({"Overprovisioned"}),
        matches=lambda facets: facets.tags == {"team": "web"},
    )
    assert numbers_of(page(state, run_id, selection=of_web)) == [1]


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ({"Overprovisioned"}, [[1, 3], [5, 7]]),
        # Of the first page two are of one finding and one of the other; they stay in order.
        ({"Overprovisioned", "Optimized"}, [[1, 2], [3, 4], [5, 6], [7, 8]]),
        ({"Underprovisioned"}, [[]]),
        (set(), [[]]),
    ],
)
def test_pages_of_findings_follow_each_other_by_arn(
    state: State, findings: set[str], expected: list[list[int]]
) -> None:
    with state.writing() as connection:
        run_id = analysis_runs.begin_run(connection, NOW, NOW)
        kinds = (Finding.OPTIMIZED, Finding.OVER_PROVISIONED)
        found = [recommendation(number, finding=kinds[number % 2]) for number in range(1, 9)]
        analysis_runs.write_result(connection, run_id, SCOPE, found, [], now=NOW)
    wanted, after, pages = Selection(findings=frozenset(findings)), "", []
    for _ in expected:
        pages.append(numbers_of(page(state, run_id, limit=2, after=after, selection=wanted)))
        after = arn(pages[-1][-1]) if pages[-1] else after

    assert pages == expected


def test_the_scan_goes_on_beyond_the_rows_that_are_fetched_at_once(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SCAN_ROWS", 3)
    run_id = write_run(state, *range(10))
    last = Selection(matches=lambda facets: "web" in facets.tags.values())
    assert numbers_of(page(state, run_id, limit=8, after=arn(1), selection=last)) == list(
        range(2, 10)
    )


@pytest.mark.parametrize(
    "text", ["web", "50 %", "a_b", "a/b", "back\\slash", '"quoted"', "é\n", ""]
)
def test_the_database_skips_what_does_not_mention_the_text_and_nothing_else(
    state: State, text: str
) -> None:
    with state.writing() as connection:
        run_id = analysis_runs.begin_run(connection, NOW, NOW)
        found = [recommendation(1, tags={"team": text}), recommendation(2, tags={"team": "x"})]
        analysis_runs.write_result(connection, run_id, SCOPE, found, [], now=NOW)
    seen: list[Facets] = []

    def matches(facets: Facets) -> bool:
        seen.append(facets)
        return True

    mentions = frozenset({"team"}), frozenset({text, "unused"})
    wanted = Selection(matches=matches, mentions=mentions)
    assert numbers_of(page(state, run_id, selection=wanted)) == [1]
    assert [facets.tags for facets in seen] == [{"team": text}]


def test_what_is_too_long_or_too_much_to_look_for_is_left_to_the_match(state: State) -> None:
    run_id = write_run(state, 1, 2)
    long = frozenset({"x" * (store.MAX_MENTION_CHARACTERS + 1)})
    many = frozenset(map(str, range(store.MAX_MENTIONS + 1)))
    everything = Selection(matches=lambda facets: True, mentions=(long, many))
    assert numbers_of(page(state, run_id, selection=everything)) == [1, 2]


def test_facets_hold_what_filters_look_at() -> None:
    assert store.facets_of(recommendation(1, inferred_workload_types=("Nginx",))) == Facets(
        finding="Overprovisioned",
        reason_codes=("CPUOverprovisioned", "NetworkBandwidthOverprovisioned"),
        source_type="Ec2Instance",
        workload_types=("Nginx",),
        tags={"team": "web"},
    )


def test_a_member_of_an_auto_scaling_group_has_the_group_as_its_source_type() -> None:
    group = "arn:aws:autoscaling:us-east-1:222222222222:autoScalingGroup:x:autoScalingGroupName/a"
    assert store.facets_of(recommendation(auto_scaling_group_arn=group)).source_type == (
        "AutoScalingGroup"
    )


def test_totals_count_the_first_option_of_overprovisioned_resources_only() -> None:
    assert store.counted_savings(BY_HAND) == 79.424
    assert store.counted_savings(recommendation(finding=Finding.OPTIMIZED)) == 0.0
    assert store.counted_savings(recommendation(options=(option("m5.large", None),))) == 0.0


def test_errors_are_read_whole_or_by_arn(state: State) -> None:
    run_id = write_run(state, 1)
    with state.reading() as connection:
        assert store.read_errors(connection, run_id, SCOPE) == [INSUFFICIENT]
        assert store.read_errors(connection, run_id, SCOPE, [arn(900)]) == [INSUFFICIENT]
        assert store.read_errors(connection, run_id, SCOPE, [arn(1)]) == []


def test_recommended_arns_are_those_with_a_recommendation(state: State) -> None:
    run_id = write_run(state, 1, 2)
    with state.reading() as connection:
        asked = [arn(1), arn(7), arn(900)]
        assert store.recommended_arns(connection, run_id, SCOPE, asked) == {arn(1)}


def test_recommendations_of_each_type_come_back_as_their_own_record(state: State) -> None:
    scope, one = Scope(ACCOUNT, REGION, "EbsVolume"), volume_recommendation(1, account_id=ACCOUNT)
    with state.writing() as connection:
        run_id = analysis_runs.begin_run(connection, NOW, NOW)
        analysis_runs.write_result(connection, run_id, scope, [one], [], now=NOW)
        analysis_runs.write_result(connection, run_id, SCOPE, [recommendation(1)], [], now=NOW)
        analysis_runs.complete_run(connection, run_id, [scope, SCOPE], NOW)

    with state.reading() as connection:
        found = store.read_page(connection, run_id, scope, EbsVolumeRecommendation, limit=9)
    assert found == [one]
    assert page(state, run_id) == [recommendation(1)]


def test_resources_without_a_recommendation_are_counted_by_code(state: State) -> None:
    run_id = write_run(state, 1)
    elsewhere = write_run(state, 1, scope=ELSEWHERE)

    with state.reading() as connection:
        # Each run has the one error of write_run, and a scope only its own.
        assert store.error_counts(connection, run_id, SCOPE) == {"INSUFFICIENT_METRIC_DATA": 1}
        assert store.error_counts(connection, elsewhere, SCOPE) == {}
