"""What AWS refuses, as errors that say who refused what, and what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from compute_optimizer.errors import SourceUnavailable

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
"""Error codes of calls that IAM does not allow."""

ADVICE = "; allow it as in docs/collect-aws.md"


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
        advice = ADVICE if error.response["Error"]["Code"] in DENIED else ""
        raise SourceUnavailable(f"{place}: {action}: {error}{advice}") from error
    except (BotoCoreError, ResponseParserError) as error:
        # The latter where something else than AWS answers, such as a proxy.
        raise SourceUnavailable(f"{place}: {action}: {error}") from error
