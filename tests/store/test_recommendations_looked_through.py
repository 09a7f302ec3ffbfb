"""On SQLite and a real PostgreSQL: rows are looked at as long as they bring what they should."""

from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy import update

from compute_optimizer.model.facets import Facets, named_tag
from compute_optimizer.store import State, facet_holders
from compute_optimizer.store import recommendations as store
from compute_optimizer.store import search_tables as tables
from compute_optimizer.store.recommendations import Selection
from tests.records import arn, recommendation
from tests.written_runs import SCOPE, numbers_of, page, store_run

COUNT = 120
EVEN, ODD = frozenset({named_tag("even")}), frozenset({named_tag("odd")})


@pytest.fixture(autouse=True)
def many_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a page of 28 of 120 rows be looked for row by row, 14 of them first, and judge by few."""
    monkeypatch.setattr(facet_holders, "LISTED_PER_LOOK", 1)
    monkeypatch.setattr(facet_holders, "SHORTFALL", 1)
    monkeypatch.setattr(store, "LISTED", 10)


def tagged(state: State, tags: Sequence[Mapping[str, str]]) -> str:
    """Write a run of one recommendation with each tags."""
    found = [recommendation(number, tags=dict(some)) for number, some in enumerate(tags)]
    return store_run(state, SCOPE, found)


def test_conditions_rarer_together_than_expected_are_left_to_the_lists_at_once(
    state: State,
) -> None:
    seen: list[int] = []

    def matches(facets: Facets) -> bool:
        seen.append(int(facets.tags["number"]))
        return facets.tags.keys() >= {"even", "odd"}

    # 60 have the one and 60 the other; the last one has both.
    tags = [{("even", "odd")[one % 2]: "", "number": str(one)} for one in range(COUNT)]
    tags[-2:] = {"number": "118"}, {"even": "", "odd": "", "number": "119"}
    run_id = tagged(state, tags)
    both = Selection(matches=matches, named=(EVEN, ODD))
    # 2 * 28 * 120 / 60 = 112 rows may be looked at. Of the first eighth of them and the one at
    # which they end every fourth should have been both; nobody of the others is tried in vain.
    assert numbers_of(page(state, run_id, selection=both, limit=28)) == [119]
    assert seen == [*range(15), 119]


@pytest.mark.parametrize("limit", [1, 13, 28])
def test_rows_that_bring_what_was_expected_are_looked_at_and_no_list(
    state: State, limit: int
) -> None:
    run_id = tagged(state, [{("even", "odd")[one % 2]: ""} for one in range(COUNT)])
    with state.writing() as connection:
        # Nobody would be told by these lists.
        connection.execute(update(tables.facet_holders).values(endings="[]"))
    odd = Selection(matches=lambda facets: "odd" in facets.tags, named=(ODD,))

    first = numbers_of(page(state, run_id, selection=odd, limit=limit))
    end = page(state, run_id, selection=odd, limit=limit, after=arn(110))

    assert first == [2 * one + 1 for one in range(limit)]
    assert numbers_of(end) == [111, 113, 115, 117, 119][:limit]
