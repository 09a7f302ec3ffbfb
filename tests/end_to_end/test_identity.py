"""Who may call: signatures, keys, policies and limits, from real boto3 clients."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest
from botocore import UNSIGNED
from sqlalchemy import text

from compute_optimizer.api.authentication import VerifiedCallers
from compute_optimizer.errors import InvalidInput, StoreUnavailable
from compute_optimizer.store import State, access_keys
from compute_optimizer.store.access_keys import NewSecret
from compute_optimizer.store.sealing import open_key_file
from tests.end_to_end.conftest import ACCOUNT, Served
from tests.refusals import code, message, refusal, status
from tests.states import elsewhere

GET = "compute-optimizer:GetEnrollmentStatus"


def test_a_key_signs_for_its_account(secured: Served, protocol: str) -> None:
    client = secured.signed_client(secured.new_key(), protocol)

    assert client.get_enrollment_status()["status"] == "Inactive"


def test_a_session_token_goes_with_its_key(secured: Served, protocol: str) -> None:
    key = secured.new_key(with_session_token=True)

    assert secured.signed_client(key, protocol).get_enrollment_status()["status"] == "Inactive"


@pytest.mark.parametrize("token", [None, "another"])
def test_a_missing_or_wrong_session_token_is_refused(secured: Served, token: str | None) -> None:
    client = secured.signed_client(secured.new_key(with_session_token=True), token=token)

    error = refusal(client.get_enrollment_status)

    assert (code(error), status(error)) == ("UnrecognizedClientException", 403)


def test_a_session_token_for_a_key_without_one_is_refused(secured: Served) -> None:
    client = secured.signed_client(secured.new_key(), token="uncalled-for")

    assert code(refusal(client.get_enrollment_status)) == "UnrecognizedClientException"


def test_a_wrong_secret_is_refused(secured: Served, protocol: str) -> None:
    client = secured.signed_client(secured.new_key(), protocol, secret="wrong")

    error = refusal(client.get_enrollment_status)

    assert (code(error), status(error)) == ("InvalidSignatureException", 403)
    assert "does not match the signature you provided" in message(error)


def test_an_unknown_key_is_refused(secured: Served, protocol: str) -> None:
    error = refusal(secured.client("AKIAUNKNOWN", protocol).get_enrollment_status)

    assert (code(error), status(error)) == ("UnrecognizedClientException", 403)
    assert message(error) == "The security token included in the request is invalid."


@pytest.mark.parametrize("mode", ["on", "off"])
def test_a_request_without_a_signature_is_refused(
    serve: Callable[..., Served], protocol: str, mode: str
) -> None:
    client = serve(auth=mode).client(protocol=protocol, signature_version=UNSIGNED)

    with pytest.raises(client.exceptions.MissingAuthenticationToken) as raised:
        client.get_enrollment_status()

    assert (code(raised.value), status(raised.value)) == ("MissingAuthenticationToken", 403)


@pytest.mark.parametrize(
    ("ahead", "text"),
    [
        pytest.param({"minutes": 6}, "Signature expired: ", id="old"),
        pytest.param({"minutes": -6}, "Signature not yet current: ", id="future"),
    ],
)
def test_a_clock_too_far_off_is_refused(
    secured: Served, protocol: str, ahead: dict[str, float], text: str
) -> None:
    client = secured.signed_client(secured.new_key(), protocol)
    secured.clock.advance(**ahead)

    error = refusal(client.get_enrollment_status)

    assert code(error) == "InvalidSignatureException"
    assert message(error).startswith(text)


def test_an_expired_key_with_a_session_token_says_so(secured: Served, protocol: str) -> None:
    expires_at = secured.clock.now() + timedelta(seconds=60)
    key = secured.new_key(with_session_token=True, expires_at=expires_at)
    client = secured.signed_client(key, protocol)
    client.get_enrollment_status()
    secured.clock.advance(minutes=2)

    error = refusal(client.get_enrollment_status)

    assert (code(error), status(error)) == ("ExpiredTokenException", 403)


def test_an_expired_key_without_a_session_token_is_unknown(secured: Served) -> None:
    key = secured.new_key(expires_at=secured.clock.now() + timedelta(seconds=60))
    secured.clock.advance(minutes=2)

    error = refusal(secured.signed_client(key).get_enrollment_status)

    assert code(error) == "UnrecognizedClientException"


def test_what_another_process_does_to_a_key_counts_at_once(secured: Served) -> None:
    key = secured.new_key()
    client = secured.signed_client(key)
    client.get_enrollment_status()

    elsewhere(secured.state, access_keys.set_access_key_active, key.access_key_id, False)
    assert code(refusal(client.get_enrollment_status)) == "UnrecognizedClientException"
    elsewhere(secured.state, access_keys.set_access_key_active, key.access_key_id, True)
    client.get_enrollment_status()
    sealer = open_key_file(secured.settings.key_file, secured.settings.data_dir)
    new = elsewhere(secured.state, access_keys.rotate_access_key, sealer, key.access_key_id)
    assert code(refusal(client.get_enrollment_status)) == "InvalidSignatureException"
    secured.signed_client(new).get_enrollment_status()
    elsewhere(secured.state, access_keys.delete_access_key, key.access_key_id)
    assert (
        code(refusal(secured.signed_client(new).get_enrollment_status))
        == "UnrecognizedClientException"
    )


def test_a_policy_decides_what_a_key_may_do(secured: Served, protocol: str) -> None:
    client = secured.signed_client(secured.new_key("compute-optimizer:Get*"), protocol)
    client.get_enrollment_status()

    with pytest.raises(client.exceptions.AccessDeniedException) as raised:
        client.update_enrollment_status(status="Active")

    assert status(raised.value) == 403
    action = "compute-optimizer:UpdateEnrollmentStatus"
    assert message(raised.value) == (
        f"User: arn:aws:iam::{ACCOUNT}:user/ci is not authorized to perform: {action} on "
        f"resource: * because no identity-based policy allows the {action} action"
    )
    assert client.get_enrollment_status()["status"] == "Inactive"


def test_last_use_is_stored_apart_from_the_requests(secured: Served) -> None:
    key = secured.new_key()
    client = secured.signed_client(key)
    callers = secured.door.authenticate
    assert isinstance(callers, VerifiedCallers)

    before = data_version(secured.state)
    for _ in range(5):
        client.get_enrollment_status()
    assert data_version(secured.state) == before, "a request wrote to the database"
    assert last_use(secured, key) is None
    callers.write_last_use()

    seen = last_use(secured, key)
    assert seen is not None
    assert abs(secured.clock.now() - seen) < timedelta(seconds=60)
    after = data_version(secured.state)
    callers.write_last_use()
    assert data_version(secured.state) == after, "nothing was used since"


def test_a_last_use_that_could_not_be_stored_is_stored_the_next_time(secured: Served) -> None:
    key = secured.new_key()
    secured.signed_client(key).get_enrollment_status()
    callers = secured.door.authenticate
    assert isinstance(callers, VerifiedCallers)

    alter(secured.state, "ALTER TABLE access_keys RENAME TO gone")
    with pytest.raises(StoreUnavailable):
        callers.write_last_use()
    alter(secured.state, "ALTER TABLE gone RENAME TO access_keys")
    callers.write_last_use()

    assert last_use(secured, key) is not None


def alter(state: State, statement: str) -> None:
    with state.writing() as connection:
        connection.execute(text(statement))


def data_version(state: State) -> Any:
    """Return what changes with every commit, seen from a connection that never writes."""
    marker = object()
    return state.remembered(("marker of the test",), lambda _: marker)


def last_use(served: Served, key: NewSecret) -> Any:
    with served.state.reading() as connection:
        return access_keys.existing_access_key(connection, key.access_key_id).last_used_at


def test_a_region_of_an_account_is_throttled_by_itself(
    serve: Callable[..., Served], protocol: str
) -> None:
    served = serve(throttle_requests_per_second=0.5, throttle_burst=2.0)
    served.clock.stop()
    client = served.client(protocol=protocol)
    for _ in range(2):
        client.get_enrollment_status()

    with pytest.raises(client.exceptions.ThrottlingException) as raised:
        client.get_enrollment_status()

    assert (status(raised.value), message(raised.value)) == (429, "Rate exceeded")
    headers = raised.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert int(headers["x-amz-retry-after"]) == pytest.approx(2000, abs=1)  # a token's 2 s in ms
    served.client(protocol=protocol, region="eu-west-1").get_enrollment_status()
    served.client("222222222222", protocol).get_enrollment_status()
    served.clock.advance(seconds=2)
    client.get_enrollment_status()


def test_boto3_waits_as_long_as_it_is_told(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    served = serve(throttle_requests_per_second=0.5, throttle_burst=1.0)
    served.clock.stop()
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        served.clock.advance(seconds=seconds)

    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=wait))
    client = served.client(retries={"mode": "standard", "total_max_attempts": 2})
    client.get_enrollment_status()

    client.get_enrollment_status()

    # A token comes back after 2 s. boto3 itself would wait for a second at most.
    assert waited == [pytest.approx(2.0, abs=0.001)]


def test_failed_signatures_of_one_source_are_throttled_and_good_ones_never(
    serve: Callable[..., Served],
) -> None:
    served = serve(auth="on", failed_signatures_per_minute=3.0)
    served.clock.stop()
    key = served.new_key()
    bad = served.signed_client(key, secret="wrong")

    codes = [code(refusal(bad.get_enrollment_status)) for _ in range(5)]

    assert codes == ["InvalidSignatureException"] * 3 + ["ThrottlingException"] * 2
    served.signed_client(key).get_enrollment_status()
    served.clock.advance(seconds=60)
    assert code(refusal(bad.get_enrollment_status)) == "InvalidSignatureException"


def test_the_audit_log_says_who_did_what_to_whom(secured: Served) -> None:
    key = secured.new_key("compute-optimizer:Get*", name="reader")
    client = secured.signed_client(key)
    client.get_enrollment_status()
    refusal(lambda: client.update_enrollment_status(status="Active"))
    refusal(secured.signed_client(key, secret="wrong").get_enrollment_status)
    writer = secured.new_key(name="writer")
    answer = secured.signed_client(writer).update_enrollment_status(status="Active")

    read, denied, failed, enrolled = secured.audit_lines()

    assert enrolled == {
        "time": enrolled["time"],
        "request_id": answer["ResponseMetadata"]["RequestId"],
        "operation": "UpdateEnrollmentStatus",
        "source": "127.0.0.1",
        "outcome": "Success",
        "account": ACCOUNT,
        "region": "us-east-1",
        "principal": f"arn:aws:iam::{ACCOUNT}:user/writer",
        "access_key_id": writer.access_key_id,
        "targets": [ACCOUNT],
        "parameters": {"status": "Active"},
    }
    assert read["principal"].endswith(":user/reader")
    assert (read["outcome"], denied["outcome"]) == ("Success", "AccessDeniedException")
    assert failed["outcome"] == "InvalidSignatureException"
    assert "account" not in failed, "nobody was recognised"
    whole = secured.settings.audit_file.read_text()
    assert key.secret_access_key not in whole
    assert writer.secret_access_key not in whole


def test_throttled_calls_do_not_fill_the_audit_log(serve: Callable[..., Served]) -> None:
    served = serve(throttle_requests_per_second=0.01, throttle_burst=1.0)
    client = served.client()
    client.get_enrollment_status()
    for _ in range(3):
        refusal(client.get_enrollment_status)

    assert len(served.audit_lines()) == 1


def test_with_auth_off_the_key_id_is_the_account(served: Served, protocol: str) -> None:
    served.client("222222222222", protocol).update_enrollment_status(status="Active")

    assert served.client("222222222222", protocol).get_enrollment_status()["status"] != "Inactive"
    assert served.client("333333333333", protocol).get_enrollment_status()["status"] == "Inactive"
    (line, *_) = served.audit_lines()
    assert line["principal"] == "arn:aws:iam::222222222222:root"


def test_with_auth_off_a_key_id_that_is_no_account_is_explained(served: Served) -> None:
    error = refusal(served.client("AKIAIOSFODNN7EXAMPLE").get_enrollment_status)

    assert code(error) == "UnrecognizedClientException"
    assert "must be 12 digits" in message(error)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "box.example"])
def test_auth_off_binds_loopback_only(serve: Callable[..., Served], host: str) -> None:
    with pytest.raises(InvalidInput, match="--i-know-this-port-is-private"):
        serve(host=host)


def test_auth_off_binds_anything_where_the_port_is_said_to_be_private(
    serve: Callable[..., Served],
) -> None:
    served = serve(host="0.0.0.0", i_know_this_port_is_private=True)

    assert served.client().get_enrollment_status()["status"] == "Inactive"


def test_a_key_file_that_does_not_open_the_keys_stops_the_start(
    serve: Callable[..., Served], secured: Served
) -> None:
    secured.new_key()
    other = secured.settings.data_dir / "other.key"
    open_key_file(other, secured.settings.data_dir)

    with pytest.raises(InvalidInput, match="does not open the secret of"):
        serve(auth="on", state_url=secured.settings.state_url, key_file=str(other))
