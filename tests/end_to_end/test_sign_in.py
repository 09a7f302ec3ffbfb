"""Signing in with an AWS identity: a real server, a real STS, real boto3 clients."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from compute_optimizer.jobs.expiry import forget_expired
from compute_optimizer.store.access_keys import find_access_key
from compute_optimizer.store.sign_in import remove_rule
from tests.end_to_end.conftest import ACCOUNT, SERVER_NAME, Served
from tests.end_to_end.signing_in import HOUR_SECONDS, ROLE, allow, ask, send, signed_in
from tests.refusals import code, message, refusal
from tests.states import elsewhere
from tests.sts import NONCE, Sts, presigned

OTHER_ACCOUNT = "222222222222"
MOTO_ACCOUNT = "123456789012"
"""The account of moto's users."""


def test_a_role_signs_in_and_calls_the_api(host: Served, sts: Sts, protocol: str) -> None:
    allow(host)

    session = signed_in(host, sts, sts.session_of(ROLE))

    client = host.signed_client(session, protocol)
    assert client.get_enrollment_status()["status"] == "Inactive"


def test_a_user_signs_in(host: Served, sts: Sts) -> None:
    allow(host, f"arn:aws:iam::{MOTO_ACCOUNT}:user/dana", MOTO_ACCOUNT)

    session = signed_in(host, sts, sts.user("dana"))

    assert host.signed_client(session).get_enrollment_status()["status"] == "Inactive"


def test_the_answer_says_how_long_the_session_lasts_and_is_not_to_be_stored(
    host: Served, sts: Sts
) -> None:
    allow(host)
    before = host.clock.now().replace(microsecond=0)

    answer = ask(host, presigned(sts.url, sts.session_of(ROLE), SERVER_NAME))

    made = json.loads(answer.body)
    lasts = datetime.fromisoformat(made["Expiration"]) - before
    assert timedelta(seconds=HOUR_SECONDS) <= lasts <= timedelta(seconds=HOUR_SECONDS + 60)
    assert made["AccountId"] == ACCOUNT
    assert made["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Operator/alice"
    assert answer.headers["cache-control"] == "no-store"


def test_a_path_in_front_is_passed_over(host: Served, sts: Sts) -> None:
    allow(host)
    url = presigned(sts.url, sts.session_of(ROLE), SERVER_NAME)
    body = {"url": url, "server": SERVER_NAME, "nonce": NONCE}

    assert send(host, json.dumps(body).encode(), path="/co/sign-in").status == 200


# Rules


def test_without_a_rule_nobody_is_let_in(host: Served, sts: Sts) -> None:
    answer = ask(host, presigned(sts.url, sts.session_of(ROLE), SERVER_NAME))

    assert (answer.status, answer.code) == (403, "AccessDeniedException")
    assert answer.error["message"] == f"No rule lets {ROLE} sign in."
    (line,) = host.audit_lines()
    assert line["principal"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Operator/alice"
    assert line["parameters"] == {"endpoint": sts.url, "reason": answer.error["message"]}


def test_a_role_of_that_name_in_another_account_is_not_let_in(host: Served, sts: Sts) -> None:
    allow(host)
    stranger = sts.session_of(f"arn:aws:iam::{OTHER_ACCOUNT}:role/Operator")

    answer = ask(host, presigned(sts.url, stranger, SERVER_NAME))

    assert (answer.status, answer.code) == (403, "AccessDeniedException")


def test_the_policy_of_the_rule_decides_what_a_session_may_do(host: Served, sts: Sts) -> None:
    allow(host, actions=("compute-optimizer:Get*",))
    client = host.signed_client(signed_in(host, sts, sts.session_of(ROLE)))
    client.get_enrollment_status()

    error = refusal(lambda: client.update_enrollment_status(status="Active"))

    assert code(error) == "AccessDeniedException"
    assert f"User: arn:aws:sts::{ACCOUNT}:assumed-role/Operator/alice is not" in message(error)


def test_the_account_that_is_acted_in_is_the_rules(host: Served, sts: Sts) -> None:
    allow(host, ROLE, OTHER_ACCOUNT)
    session = signed_in(host, sts, sts.session_of(ROLE))

    host.signed_client(session).update_enrollment_status(status="Active")

    (line,) = [one for one in host.audit_lines() if one["operation"] == "UpdateEnrollmentStatus"]
    assert line["account"] == OTHER_ACCOUNT


def test_of_several_accounts_one_is_named_unless_it_is_the_own_one(host: Served, sts: Sts) -> None:
    others = (OTHER_ACCOUNT, "333333333333")
    for account in others:
        allow(host, ROLE, account)
    operator = sts.session_of(ROLE)
    in_doubt = ask(host, presigned(sts.url, operator, SERVER_NAME))
    another = presigned(sts.url, operator, SERVER_NAME, nonce="another-one-0123456789")
    named = ask(host, another, nonce="another-one-0123456789", account=others[1])
    allow(host)
    own = ask(host, presigned(sts.url, sts.session_of(ROLE), SERVER_NAME))

    assert (in_doubt.status, in_doubt.code) == (403, "AccessDeniedException")
    assert in_doubt.error["message"].endswith("name one: 222222222222, 333333333333.")
    assert json.loads(named.body)["AccountId"] == others[1]
    assert json.loads(own.body)["AccountId"] == ACCOUNT


def test_an_account_that_no_rule_opens_is_refused(host: Served, sts: Sts) -> None:
    allow(host)
    url = presigned(sts.url, sts.session_of(ROLE), SERVER_NAME)

    assert ask(host, url, account=OTHER_ACCOUNT).code == "AccessDeniedException"


@pytest.mark.parametrize(("seconds", "status"), [(900, 200), (899, 400), (3601, 400)])
def test_a_session_is_as_long_as_asked_within_the_rule(
    host: Served, sts: Sts, seconds: int, status: int
) -> None:
    allow(host)

    answer = ask(host, presigned(sts.url, sts.session_of(ROLE), SERVER_NAME), seconds=seconds)

    assert answer.status == status
    assert status == 200 or "expected 900 to 3600" in answer.error["message"]


# Sessions


@pytest.mark.parametrize("token", [None, "another"])
def test_a_session_without_its_token_is_refused(host: Served, sts: Sts, token: str | None) -> None:
    allow(host)
    session = signed_in(host, sts, sts.session_of(ROLE))

    error = refusal(host.signed_client(session, token=token).get_enrollment_status)

    assert code(error) == "UnrecognizedClientException"


def test_a_session_ends_says_so_for_a_day_and_is_forgotten(host: Served, sts: Sts) -> None:
    allow(host, seconds=60)  # Clients of this test sign by the machine's clock.
    session = signed_in(host, sts, sts.session_of(ROLE))
    client = host.signed_client(session)
    client.get_enrollment_status()
    host.clock.advance(minutes=2)

    assert code(refusal(client.get_enrollment_status)) == "ExpiredTokenException"

    assert forget_expired(host.state, host.clock) == 0
    host.clock.advance(days=1)
    # One session and one signature.
    assert forget_expired(host.state, host.clock) == 2
    assert forget_expired(host.state, host.clock) == 0
    with host.state.reading() as connection:
        assert find_access_key(connection, session.access_key_id) is None


def test_removing_the_rule_ends_its_sessions_at_once(host: Served, sts: Sts) -> None:
    allow(host)
    allow(host, f"arn:aws:iam::{OTHER_ACCOUNT}:role/Operator")
    ended = host.signed_client(signed_in(host, sts, sts.session_of(ROLE)))
    ended.get_enrollment_status()
    other = sts.session_of(f"arn:aws:iam::{OTHER_ACCOUNT}:role/Operator")
    stays = host.signed_client(signed_in(host, sts, other))

    assert elsewhere(host.state, remove_rule, ROLE, ACCOUNT) == 1

    assert code(refusal(ended.get_enrollment_status)) == "UnrecognizedClientException"
    stays.get_enrollment_status()


def test_a_replaced_rule_holds_for_sessions_that_are_open(host: Served, sts: Sts) -> None:
    allow(host)
    client = host.signed_client(signed_in(host, sts, sts.session_of(ROLE)))
    client.get_enrollment_status()

    allow(host, actions=("compute-optimizer:Export*",))

    assert code(refusal(client.get_enrollment_status)) == "AccessDeniedException"


# The audit log


def test_the_audit_log_says_who_signed_in_and_what_they_called(host: Served, sts: Sts) -> None:
    allow(host)
    session = signed_in(host, sts, sts.session_of(ROLE))
    host.signed_client(session).get_enrollment_status()

    entered, called = host.audit_lines()

    who = f"arn:aws:sts::{ACCOUNT}:assumed-role/Operator/alice"
    assert entered == {
        "time": entered["time"],
        "request_id": entered["request_id"],
        "operation": "SignIn",
        "source": "127.0.0.1",
        "outcome": "Success",
        "account": ACCOUNT,
        "principal": who,
        "access_key_id": session.access_key_id,
        "parameters": {"endpoint": sts.url, "rule": ROLE},
    }
    assert (called["principal"], called["access_key_id"]) == (who, session.access_key_id)
    whole = host.settings.audit_file.read_text()
    assert session.secret_access_key not in whole
    assert str(session.session_token) not in whole


# Where signing in is not set up


@pytest.mark.parametrize(
    "settings", [{"auth": "on"}, {"auth": "off", "sign_in_names": SERVER_NAME}], ids=str
)
def test_where_it_is_not_set_up_that_is_said(
    serve: Callable[..., Served], settings: dict[str, str]
) -> None:
    served = serve(**settings)

    answer = ask(served, "https://sts.amazonaws.com/")

    assert (answer.status, answer.code) == (404, "UnknownOperationException")
    assert "sign_in_names is empty, or auth is off" in answer.error["message"]
    assert not served.settings.audit_file.exists(), "anybody could fill the disk"


def test_a_server_that_is_shutting_down_lets_nobody_in(host: Served, sts: Sts) -> None:
    allow(host)
    host.door.closing.set()

    answer = ask(host, presigned(sts.url, sts.session_of(ROLE), SERVER_NAME))

    assert (answer.status, answer.code) == (503, "ServiceUnavailableException")
    assert sts.asked == []


# Used once


def test_a_request_is_good_once_in_all_processes(
    serve: Callable[..., Served], host: Served, sts: Sts
) -> None:
    allow(host)
    other = serve(
        auth="on",
        state_url=host.settings.state_url,
        sign_in_names=SERVER_NAME,
        sign_in_sts_endpoints=sts.url,
    )
    url = presigned(sts.url, sts.session_of(ROLE), SERVER_NAME)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: ask((host, other)[number % 2], url), range(8)))

    assert sorted(answer.status for answer in answers) == [200, *[400] * 7]
    assert {answer.code for answer in answers if answer.status == 400} == {"InvalidIdentityToken"}


def test_a_request_that_no_rule_let_in_is_used_up_as_well(host: Served, sts: Sts) -> None:
    url = presigned(sts.url, sts.session_of(ROLE), SERVER_NAME)
    ask(host, url)
    allow(host)
    asked = len(sts.asked)

    answer = ask(host, url)

    assert (answer.status, answer.code) == (400, "InvalidIdentityToken")
    assert "was used before" in answer.error["message"]
    assert len(sts.asked) == asked, "STS need not be asked again"
