"""What STS's answer is taken for."""

import pytest

from compute_optimizer.api.errors import RequestRefused
from compute_optimizer.api.sign_in.answers import read_answer

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
ARN = "arn:aws:sts::111111111111:assumed-role/Operator/alice"
# As in the example of the AWS STS API reference, GetCallerIdentity.
GOOD = f"""<GetCallerIdentityResponse xmlns="{NAMESPACE}">
  <GetCallerIdentityResult>
   <Arn>{ARN}</Arn>
    <UserId>ARO123EXAMPLE123:alice</UserId>
    <Account>111111111111</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata>
    <RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId>
  </ResponseMetadata>
</GetCallerIdentityResponse>"""
ENTITY = '<!DOCTYPE a [<!ENTITY b "arn:aws:iam::111111111111:root">]>'


def refusal(status: int, body: bytes) -> RequestRefused:
    with pytest.raises(RequestRefused) as raised:
        read_answer(status, body)
    return raised.value


def test_an_answer_says_who_signed() -> None:
    found = read_answer(200, GOOD.encode())

    assert (found.arn, found.account_id) == (ARN, "111111111111")
    assert found.principal_arn == "arn:aws:iam::111111111111:role/Operator"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        "<a/>",
        GOOD[:-5],
        GOOD.replace(NAMESPACE, "https://sts.example.com/"),
        GOOD.replace(f' xmlns="{NAMESPACE}"', ""),
        GOOD.replace("GetCallerIdentityResponse", "AssumeRoleResponse"),
        GOOD.replace(f"<Arn>{ARN}</Arn>", ""),
        GOOD.replace(f"<Arn>{ARN}</Arn>", "<Arn/>"),
        GOOD.replace(f"<Arn>{ARN}</Arn>", f"<Arn>{ARN}</Arn><Arn>{ARN}</Arn>"),
        GOOD.replace(ARN, f"<b>{ARN}</b>"),
        GOOD.replace("<Account>111111111111", "<Account>222222222222"),
        GOOD.replace("GetCallerIdentityResult", "Other"),
        ENTITY + GOOD,
        ENTITY + GOOD.replace(ARN, "&b;"),
        GOOD.replace(ARN, f"<![CDATA[{ARN}]]>"),
        GOOD.replace(ARN, "&undefined;"),
    ],
)
def test_any_other_answer_says_nothing(body: str) -> None:
    error = refusal(200, body.encode())

    assert (error.code, error.status) == ("IDPCommunicationError", 503)
    assert "does not say who signed" in error.message


def test_another_encoding_says_nothing() -> None:
    assert refusal(200, GOOD.encode("utf-16")).code == "IDPCommunicationError"


def test_a_refusal_is_told_with_its_code_and_nothing_else() -> None:
    error = refusal(403, b"<Code>ExpiredToken</Code><Message>token FQoG... expired</Message>")

    assert (error.code, error.status) == ("IDPRejectedClaim", 403)
    assert "(ExpiredToken)" in error.message
    assert "FQoG" not in error.message


@pytest.mark.parametrize("status", [204, 301, 302, 429, 500, 503])
def test_any_other_status_is_worth_another_try(status: int) -> None:
    error = refusal(status, GOOD.encode())

    assert (error.code, error.status) == ("IDPCommunicationError", 503)
    assert f"status {status}" in error.message
