"""What AWS refuses, as errors that say who refused what, and what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from compute_optimizer.errors import SourceUnavailable

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
"""Error codes of calls that IAM does not allow."""

UNKNOWN_KEY = ("AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException")
"""Error codes of keys that nobody knows: also in a Region that is not enabled (documented)."""

WRONG_SIGNATURE = ("InvalidSignatureException", "RequestTimeTooSkewed", "SignatureDoesNotMatch")

EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")

ADVICE = {
    **dict.fromkeys(DENIED, "allow it as in docs/collect-aws.md"),
    **dict.fromkeys(
        UNKNOWN_KEY, "the credentials are wrong, or the account has not enabled this Region"
    ),
    **dict.fromkeys(
        WRONG_SIGNATURE, "the secret of the credentials is wrong, or the clock of this machine"
    ),
    **dict.fromkeys(EXPIRED, "the credentials have expired: get new ones, as by `aws sso login`"),
}
"""What to do, by the error codes that whoever runs the program can do something about."""

SHOWN_CHARACTERS = 400
"""Of a message: AWS's are shorter, and what stands between may answer with a whole page."""


def code_of(error: SourceUnavailable) -> str:
    """Return AWS's code of a refusal, "" where it was not AWS that refused."""
    cause = error.__cause__
    return str(cause.response["Error"]["Code"]) if isinstance(cause, ClientError) else ""


@contextmanager
def refusals(place: str, action: str) -> Iterator[None]:
    """Raise SourceUnavailable that names the place and the action for whatever AWS refuses."""
    try:
        yield
    except ClientError as error:
        advice = ADVICE.get(error.response["Error"]["Code"])
        told = _told(error) + (f"; {advice}" if advice else "")
        raise SourceUnavailable(f"{place}: {action}: {told}") from error
    except (BotoCoreError, ResponseParserError) as error:
        # The latter where something else than AWS answers, such as a proxy.
        raise SourceUnavailable(f"{place}: {action}: {_told(error)}") from error


def _told(error: Exception) -> str:
    """Return the text of an error in one line."""
    text = " ".join(str(error).replace("\\n", " ").split())
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} ..."
