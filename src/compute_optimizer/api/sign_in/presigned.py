"""The presigned request of somebody who signs in: read strictly, before anybody is asked.

What is sent on is put together anew from the parameters that were read, so that nothing else of
what came in can reach STS.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from compute_optimizer.api.errors import INVALID_IDENTITY, RequestRefused
from compute_optimizer.api.sign_in.endpoints import StsEndpoint

SIGN_IN_HEADER = "x-compute-optimizer-sign-in"
"""Says for which server a request was signed, and a nonce; the signature covers it."""

NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
"""Drawn by whoever signs: two requests of the same second would have one signature without it."""

LONGEST_LIFE_SECONDS = 300
"""Of a presigned request, X-Amz-Expires: as much as clocks may differ by default."""

EXPIRES, DATE, SIGNATURE = "X-Amz-Expires", "X-Amz-Date", "X-Amz-Signature"
CREDENTIAL, TOKEN = "X-Amz-Credential", "X-Amz-Security-Token"

PARAMETERS: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.ASCII)
    for name, pattern in {
        "Action": "GetCallerIdentity",
        "Version": "2011-06-15",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        CREDENTIAL: r"\w{16,128}/\d{8}/[a-z0-9-]{1,32}/sts/aws4_request",
        DATE: r"\d{8}T\d{6}Z",
        EXPIRES: r"\d{1,5}",
        "X-Amz-SignedHeaders": f"host;{SIGN_IN_HEADER}",
        TOKEN: r"[\x21-\x7e]{1,8192}",
        SIGNATURE: r"[0-9a-f]{64}",
    }.items()
}
"""Every parameter that may be there, with what it may say. All but the session token must be."""

EXPECTED = {
    "Action": "GetCallerIdentity, and no other operation",
    CREDENTIAL: "one that is scoped to the service sts",
    "X-Amz-SignedHeaders": f"host and {SIGN_IN_HEADER}, which names the server, and no others",
}
"""What is said of a parameter that says something else."""


@dataclass(frozen=True, slots=True)
class Presigned:
    """A request that may be sent on; what could be used by others is not shown."""

    endpoint: StsEndpoint
    query: str = field(repr=False)
    """As it is sent on."""
    signature: str = field(repr=False)
    good_until: datetime
    """The moment from which on it is refused."""


def signed_header(server_name: str, nonce: str) -> str:
    """Return what the header says in a request for a server."""
    return f"{server_name}/{nonce}"


def read_presigned(
    url: str, endpoints: Mapping[str, StsEndpoint], now: datetime, skew: timedelta
) -> Presigned:
    """Return a presigned GET of GetCallerIdentity; raise InvalidIdentityToken for anything else.

    The messages repeat nothing of the URL, which holds secrets.
    """
    place, _, query = url.partition("?")
    # Compared as a whole: user info, ports, addresses and look-alikes are all simply not listed.
    endpoint = endpoints.get(place.removesuffix("/"))
    if endpoint is None:
        raise _invalid(
            "The URL does not begin with an endpoint of STS that this server asks, such as "
            "https://sts.us-east-1.amazonaws.com/."
        )
    given = _parameters(query)
    for name, pattern in PARAMETERS.items():
        value = given.get(name)
        if value is None and name != TOKEN:
            raise _invalid(f"The URL lacks {name}.")
        if value is not None and not pattern.fullmatch(value):
            what = EXPECTED.get(name, f"what presigned requests say ({pattern.pattern})")
            raise _invalid(f"{name}: expected {what}.")
    ends = _check_time(given, now, skew)
    pairs = (f"{name}={quote(value, safe='~')}" for name, value in given.items())
    return Presigned(endpoint, "&".join(pairs), given[SIGNATURE], ends)


def _parameters(query: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name not in PARAMETERS:
            raise _invalid(
                "The URL has a parameter that a presigned GetCallerIdentity has not; expected "
                f"{', '.join(PARAMETERS)}."
            )
        if name in given:
            raise _invalid(f"The URL has {name} twice.")
        given[name] = unquote(value, encoding="latin-1")
    return given


def _check_time(given: Mapping[str, str], now: datetime, skew: timedelta) -> datetime:
    """Return when the request ends; raise where that has passed, is far, or has not begun."""
    if not given[CREDENTIAL].split("/")[1] == given[DATE][:8]:
        raise _invalid(f"{CREDENTIAL}: expected the day of {DATE}.")
    life = int(given[EXPIRES])
    if not 1 <= life <= LONGEST_LIFE_SECONDS:
        raise _invalid(f"{EXPIRES}: expected 1 to {LONGEST_LIFE_SECONDS} seconds.")
    try:
        begins = datetime.strptime(given[DATE], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _invalid(f"{DATE}: expected a moment such as 20261122T214420Z.") from None
    ends = begins + timedelta(seconds=life)
    if now >= ends:
        raise _invalid(f"The presigned request has expired; here it is {_stamp(now)}.")
    if begins > now + skew:
        raise _invalid(f"The presigned request is of the future; here it is {_stamp(now)}.")
    return ends


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _invalid(message: str) -> RequestRefused:
    return RequestRefused(INVALID_IDENTITY, message)
