"""The wiring of signing in by OpenID Connect, from the settings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from compute_optimizer.api.authorization import parse_policy, policy_allowing
from compute_optimizer.config import Settings
from compute_optimizer.errors import InvalidInput
from compute_optimizer.store.sealing import Sealer

if TYPE_CHECKING:
    from compute_optimizer.console.openid.client import Client
    from compute_optimizer.console.openid.desk import Desk

NEEDED = ("oidc_client_id", "oidc_access_file", "console_url")
"""Settings without which a provider is of no use."""

LONGEST_SECRET_BYTES = 4096

PREFIX = re.compile(r"(/(?!console(/|$)|\.+(/|$))[A-Za-z0-9._-]+)*")
"""A path in front of the console's own: nothing that stands for something else in an address, a
page or a cookie."""


def openid_of(
    settings: Settings, sealer: Sealer | None, take: Callable[[str, datetime], float]
) -> Desk | None:
    """Return what signs people in by OpenID Connect; None where it is not set up.

    With auth off nobody is looked at, so that there is nothing to sign in to. Raises InvalidInput
    that names the setting at fault. The provider is not asked: it may be away for a while.
    """
    if not settings.oidc_issuer:
        _refuse_leftovers(settings)
        return None
    if sealer is None:
        return None
    # Only here: an emulator, and a console without a provider, start without the libraries.
    from compute_optimizer.console.openid.desk import Desk
    from compute_optimizer.console.openid.provider import Provider

    client = client_of(settings)
    return Desk(client, Provider(client.issuer), sealer, _policy, take)


def client_of(settings: Settings) -> Client:
    """Return this program as the provider knows it; raise InvalidInput."""
    from compute_optimizer.console.openid.access_file import read_access_file
    from compute_optimizer.console.openid.client import Client

    for name in NEEDED:
        if not getattr(settings, name):
            raise InvalidInput(f"setting {name}: signing in by oidc_issuer needs it")
    scopes = tuple(settings.oidc_scopes.replace(",", " ").split())
    if "openid" not in scopes:
        raise InvalidInput(
            f"setting oidc_scopes: {settings.oidc_scopes!r} lacks openid, which asks for who it is"
        )
    client = Client(
        issuer=_trusted_url("oidc_issuer", settings.oidc_issuer),
        client_id=settings.oidc_client_id,
        secret=_secret(settings),
        scopes=scopes,
        home=_home(settings.console_url),
        title=settings.oidc_title,
        longest_session=timedelta(hours=settings.oidc_session_hours),
        recheck=timedelta(minutes=settings.oidc_recheck_minutes),
        rules=read_access_file(Path(settings.oidc_access_file).expanduser()),
    )
    for rule in client.rules:
        try:
            parse_policy(policy_allowing(list(rule.allow)))
        except InvalidInput as error:
            raise InvalidInput(f"setting oidc_access_file: {rule.claim}: {error}") from None
    return client


def _refuse_leftovers(settings: Settings) -> None:
    for name in ("oidc_client_id", "oidc_access_file"):
        if getattr(settings, name):
            raise InvalidInput(f"setting oidc_issuer: {name} is set, and so names a provider's")


def _policy(patterns: list[str]) -> str:
    return json.dumps(policy_allowing(patterns))


def _secret(settings: Settings) -> str:
    """Return the client's secret; empty for a public client."""
    if not settings.oidc_client_secret_file:
        return settings.oidc_client_secret
    if settings.oidc_client_secret:
        raise InvalidInput("settings oidc_client_secret, oidc_client_secret_file: state one only")
    path = Path(settings.oidc_client_secret_file).expanduser()
    try:
        text = path.read_bytes()[:LONGEST_SECRET_BYTES].decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"setting oidc_client_secret_file: {path} cannot be read: {type(error).__name__}"
        ) from None
    if not text:
        raise InvalidInput(f"setting oidc_client_secret_file: {path} is empty")
    return text


def _trusted_url(name: str, url: str) -> str:
    from compute_optimizer.console.openid.provider import is_trusted_way

    if not is_trusted_way(url) or urlsplit(url).query:
        raise InvalidInput(
            f"setting {name}: {url!r} is none; expected a URL such as https://login.example.com, "
            "or http:// with a loopback address"
        )
    return url


def _home(url: str) -> str:
    prefix_of(url)
    return _trusted_url("console_url", url.rstrip("/"))


def prefix_of(url: str) -> str:
    """Return the path in front of /console of the setting `console_url`; raise InvalidInput."""
    prefix = urlsplit(url).path.rstrip("/")
    if not PREFIX.fullmatch(prefix):
        raise InvalidInput(
            f"setting console_url: the path of {url!r} is none; expected words of letters, figures "
            "and . _ - as in https://example.com/team/optimizer, without /console"
        )
    return prefix
