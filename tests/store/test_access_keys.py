"""Access keys in the state store, on both kinds of database."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from compute_optimizer.errors import InvalidInput, NotFound
from compute_optimizer.store import State, access_keys
from compute_optimizer.store.access_keys import AccessKey, KeyRequest, NewSecret
from compute_optimizer.store.sealing import Sealer, open_key_file

NOW = datetime(2026, 11, 22, 21, 44, 20, tzinfo=UTC)
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*"}]}
WANTED = KeyRequest("111111111111", "ci", POLICY, expires_at=NOW + timedelta(days=90))


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    return open_key_file(tmp_path / "secrets.key", tmp_path)


def created(state: State, sealer: Sealer, wanted: KeyRequest = WANTED) -> NewSecret:
    with state.writing() as connection:
        return access_keys.create_access_key(connection, sealer, wanted, NOW)


def stored(state: State, access_key_id: str) -> AccessKey:
    with state.reading() as connection:
        return access_keys.existing_access_key(connection, access_key_id)


def test_a_new_key_is_stored_with_its_secret_sealed(state: State, sealer: Sealer) -> None:
    new = created(state, sealer)
    key = stored(state, new.access_key_id)

    assert key == AccessKey(
        access_key_id=new.access_key_id,
        account_id="111111111111",
        name="ci",
        sealed_secret=key.sealed_secret,
        session_token_digest=None,
        policy=json.dumps(POLICY),
        active=True,
        created_at=NOW,
        expires_at=NOW + timedelta(days=90),
        last_used_at=None,
    )
    assert new.secret_access_key.encode() not in key.sealed_secret
    assert sealer.unseal(key.sealed_secret, key.access_key_id) == new.secret_access_key
    assert key.principal_arn == "arn:aws:iam::111111111111:user/ci"


def test_ids_and_secrets_look_like_those_that_clients_know(state: State, sealer: Sealer) -> None:
    new = created(state, sealer)

    assert new.access_key_id.startswith("AKIA")
    assert (len(new.access_key_id), len(new.secret_access_key)) == (20, 40)
    assert new.session_token is None


def test_a_session_token_is_stored_as_its_digest(state: State, sealer: Sealer) -> None:
    new = created(state, sealer, replace(WANTED, with_session_token=True))

    assert new.access_key_id.startswith("ASIA")
    assert new.session_token is not None
    digest = access_keys.digest_session_token(new.session_token)
    assert stored(state, new.access_key_id).session_token_digest == digest
    assert len(digest) == 32


def test_no_two_keys_are_alike(state: State, sealer: Sealer) -> None:
    one, other = created(state, sealer), created(state, sealer)

    assert one.access_key_id != other.access_key_id
    assert one.secret_access_key != other.secret_access_key


@pytest.mark.parametrize("with_session_token", [False, True])
def test_rotating_changes_the_secret_and_nothing_else(
    state: State, sealer: Sealer, with_session_token: bool
) -> None:
    old = created(state, sealer, replace(WANTED, with_session_token=with_session_token))
    before = stored(state, old.access_key_id)

    with state.writing() as connection:
        new = access_keys.rotate_access_key(connection, sealer, old.access_key_id)

    after = stored(state, old.access_key_id)
    assert new.secret_access_key != old.secret_access_key
    assert (new.session_token is not None) is with_session_token
    assert sealer.unseal(after.sealed_secret, old.access_key_id) == new.secret_access_key
    assert after == replace(
        before,
        sealed_secret=after.sealed_secret,
        session_token_digest=after.session_token_digest,
    )


def test_a_key_is_deactivated_and_activated(state: State, sealer: Sealer) -> None:
    key_id = created(state, sealer).access_key_id

    for active in (False, True):
        with state.writing() as connection:
            access_keys.set_access_key_active(connection, key_id, active)
        assert stored(state, key_id).active is active


def test_a_deleted_key_is_gone(state: State, sealer: Sealer) -> None:
    key_id = created(state, sealer).access_key_id
    with state.writing() as connection:
        access_keys.delete_access_key(connection, key_id)

    with state.reading() as connection:
        assert access_keys.find_access_key(connection, key_id) is None


def test_keys_are_listed_by_account_and_age(state: State, sealer: Sealer) -> None:
    names = {"222222222222": ["c"], "111111111111": ["b", "a"]}
    with state.writing() as connection:
        for account, owners in names.items():
            for minutes, name in enumerate(owners):
                wanted = replace(WANTED, account_id=account, name=name)
                moment = NOW + timedelta(minutes=minutes)
                access_keys.create_access_key(connection, sealer, wanted, moment)

    with state.reading() as connection:
        everybody = access_keys.list_access_keys(connection)
        one = access_keys.list_access_keys(connection, "222222222222")

    assert [key.name for key in everybody] == ["b", "a", "c"]
    assert [key.name for key in one] == ["c"]


def test_the_last_use_is_the_latest_that_any_process_saw(state: State, sealer: Sealer) -> None:
    key_id = created(state, sealer).access_key_id

    for minutes in (5, 3):
        with state.writing() as connection:
            seen = {key_id: NOW + timedelta(minutes=minutes), "AKIAGONE": NOW}
            access_keys.record_last_use(connection, seen)

    assert stored(state, key_id).last_used_at == NOW + timedelta(minutes=5)


def test_the_key_file_is_checked_against_a_stored_secret(
    state: State, sealer: Sealer, tmp_path: Path
) -> None:
    other = open_key_file(tmp_path / "other.key", tmp_path)
    with state.reading() as connection:
        access_keys.check_key_file(connection, other)  # nothing is stored yet
    created(state, sealer)

    with state.reading() as connection:
        access_keys.check_key_file(connection, sealer)
        with pytest.raises(InvalidInput, match=r"other\.key does not open"):
            access_keys.check_key_file(connection, other)


def test_an_unknown_key_is_named(state: State, sealer: Sealer) -> None:
    with state.writing() as connection:
        for attempt in (
            lambda: access_keys.existing_access_key(connection, "AKIAGONE"),
            lambda: access_keys.rotate_access_key(connection, sealer, "AKIAGONE"),
            lambda: access_keys.set_access_key_active(connection, "AKIAGONE", active=False),
            lambda: access_keys.delete_access_key(connection, "AKIAGONE"),
        ):
            with pytest.raises(NotFound, match="no access key AKIAGONE"):
                attempt()
