"""Page tokens hold on to the request that they continue."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compute_optimizer.operations.paging import open_token, seal_token
from compute_optimizer.shapes import InvalidParameterValueException
from compute_optimizer.store import State
from tests.enrolling import MANAGEMENT, STRANGER, Desk

OPERATION = "GetEnrollmentStatusesForOrganization"
BOUND: dict[str, Any] = {"filters": [{"name": "Status", "values": ["Active"]}]}


def refused(desk: Desk, token: str, **changed: Any) -> bool:
    context = desk.context(changed.get("account", MANAGEMENT), changed.get("region", "us-east-1"))
    operation, bound = changed.get("operation", OPERATION), changed.get("bound", BOUND)
    try:
        open_token(context, operation, bound, token)
    except InvalidParameterValueException:
        return True
    return False


@pytest.fixture
def token(desk: Desk) -> str:
    return seal_token(desk.context(MANAGEMENT), OPERATION, BOUND, "222222222222")


@given(position=st.text())
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_position_comes_back(desk: Desk, position: str) -> None:
    context = desk.context(MANAGEMENT)
    sealed = seal_token(context, OPERATION, BOUND, position)
    assert open_token(context, OPERATION, BOUND, sealed) == position


def test_a_token_does_not_show_plain_text_and_fits_a_url(token: str) -> None:
    assert "222222222222" not in token
    assert token.isascii()
    assert not set(token) & set("+/ ")


@pytest.mark.parametrize(
    "changed",
    [
        {"operation": "GetEC2InstanceRecommendations"},
        {"account": STRANGER},
        {"region": "eu-west-1"},
        {"bound": {"filters": []}},
        {"bound": {}},
    ],
)
def test_a_token_belongs_to_its_request(desk: Desk, token: str, changed: dict[str, Any]) -> None:
    assert not refused(desk, token)
    assert refused(desk, token, **changed)


def test_the_order_of_names_in_the_request_does_not_matter(desk: Desk) -> None:
    context = desk.context(MANAGEMENT)
    sealed = seal_token(context, OPERATION, {"a": 1, "b": 2}, "here")
    assert open_token(context, OPERATION, {"b": 2, "a": 1}, sealed) == "here"


def test_every_changed_byte_is_noticed(desk: Desk, token: str) -> None:
    raw = urlsafe_b64decode(token)
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1
        assert refused(desk, urlsafe_b64encode(changed).decode())


@pytest.mark.parametrize("junk", ["", "x", "????", "\ud800", "AAAA", "a" * 10_000, "ü", "A B="])
def test_junk_is_refused(desk: Desk, junk: str) -> None:
    assert refused(desk, junk)


def test_a_token_with_something_added_is_refused(desk: Desk, token: str) -> None:
    assert refused(desk, token + "\n")
    assert refused(desk, "!" + token)
    assert refused(desk, token[:-4])


@pytest.mark.parametrize("position", ["", "1", "22", "333"])
def test_a_token_is_written_in_one_way(desk: Desk, position: str) -> None:
    sealed = seal_token(desk.context(MANAGEMENT), OPERATION, BOUND, position)
    bare = sealed.rstrip("=")

    assert not refused(desk, sealed)
    assert [refused(desk, bare + "=" * more) for more in range(4) if bare + "=" * more != sealed]
    for added in ("=", "==", "-=", "!"):
        assert refused(desk, sealed + added)
    assert refused(desk, sealed[:4] + "!" + sealed[4:])


def test_a_token_in_the_other_alphabet_is_refused(desk: Desk) -> None:
    context = desk.context(MANAGEMENT)
    tokens = [seal_token(context, OPERATION, BOUND, f"{number}") for number in range(50)]
    others = [one.replace("-", "+").replace("_", "/") for one in tokens]

    assert others != tokens
    assert all(
        refused(desk, other) for one, other in zip(tokens, others, strict=True) if one != other
    )


def test_a_token_is_good_for_a_day(desk: Desk, token: str) -> None:
    desk.clock.tick(hours=23, minutes=59, seconds=59)
    assert not refused(desk, token)
    desk.clock.tick(seconds=1)
    assert refused(desk, token)


def test_a_token_works_after_a_restart(state_url: str) -> None:
    first = Desk(State(state_url))
    token = seal_token(first.context(MANAGEMENT), OPERATION, BOUND, "here")
    first.state.close()
    again = Desk(State(state_url))
    assert not refused(again, token)
    again.state.close()


def test_a_token_of_another_installation_is_refused(token: str, tmp_path: Path) -> None:
    elsewhere = Desk(State(f"sqlite:///{tmp_path / 'state.db'}"))
    elsewhere.state.migrate()
    assert refused(elsewhere, token)
    elsewhere.state.close()
