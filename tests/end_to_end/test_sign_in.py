"""Signing in with an AWS identity: a real server, a real STS, real boto3 clients."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.credentials import Credentials

from compute_optimizer.api.authorization import policy_allowing
from compute_optimizer.store.access_keys import NewSecret
from compute_optimizer.store.sign_in import RuleRequest, save_rule
from tests.end_to_end.conftest import ACCOUNT, Served
from tests.end_to_end.raw import Answer, post
from tests.sts import Sts, presigned

NAME = "optimizer.example.com"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Operator"
HOUR = 3600

Served_ = Served


@pytest.fixture
def host(serve: Callable[..., Served], sts: Sts) -> Served:
    """A server that lets operators in, for an hour at most."""
    served = serve(auth="on", sign_in_names=NAME, sign_in_sts_endpoints=sts.url)
    allow(served)
    return served


def allow(
    served: Served,
    principal: str = ROLE,
    account: str = ACCOUNT,
    *actions: str,
    seconds: int = HOUR,
) -> None:
    """Store a rule, by default one that allows everything."""
    policy = policy_allowing(list(actions or ("*",)))
    with served.state.writing() as connection:
        save_rule(connection, RuleRequest(principal, account, policy, seconds), served.clock.now())


def ask(
    served: Served, url: str, server: str = NAME, path: str = "/sign-in", **more: Any
) -> Answer:
    """Send a presigned request to sign in."""
    body = json.dumps({"url": url, "server": server} | more).encode()
    return post(served, body, {"content-type": "application/json"}, path=path)


def signed_in(served: Served, sts: Sts, credentials: Credentials, **more: Any) -> NewSecret:
    """Sign in and return the session."""
    answer = ask(served, presigned(sts.url, credentials, NAME), **more)
    assert answer.status == 200, answer.body
    made = json.loads(answer.body)
    return NewSecret(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])


def test_a_role_signs_in_and_calls_the_api(host: Served, sts: Sts, protocol: str) -> None:
    session = signed_in(host, sts, sts.session_of(ROLE))

    client = host.signed_client(session, protocol)

    assert client.get_enrollment_status()["status"] == "Inactive"
