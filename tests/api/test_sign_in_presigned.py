"""What is read of a presigned request, and what is refused; botocore presigns."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import botocore.session
import pytest
from botocore.credentials import Credentials

from compute_optimizer.api.errors import RequestRefused
from compute_optimizer.api.sign_in.endpoints import known_endpoints
from compute_optimizer.api.sign_in.presigned import Presigned, read_presigned
from tests.sts import presigned

OWN = Credentials("ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a+b/c==")
ENDPOINTS = known_endpoints()
GLOBAL = "https://sts.amazonaws.com"
SKEW = timedelta(seconds=300)


def read(url: str, now: datetime | None = None) -> Presigned:
    return read_presigned(url, ENDPOINTS, now or datetime.now(UTC), SKEW)


def refusal(url: str, now: datetime | None = None) -> str:
    with pytest.raises(RequestRefused) as raised:
        read(url, now)
    assert raised.value.code == "InvalidIdentityToken"
    return raised.value.message


def pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True, strict_parsing=True)


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"])
def test_what_botocores_client_presigns_is_sent_on_as_it_was_signed(region: str) -> None:
    session = botocore.session.Session()
    session.set_credentials(OWN.access_key, OWN.secret_key, OWN.token)
    client = session.create_client("sts", region)
    client.meta.events.register(
        "before-sign.sts.GetCallerIdentity",
        lambda request, **_: request.headers.add_header("x-compute-optimizer-sign-in", "a/b"),
    )
    url = client.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")

    found = read(url)

    parts = urlsplit(url)
    assert found.endpoint.url == f"https://{parts.netloc}"
    assert pairs(found.query) == pairs(parts.query)
    assert "a%2Bb%2Fc%3D%3D" in found.query


def test_nothing_that_others_could_use_is_shown() -> None:
    found = read(presigned(GLOBAL, OWN, "server"))

    assert found.signature not in repr(found)
    assert "X-Amz" not in repr(found)


def test_a_request_ends_when_its_life_does() -> None:
    url = presigned(GLOBAL, OWN, "server", expires=60)
    begins = datetime.strptime(dict(pairs(urlsplit(url).query))["X-Amz-Date"], "%Y%m%dT%H%M%S%z")

    found = read(url, begins + timedelta(seconds=59))

    assert found.good_until == begins + timedelta(seconds=60)
    assert "has expired" in refusal(url, found.good_until)
    read(url, begins - SKEW)
    assert "of the future" in refusal(url, begins - SKEW - timedelta(seconds=1))


@pytest.mark.parametrize(
    "place",
    [
        "https://sts.amazonaws.com:443",
        "https://sts.amazonaws.com:8443",
        "https://sts.amazonaws.com.",
        "https://STS.amazonaws.com",
        "https://sts.amazonaws.com//",
        "https://sts.amazonaws.com/x",
        "https://sts.amazonaws.com/..",
        "https://sts.amazonaws.com#",
        "https://sts.amazonaws.com.example.com",
        "https://sts.amazonaws.com@example.com",
        "https://sts.amazonaws.com%2eexample.com",
        "https://sts.amazonaws.com\\@example.com",
        "https://sts.amazonaws.com%00.example.com",
        "https://user@sts.amazonaws.com",
        "https://user:secret@sts.amazonaws.com",
        "https://sts.us-east-9.amazonaws.com",
        "https://sts.s3.amazonaws.com",
        "https://sts.execute-api.us-east-1.amazonaws.com",
        "https://sts-us-east-1.amazonaws.com",
        "https://iam.amazonaws.com",
        "https://sts.amazonaws.cn",
        "https://sts.amaz\u043enaws.com",
        "https://xn--sts-amazonaws-com.example.com",
        "https://example.com",
        "https://169.254.169.254",
        "https://[::ffff:169.254.169.254]",
        "https://2130706433",
        "https://127.0.0.1",
        "https://localhost",
        "http://sts.amazonaws.com",
        "HTTPS://sts.amazonaws.com",
        "//sts.amazonaws.com",
        "sts.amazonaws.com",
        "file:///etc/passwd",
        " https://sts.amazonaws.com",
        "https://sts.amazonaws.com\r\nhost: example.com",
        "",
    ],
)
def test_any_other_place_is_refused_and_not_repeated(place: str) -> None:
    good = presigned(GLOBAL, OWN, "server")

    said = refusal(good.replace(f"{GLOBAL}/", f"{place}/"))

    assert "does not begin with an endpoint of STS" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("Action=GetCallerIdentity", "Action=getcalleridentity", "Action: expected"),
        ("Action=GetCallerIdentity", "%41ction=GetCallerIdentity", "has a parameter that"),
        ("&Version=", "&Action=GetCallerIdentity&Version=", "has Action twice"),
        ("Version=2011-06-15", "Version=2011-06-15%26Action%3DGetSessionToken", "Version: exp"),
        ("Version=2011-06-15&", "", "lacks Version"),
        ("&X-Amz-Signature=", "&x-amz-signature=", "has a parameter that"),
        ("&X-Amz-Signature=", "&X-Amz-Signature=A", "X-Amz-Signature: expected"),
        ("%2Fsts%2Faws4", "%2Fs3%2Faws4", "scoped to the service sts"),
        ("%2Fsts%2Faws4_request", "%2Fsts", "scoped to the service sts"),
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", "X-Amz-Algorithm: expected"),
        ("host%3Bx-compute", "x-compute", "X-Amz-SignedHeaders: expected host and"),
        ("-sign-in", "-sign-in%3Bx-more", "X-Amz-SignedHeaders: expected host and"),
        ("Expires=300", "Expires=0", "X-Amz-Expires: expected 1 to 300"),
        ("Expires=300", "Expires=-1", "X-Amz-Expires: expected"),
        ("Expires=300", "Expires=%C2%B3", "X-Amz-Expires: expected"),
        ("X-Amz-Date=20", "X-Amz-Date=19", "the day of X-Amz-Date"),
        ("a%2Bb", "a%0Ab", "X-Amz-Security-Token: expected"),
        ("a%2Bb", "a" * 8192, "X-Amz-Security-Token: expected"),
        ("a%2Bb", "a\ud800b", "X-Amz-Security-Token: expected"),
        ("?", "?&", "has a parameter that"),
    ],
)
def test_any_other_query_is_refused(old: str, new: str, text: str) -> None:
    url = presigned(GLOBAL, OWN, "server")
    assert old in url

    assert text in refusal(url.replace(old, new, 1))


def test_a_moment_that_is_none_is_refused() -> None:
    url = presigned(GLOBAL, OWN, "server")
    day = dict(pairs(urlsplit(url).query))["X-Amz-Date"][:8]

    said = refusal(url.replace(f"X-Amz-Date={day}", "X-Amz-Date=20261399").replace(day, "20261399"))

    assert "X-Amz-Date: expected a moment such as" in said
