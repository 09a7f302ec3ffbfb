"""One provider for all tests that do not change it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey

from tests.console.conftest import House
from tests.console.openid.signing_in import HOME, house_of
from tests.identity_provider import IdentityProvider, identity_provider


@pytest.fixture(scope="session")
def signing_key() -> RSAKey:
    """The provider's own key, so that a test can sign what the provider would never say."""
    return RSAKey.generate_key(2048, {"kid": "first", "use": "sig", "alg": "RS256"})


@pytest.fixture(scope="session")
def provider(signing_key: RSAKey) -> Iterator[IdentityProvider]:
    with identity_provider(HOME, keys=[signing_key.as_dict(private=True)]) as running:
        yield running


@pytest.fixture
def house(tmp_path: Path, provider: IdentityProvider) -> Iterator[House]:
    with house_of(tmp_path, provider.issuer) as found:
        yield found
