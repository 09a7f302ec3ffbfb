"""What this program is to a provider, as its settings say."""

from dataclasses import dataclass, field
from datetime import timedelta

from compute_optimizer.model.openid import AccessRule

CALLBACK = "/console/sign-in/callback"
"""Path that the provider sends browsers back to; it wants to know the whole address before."""

AFTER_LEAVING = "/console/sign-in"
"""The same after signing out."""


@dataclass(frozen=True, slots=True)
class Client:
    """This program, registered with one provider."""

    issuer: str
    client_id: str
    secret: str = field(repr=False)
    """Empty for a public client, which only PKCE protects."""
    scopes: tuple[str, ...]
    home: str
    """URL at which browsers reach this program, without a slash at its end."""
    title: str
    """What the form calls the provider."""
    longest_session: timedelta
    recheck: timedelta
    """After which the provider is asked whether somebody is still signed in there; zero for
    never."""
    rules: tuple[AccessRule, ...]

    @property
    def callback(self) -> str:
        """Return where the provider sends browsers back to."""
        return f"{self.home}{CALLBACK}"

    @property
    def after_leaving(self) -> str:
        """Return the same after signing out."""
        return f"{self.home}{AFTER_LEAVING}"

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach this program by TLS, so that cookies may want it."""
        return self.home.startswith("https:")
