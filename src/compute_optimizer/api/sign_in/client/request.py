"""A presigned request, sent to a server for credentials."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from compute_optimizer.api.sign_in.names import SIGN_IN_PATH, name_of
from compute_optimizer.api.sign_in.presigned import (
    LONGEST_LIFE_SECONDS,
    SIGN_IN_HEADER,
    signed_header,
)
from compute_optimizer.errors import ComputeOptimizerError, InvalidInput
from compute_optimizer.model.hosts import is_loopback

DEFAULT_REGION = "us-east-1"
"""Whose STS is asked where neither option, profile nor environment names a Region."""

NONCE_BYTES = 16

SECONDS = 30
"""Time for the server's answer; it waits for STS for 8 seconds at most."""

IN_PROGRESS = "COMPUTE_OPTIMIZER_SIGNING_IN"
"""Variable that tells a process that it was started to find the credentials to sign in with."""

CREDENTIALS = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where to sign in, with what, and for what."""

    endpoint: str
    profile: str | None
    region: str | None
    server_name: str
    account: str | None
    seconds: int | None


def fetch_credentials(wanted: Wanted) -> dict[str, Any]:
    """Sign in and return the credentials.

    Raises InvalidInput without usable AWS credentials, ComputeOptimizerError where refused.
    """
    nonce = secrets.token_urlsafe(NONCE_BYTES)
    header = signed_header(wanted.server_name, nonce)
    asked = {
        "url": presigned_url(wanted.profile, wanted.region, header),
        "server": wanted.server_name,
        "nonce": nonce,
        "account": wanted.account,
        "seconds": wanted.seconds,
    }
    status, answer = _post(wanted.endpoint.rstrip("/") + SIGN_IN_PATH, asked)
    if status == 200 and all(isinstance(answer.get(name), str) for name in CREDENTIALS):
        return answer
    said = answer.get("message") or f"it answered with status {status}"
    raise ComputeOptimizerError(f"{wanted.endpoint} did not let you in: {said}")


def checked_endpoint(endpoint: str, private: bool) -> str:
    """Return the name of the server at a URL; raise InvalidInput where anybody could read along."""
    name = name_of(endpoint)
    parts = urlsplit(endpoint)
    if parts.scheme == "https" or private or is_loopback(parts.hostname or ""):
        return name
    raise InvalidInput(
        f"--endpoint {endpoint}: credentials would cross the network readable for everybody. Use "
        "https, or, where nobody else can read along, --i-know-this-network-is-private"
    )


def presigned_url(profile: str | None, region: str | None, header: str) -> str:
    """Return a presigned GetCallerIdentity with a header, which is good for some minutes."""
    if os.environ.get(IN_PROGRESS):
        raise InvalidInput(
            "the profile to sign in with would get its credentials from this command itself; name "
            "another one with --profile"
        )
    os.environ[IN_PROGRESS] = "true"
    try:
        session = botocore.session.Session(profile=profile)
        chosen = region or session.get_config_variable("region") or DEFAULT_REGION
        client: Any = session.create_client("sts", chosen)
        client.meta.events.register("before-sign.sts.GetCallerIdentity", _adding(header))
        url: str = client.generate_presigned_url(
            "get_caller_identity", ExpiresIn=LONGEST_LIFE_SECONDS, HttpMethod="GET"
        )
    except (BotoCoreError, ClientError) as error:
        raise InvalidInput(f"your AWS credentials cannot be used to sign in: {error}") from None
    finally:
        del os.environ[IN_PROGRESS]
    return url


def _adding(header: str) -> Any:
    def add_header(request: AWSRequest, **_: Any) -> None:
        request.headers.add_header(SIGN_IN_HEADER, header)

    return add_header


def _post(url: str, asked: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Return status and body of the answer; redirects are not followed."""
    body = json.dumps({name: value for name, value in asked.items() if value is not None})
    headers = {"content-type": "application/json"}
    request = AWSRequest(method="POST", url=url, data=body.encode(), headers=headers).prepare()
    bundle: Any = botocore.session.Session().get_config_variable("ca_bundle")
    http = URLLib3Session(verify=bundle or True, proxies=get_environ_proxies(url), timeout=SECONDS)
    try:
        response = http.send(request)
    except BotoCoreError as error:
        raise ComputeOptimizerError(f"cannot sign in at {url}: {error}") from None
    try:
        answer = json.loads(response.content)
    except ValueError:
        answer = None
    return response.status_code, answer if isinstance(answer, dict) else {}
