"""Why somebody is not let in, in words that a page shows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason; the code goes to the audit log, as those of STS for tokens of others do."""

    code: str
    status: int


INVALID = Reason("InvalidIdentityToken", 400)
"""What the browser or the provider brought is not what was asked for."""
REJECTED = Reason("IDPRejectedClaim", 403)
"""The provider said no."""
DENIED = Reason("AccessDeniedException", 403)
"""The provider knows them, no rule does."""
GONE = Reason("ExpiredTokenException", 403)
"""The provider has no session of them any more."""
SILENT = Reason("IDPCommunicationError", 503)
"""The provider did not answer in time, or not as providers do."""


class SignInRefused(Exception):
    """Somebody is not let in; the text is for them and repeats no secret."""

    def __init__(self, reason: Reason, text: str, known: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text
        self.known = known or {}
        """Of whom that was said, for the audit log."""
        self.session_id = ""
        """Of the session that was looked at again, where it was one."""
