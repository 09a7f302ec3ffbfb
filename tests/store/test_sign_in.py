"""Rules, used signatures and sessions in the state store, on both kinds of database."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from compute_optimizer.errors import Conflict
from compute_optimizer.model.sign_in import AwsIdentity, SignInRule, identity_of
from compute_optimizer.store import State
from compute_optimizer.store.access_keys import (
    KeyRequest,
    create_access_key,
    find_access_key,
    list_access_keys,
)
from compute_optimizer.store.expiry import is_any_expired, remove_expired
from compute_optimizer.store.sealing import Sealer, open_key_file
from compute_optimizer.store.sign_in import (
    KEPT_AFTER_EXPIRY,
    KEPT_AFTER_USE,
    RuleRequest,
    all_rules,
    open_session,
    remove_rule,
    save_rule,
    use,
    was_used,
)
from tests.revisions import back_to

NOW = datetime(2026, 11, 22, 21, 44, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
ACCOUNT = "111111111111"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Operator"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*"}]}
NOTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*"}]}
WANTED = RuleRequest(ROLE, ACCOUNT, EVERYTHING, 3600)


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    return open_key_file(tmp_path / "secrets.key", tmp_path)


def alice() -> AwsIdentity:
    found = identity_of(f"arn:aws:sts::{ACCOUNT}:assumed-role/Operator/alice", ACCOUNT)
    assert found is not None
    return found


def saved(state: State, wanted: RuleRequest = WANTED) -> SignInRule:
    with state.writing() as connection:
        rule_id = save_rule(connection, wanted, NOW)
        return next(rule for rule in all_rules(connection) if rule.rule_id == rule_id)


def opened(state: State, sealer: Sealer, rule: SignInRule) -> str:
    with state.writing() as connection:
        return open_session(connection, sealer, rule, alice(), NOW, NOW + HOUR).access_key_id


def test_rules_are_listed_by_account_and_principal(state: State) -> None:
    other = RuleRequest(ACCOUNT, "222222222222", NOTHING, 900)
    role, account = saved(state), saved(state, RuleRequest(ACCOUNT, ACCOUNT, NOTHING, 900))

    with state.reading() as connection:
        assert all_rules(connection) == (account, role)
    last = saved(state, other)
    with state.reading() as connection:
        assert all_rules(connection) == (account, role, last)
    assert role == SignInRule(role.rule_id, ROLE, ACCOUNT, json.dumps(EVERYTHING), 3600)


def test_a_session_is_a_key_with_a_token_an_expiry_and_its_rule(
    state: State, sealer: Sealer
) -> None:
    rule = saved(state)

    access_key_id = opened(state, sealer, rule)

    with state.reading() as connection:
        key = find_access_key(connection, access_key_id)
        assert list_access_keys(connection) == []
        assert list_access_keys(connection, sessions=True) == [key]
    assert key is not None
    assert key.access_key_id.startswith("ASIA")
    assert key.session_token_digest is not None
    assert (key.account_id, key.name, key.expires_at) == (ACCOUNT, "alice", NOW + HOUR)
    assert (key.sign_in_rule, key.policy) == (rule.rule_id, json.dumps(EVERYTHING))
    assert key.principal_arn == alice().arn


def test_a_replaced_rule_keeps_its_sessions_under_the_new_policy(
    state: State, sealer: Sealer
) -> None:
    before = saved(state)
    access_key_id = opened(state, sealer, before)

    after = saved(state, RuleRequest(ROLE, ACCOUNT, NOTHING, 900))

    assert (after.rule_id, after.longest_session_seconds) == (before.rule_id, 900)
    with state.reading() as connection:
        key = find_access_key(connection, access_key_id)
        assert key is not None
        assert key.policy == after.policy == json.dumps(NOTHING)
        assert all_rules(connection) == (after,)


def test_a_removed_rule_takes_its_sessions_with_it_and_no_others(
    state: State, sealer: Sealer
) -> None:
    rule, other = saved(state), saved(state, RuleRequest(ACCOUNT, ACCOUNT, EVERYTHING, 3600))
    ended = [opened(state, sealer, rule) for _ in range(2)]
    stays = opened(state, sealer, other)

    with state.writing() as connection:
        assert remove_rule(connection, ROLE, ACCOUNT) == len(ended)
        assert remove_rule(connection, ROLE, ACCOUNT) is None

    with state.reading() as connection:
        (left,) = list_access_keys(connection, sessions=True)
        assert left.access_key_id == stays
        assert all_rules(connection) == (other,)


def test_a_rule_that_was_removed_meanwhile_opens_no_session(state: State, sealer: Sealer) -> None:
    rule = saved(state)
    with state.writing() as connection:
        remove_rule(connection, ROLE, ACCOUNT)

    with pytest.raises(Conflict, match="was removed just now"):
        opened(state, sealer, rule)


def test_a_signature_is_used_once(state: State) -> None:
    with state.writing() as connection:
        assert not was_used(connection, "a" * 64)
        use(connection, "a" * 64, NOW)
    with state.reading() as connection:
        assert was_used(connection, "a" * 64)
        assert not was_used(connection, "b" * 64)

    with pytest.raises(Conflict, match="used before"), state.writing() as connection:
        use(connection, "a" * 64, NOW)


def test_what_is_over_is_forgotten_in_time(state: State, sealer: Sealer) -> None:
    opened(state, sealer, saved(state))
    with state.writing() as connection:
        use(connection, "a" * 64, NOW)
        wanted = KeyRequest(ACCOUNT, "ci", EVERYTHING, expires_at=NOW, with_session_token=True)
        stays = create_access_key(connection, sealer, wanted, NOW).access_key_id
    # (when, how much is over from then on)
    for moment, found in (
        (NOW + KEPT_AFTER_USE - timedelta(seconds=1), 0),
        (NOW + KEPT_AFTER_USE, 1),
        (NOW + HOUR + KEPT_AFTER_EXPIRY - timedelta(seconds=1), 0),
        (NOW + HOUR + KEPT_AFTER_EXPIRY, 1),
        (NOW + timedelta(days=365), 0),
    ):
        with state.writing() as connection:
            assert is_any_expired(connection, moment) is bool(found)
            assert remove_expired(connection, moment) == found
    with state.reading() as connection:
        (left,) = list_access_keys(connection)
        assert left.access_key_id == stays, "a key that somebody made stays, expired or not"


def test_keys_of_the_revision_before_are_no_sessions(state: State, sealer: Sealer) -> None:
    with state.writing() as connection:
        wanted = KeyRequest(ACCOUNT, "ci", EVERYTHING)
        access_key_id = create_access_key(connection, sealer, wanted, NOW).access_key_id
        back_to(connection, "0005")

    state.migrate()

    with state.reading() as connection:
        (key,) = list_access_keys(connection)
        assert list_access_keys(connection, sessions=True) == []
    assert (key.access_key_id, key.sign_in_rule, key.signed_in_as) == (access_key_id, None, None)
