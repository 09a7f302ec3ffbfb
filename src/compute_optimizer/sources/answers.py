"""Answers of an endpoint of the API as they come over the wire, asked for by boto3's client."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from compute_optimizer.errors import InvalidInput, SourceUnavailable
from compute_optimizer.model.conformance import Answer
from compute_optimizer.sources.aws.clients import make_client, make_session
from compute_optimizer.sources.aws.pace import Pace

SERVICE = "compute-optimizer"
CALLS_PER_SECOND = 4.0
"""Below the 5 that AWS allows an account and Region (documented quota)."""
CONNECT_SECONDS, READ_SECONDS = 5, 30
ATTEMPTS = 3
"""Of a call that is throttled or whose connection breaks."""
IGNORE_CONFIGURED = "ignore_configured_endpoint_urls"
"""An option of botocore's Config since 1.31."""


@dataclass(frozen=True, slots=True)
class Side:
    """One server that is asked."""

    url: str | None
    """None for AWS itself."""
    profile: str | None
    region: str | None


class Asker:
    """Asks one side; not for several threads."""

    def __init__(self, side: Side) -> None:
        """Raise InvalidInput where the profile, its credentials or the Region are missing."""
        self._client = _client(side)
        self._pace = Pace(0.0 if side.url else CALLS_PER_SECOND)
        self._seen: Answer | None = None
        self._client.meta.events.register(f"before-parse.{SERVICE}", self._note)

    def ask(self, operation: str, members: Mapping[str, Any]) -> Answer:
        """Return the answer, also an error; raise SourceUnavailable where none came."""
        self._pace.wait()
        self._seen = None
        try:
            getattr(self._client, xform_name(operation))(**members)
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            # Answered with an error, or by something that speaks no JSON: what came was noted.
            if self._seen is None:
                raise SourceUnavailable(f"{operation}: {error}") from error
        if self._seen is None:
            raise SourceUnavailable(f"{operation}: nothing came over the wire")
        return self._seen

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _note(self, response_dict: Mapping[str, Any], **_: Any) -> None:
        headers = {name.lower(): value for name, value in response_dict["headers"].items()}
        self._seen = Answer(response_dict["status_code"], headers, _parsed(response_dict["body"]))


def _client(side: Side) -> Any:
    # Whoever uses this server may well have it configured: AWS is meant to be AWS. A botocore that
    # does not know the option reads no endpoints from the configuration either.
    known = IGNORE_CONFIGURED in Config.OPTION_DEFAULTS
    own = {IGNORE_CONFIGURED: side.url is None} if known else {}
    # Values that the model does not have are sent as they are: the answer is what is wanted.
    config = Config(
        parameter_validation=False,
        **own,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
    )
    try:
        session = make_session(side.profile)
        if session.get_credentials() is None:
            raise InvalidInput(
                f"no AWS credentials for {side.url or 'AWS'}; set AWS_PROFILE or name a profile "
                "that has some (docs/conformance.md)"
            )
        return make_client(session, SERVICE, side.region or _region(session), config, side.url)
    except (BotoCoreError, ValueError) as error:
        # The latter for an address that is none.
        raise InvalidInput(f"{side.url or 'AWS'}: {error}") from error


def _region(session: Any) -> str:
    region: str | None = session.get_config_variable("region")
    if region is None:
        raise InvalidInput("no Region is configured; give one, such as --region us-east-1")
    return region


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
