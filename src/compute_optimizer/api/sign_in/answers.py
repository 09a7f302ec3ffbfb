"""What STS answers: read as text that anybody might have written."""

import re
from xml.etree import ElementTree

from compute_optimizer.api.errors import IDENTITY_REJECTED, STS_SILENT, RequestRefused
from compute_optimizer.model.sign_in import AwsIdentity, identity_of

NAMESPACE = "{https://sts.amazonaws.com/doc/2011-06-15/}"
"""Of every element (AWS STS API reference)."""

OK, CLIENT_ERRORS, THROTTLED = 200, range(400, 500), 429
_DECLARATION = "<!"
"""Begins a document type or an entity; STS sends neither."""
_CODE = re.compile(r"<Code>([A-Za-z]{1,64})</Code>")


def read_answer(status: int, body: bytes) -> AwsIdentity:
    """Return who STS says it was.

    Raises IDPRejectedClaim where STS refused, and IDPCommunicationError where it did not answer as
    it is known to; nothing of the answer but the code of its error is repeated.
    """
    if status in CLIENT_ERRORS and status != THROTTLED:
        raise RequestRefused(IDENTITY_REJECTED, _rejection(body))
    if status != OK:
        raise RequestRefused(STS_SILENT, f"STS answered with status {status}. Try again.")
    identity = _identity(body)
    if identity is None:
        raise RequestRefused(STS_SILENT, "STS's answer does not say who signed the request.")
    return identity


def _rejection(body: bytes) -> str:
    found = _CODE.search(body.decode("utf-8", "replace"))
    code = f" ({found[1]})" if found else ""
    return (
        f"STS did not accept the presigned request{code}: it was changed, signed for another "
        "server, or with credentials that are unknown or expired."
    )


def _identity(body: bytes) -> AwsIdentity | None:
    try:
        text = body.decode()
        if _DECLARATION in text:
            return None
        root = ElementTree.fromstring(text)
    except (ValueError, ElementTree.ParseError):
        return None
    if root.tag != f"{NAMESPACE}GetCallerIdentityResponse":
        return None
    arn, account = (_only(root, name) for name in ("Arn", "Account"))
    return None if arn is None or account is None else identity_of(arn, account)


def _only(root: ElementTree.Element, name: str) -> str | None:
    """Return the text of an element that must be there once."""
    found = root.findall(f"{NAMESPACE}GetCallerIdentityResult/{NAMESPACE}{name}")
    return found[0].text if len(found) == 1 else None
