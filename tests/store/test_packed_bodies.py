"""Bodies are packed in the database only, and those of earlier releases are read as they are."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from compute_optimizer.store import State
from compute_optimizer.store.packed_bodies import MARK, packed, unpacked
from tests.records import BY_HAND
from tests.written_runs import page, write_run

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_what_is_packed_is_unpacked_to_the_same(value: Any) -> None:
    body = msgspec.json.encode(value)

    stored = packed(body)

    assert stored.startswith(MARK)
    assert unpacked(stored) == body


@given(JSON)
def test_what_is_packed_is_not_packed_again_and_what_is_not_is_read_as_it_is(value: Any) -> None:
    body = msgspec.json.encode(value)

    assert packed(packed(body)) == packed(body)
    assert unpacked(body) == body


def test_a_body_whose_names_repeat_takes_less_than_half() -> None:
    options = [{"instance_type": f"m5.{n}xlarge", "monthly_price_usd": n} for n in range(6)]
    body = msgspec.json.encode({"options": options})

    assert len(packed(body)) < len(body) / 2


def test_what_an_analysis_writes_is_packed_in_the_database(state: State) -> None:
    run_id = write_run(state, 1)

    with state.reading() as connection:
        (row,) = connection.execute(text("SELECT body FROM recommendations")).all()

    assert bytes(row.body).startswith(MARK)
    assert page(state, run_id) == [BY_HAND]


def test_what_an_earlier_release_wrote_is_read(state: State) -> None:
    run_id = write_run(state, 1)
    body = msgspec.json.encode(BY_HAND)

    with state.writing() as connection:
        connection.execute(text("UPDATE recommendations SET body = :body"), {"body": body})

    assert page(state, run_id) == [BY_HAND]
