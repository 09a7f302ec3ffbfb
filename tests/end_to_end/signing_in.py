"""What tests of signing in have in common: rules, requests, sessions."""

import json
from typing import Any

from botocore.credentials import Credentials

from compute_optimizer.api.authorization import policy_allowing
from compute_optimizer.store.access_keys import NewSecret
from compute_optimizer.store.sign_in import RuleRequest, save_rule
from tests.end_to_end.conftest import ACCOUNT, SERVER_NAME, Served
from tests.end_to_end.raw import Answer, post
from tests.sts import NONCE, Sts, presigned

ROLE = f"arn:aws:iam::{ACCOUNT}:role/Operator"
HOUR_SECONDS = 3600


def allow(
    served: Served,
    principal: str = ROLE,
    account: str = ACCOUNT,
    actions: tuple[str, ...] = ("*",),
    seconds: int = HOUR_SECONDS,
) -> None:
    """Store a rule, by default one that lets operators do everything."""
    wanted = RuleRequest(principal, account, policy_allowing(list(actions)), seconds)
    with served.state.writing() as connection:
        save_rule(connection, wanted, served.clock.now())


def ask(served: Served, url: str, server: str = SERVER_NAME, **more: Any) -> Answer:
    """Ask to sign in with a presigned request."""
    return send(served, json.dumps({"url": url, "server": server, "nonce": NONCE} | more).encode())


def send(served: Served, body: bytes, method: str = "POST", path: str = "/sign-in") -> Answer:
    """Send any body to where people sign in."""
    return post(served, body, {"content-type": "application/json"}, path=path, method=method)


def signed_in(served: Served, sts: Sts, credentials: Credentials, **more: Any) -> NewSecret:
    """Sign in and return the session."""
    answer = ask(served, presigned(sts.url, credentials, SERVER_NAME), **more)
    assert answer.status == 200, answer.body
    made = json.loads(answer.body)
    return NewSecret(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
