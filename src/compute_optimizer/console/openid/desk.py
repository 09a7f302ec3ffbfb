"""What the pages call to sign somebody in by OpenID Connect."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any
from urllib.parse import urlencode

from compute_optimizer.console.openid import waiting as at_provider
from compute_optimizer.console.openid.client import Client
from compute_optimizer.console.openid.exchange import address_at, exchanged, read_user_info
from compute_optimizer.console.openid.logout_tokens import (
    LONGEST_NAME,
    LogoutToken,
    read_logout_token,
)
from compute_optimizer.console.openid.provider import Facts, Provider
from compute_optimizer.console.openid.refusals import (
    DENIED,
    GONE,
    INVALID,
    REJECTED,
    SignInRefused,
)
from compute_optimizer.console.openid.tokens import Tokens, read_id_token
from compute_optimizer.console.openid.waiting import Waiting
from compute_optimizer.model.openid import (
    EMAIL,
    SUBJECT,
    Person,
    claim_values,
    opened_accounts,
    person_of,
)
from compute_optimizer.store.provider_sessions import ProviderNames
from compute_optimizer.store.sealing import Sealer

LONGEST_CODE = 4096
"""Letters; those of Entra ID have some 1,500."""

LONGEST_HINT = 6000
"""Letters of an ID token that still goes into an address: servers take lines of 8,000 (RFC 9110,
4.1)."""

GONE_ERRORS = frozenset(
    {"login_required", "interaction_required", "account_selection_required", "consent_required"}
)
"""What a provider says that would have to ask somebody (OpenID Connect Core 1.0, 3.1.2.6)."""

SHOWN = 300
"""Letters of what a provider says that are shown."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who came back from the provider and is let in."""

    person: Person
    id_token: str
    """Kept, sealed, to sign them out there as well."""
    back: str
    """The page that was asked for."""
    session_id: str
    """Of the session that was looked at again; empty for somebody who signs in."""
    earlier_id: str
    """Of the session that the browser had when it went to the provider; empty for none."""
    names: ProviderNames
    began_at: datetime
    """When they went to the provider: what it has ended since, they are not let in by."""


@dataclass(frozen=True, slots=True, eq=False)
class Desk:
    """Signs people in."""

    client: Client
    provider: Provider
    sealer: Sealer
    policy_of: Callable[[list[str]], str]
    """Return the policy document (JSON) that allows patterns of actions."""
    take: Callable[[str, datetime], float]
    """Count one who comes back, by source; returns seconds for which no more are looked at."""

    def begin(self, back: str, earlier_id: str, now: datetime) -> tuple[str, str]:
        """Return the provider's address and the cookie to go there with; the session that the
        browser has, if any, ends when somebody comes back."""
        return self._begin(at_provider.new_waiting(back, now, earlier_id=earlier_id), now)

    def begin_again(
        self, back: str, session_id: str, id_token: str, now: datetime
    ) -> tuple[str, str]:
        """Return the same for a session: the provider asks nobody, it knows them still or not."""
        begun = at_provider.new_waiting(back, now, session_id)
        return self._begin(begun, now, {"prompt": "none", **_hint(id_token)})

    def _begin(
        self, begun: Waiting, now: datetime, more: Mapping[str, str] | None = None
    ) -> tuple[str, str]:
        address = address_at(self.provider.facts(now), self.client, begun, more)
        return address, at_provider.kept(self.client, self.sealer, begun)

    def is_due(self, checked_at: datetime, now: datetime, times: int = 1) -> bool:
        """Return whether a session was looked at longer ago than it should be, or so many times as
        long."""
        longest = self.client.recheck * times
        return bool(longest) and now - checked_at >= longest

    def ended(self, logout_token: str, now: datetime) -> LogoutToken:
        """Return what a provider says has ended; raise SignInRefused."""
        return read_logout_token(self.client, self.provider, logout_token, now)

    @property
    def cookie_name(self) -> str:
        """Return the name of that cookie."""
        return at_provider.cookie_name(self.client)

    @property
    def forgotten(self) -> str:
        """Return what takes the cookie away: one that came back is good once."""
        return at_provider.forgotten(self.client)

    def finish(self, told: Mapping[str, list[str]], cookie: str, now: datetime) -> Arrival:
        """Return who came back with an answer of the provider; raise SignInRefused."""
        begun = at_provider.found(self.sealer, cookie, now)
        if begun is None or not _belongs(_one(told, "state"), begun.state):
            raise SignInRefused(
                INVALID,
                "This browser has begun no such sign-in here, or more than ten minutes ago. Open "
                f"{self.client.home}/console/ and sign in there.",
            )
        try:
            return self._finished(told, begun, now)
        except SignInRefused as error:
            error.session_id = begun.session_id
            raise

    def _finished(self, told: Mapping[str, list[str]], begun: Waiting, now: datetime) -> Arrival:
        facts = self.provider.facts(now)
        code = _code(told, facts)
        tokens = exchanged(facts, self.client, begun, code)
        claims = read_id_token(self.client, self.provider, tokens, begun.nonce, now)
        complete = self._complete(facts, tokens, claims)
        person = person_of(self.client.issuer, complete, self.client.rules)
        self._check_opens(person)
        names = ProviderNames(self.client.issuer, person.subject, _session_name(claims))
        kept = begun.back, begun.session_id, begun.earlier_id
        return Arrival(person, tokens.id_token, *kept, names, begun.began_at)

    def policies(self, person: Person) -> dict[str, str]:
        """Return the policies that apply to a person now, by account; none for one of another
        issuer."""
        if person.issuer != self.client.issuer:
            return {}
        opened = opened_accounts(self.client.rules, person)
        return {account_id: self.policy_of(list(allow)) for account_id, allow in opened.items()}

    def farewell(self, id_token: str, now: datetime) -> str | None:
        """Return the address that signs somebody out at the provider; None where there is none,
        or nobody can tell (OpenID Connect RP-Initiated Logout 1.0)."""
        try:
            endpoint = self.provider.facts(now).end_session_endpoint
        except SignInRefused:
            return None
        if not endpoint:
            return None
        asked = _hint(id_token) | {
            "client_id": self.client.client_id,
            "post_logout_redirect_uri": self.client.after_leaving,
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def _complete(self, facts: Facts, tokens: Tokens, claims: Mapping[str, Any]) -> Any:
        """Return the claims with those that only the endpoint UserInfo tells, where rules, or
        people's names, want more than the token has; what is signed goes before."""
        wanted = {EMAIL, *(rule.claim for rule in self.client.rules)}
        if all(claim_values(claims, name) for name in wanted) or not facts.userinfo_endpoint:
            return claims
        if not tokens.access_token:
            return claims
        return {**read_user_info(facts, tokens, claims[SUBJECT]), **claims}

    def _check_opens(self, person: Person) -> None:
        if not opened_accounts(self.client.rules, person):
            known = {"issuer": person.issuer, "subject": person.subject, "name": person.name}
            raise SignInRefused(
                DENIED,
                f"The provider knows you as {person.name}, but no rule lets you in here. An "
                "operator can add one to the file of the setting oidc_access_file.",
                known,
            )


def _code(told: Mapping[str, list[str]], facts: Facts) -> str:
    """Return the code of an answer that is the provider's; raise SignInRefused."""
    issuer = _one(told, "iss")
    # RFC 9207: the answer of another provider is not taken for this one's.
    if issuer != facts.issuer and (issuer or facts.authorization_response_iss_parameter_supported):
        raise SignInRefused(INVALID, "The answer is another provider's. Sign in again.")
    if error := _one(told, "error"):
        if error in GONE_ERRORS:
            raise SignInRefused(GONE, "You are no longer signed in at the provider. Sign in again.")
        said = f"{error}: {_one(told, 'error_description')}".strip(": ")
        raise SignInRefused(REJECTED, f"The provider did not sign you in ({said[:SHOWN]}).")
    code = _one(told, "code")
    if not 0 < len(code) <= LONGEST_CODE:
        raise SignInRefused(INVALID, "The provider's answer has no code. Sign in again.")
    return code


def _session_name(claims: Mapping[str, Any]) -> str:
    """Return what the provider calls its own session; empty where it does not say."""
    name = claims.get("sid", "")
    return name if isinstance(name, str) and len(name) <= LONGEST_NAME else ""


def _hint(id_token: str) -> dict[str, str]:
    """Return what tells the provider whom a request is about, where it fits an address."""
    return {"id_token_hint": id_token} if len(id_token) <= LONGEST_HINT else {}


def _one(told: Mapping[str, list[str]], name: str) -> str:
    """Return a parameter; empty where it is not there, or more than once (RFC 6749, 3.1)."""
    values = told.get(name, [])
    return values[0] if len(values) == 1 else ""


def _belongs(given: str, expected: str) -> bool:
    return compare_digest(given.encode(), expected.encode())
