"""Settings of a provider: what is missing or wrong is named before anybody is served."""

from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.app.openid import client_of, openid_of
from compute_optimizer.config import Settings, load_settings
from compute_optimizer.errors import InvalidInput

RULE = 'access: [{claim: groups, value: a, accounts: ["111111111111"], access: read-only}]'


def settings_of(folder: Path, rules: str = RULE, **changed: Any) -> Settings:
    (folder / "access.yaml").write_text(rules)
    given = {
        "console_url": "https://optimizer.example.com/",
        "oidc_issuer": "https://login.example.com",
        "oidc_client_id": "console",
        "oidc_client_secret": "hidden",
        "oidc_access_file": str(folder / "access.yaml"),
    }
    return load_settings(given | changed, {})


def test_a_client_is_what_the_settings_say(tmp_path: Path) -> None:
    client = client_of(settings_of(tmp_path))

    assert client.callback == "https://optimizer.example.com/console/sign-in/callback"
    assert (client.secret, client.scopes) == ("hidden", ("openid", "profile", "email"))
    assert "hidden" not in repr(client)


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    file = str(tmp_path / "secret")

    changed = {"oidc_client_secret": "", "oidc_client_secret_file": file}
    assert client_of(settings_of(tmp_path, **changed)).secret == "from a file"
    with pytest.raises(InvalidInput, match="state one only"):
        client_of(settings_of(tmp_path, oidc_client_secret_file=file))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"oidc_client_id": ""}, "setting oidc_client_id: signing in by oidc_issuer needs it"),
        ({"oidc_access_file": ""}, "setting oidc_access_file: signing in by oidc_issuer needs it"),
        ({"console_url": ""}, "setting console_url: signing in by oidc_issuer needs it"),
        ({"console_url": "http://optimizer.example.com"}, "setting console_url: .* is none"),
        ({"console_url": "https://x.example/a b"}, "the path of .* is none"),
        ({"console_url": "https://x.example/console/"}, "without /console"),
        ({"console_url": "https://x.example/co/../up"}, "the path of .* is none"),
        ({"console_url": "https://x.example//evil"}, "the path of .* is none"),
        ({"oidc_issuer": "login.example.com"}, "setting oidc_issuer: 'login.example.com' is none"),
        ({"oidc_issuer": "https://x.example/?a=b"}, "setting oidc_issuer"),
        ({"oidc_scopes": "email"}, "setting oidc_scopes: 'email' lacks openid"),
        ({"oidc_access_file": "/nowhere.yaml"}, "/nowhere.yaml: cannot be read"),
        (
            {"oidc_client_secret": "", "oidc_client_secret_file": "/nowhere"},
            "setting oidc_client_secret_file: /nowhere cannot be read",
        ),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, changed: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        client_of(settings_of(tmp_path, **changed))

    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("", "oidc_access_file"),
        ("access: []", "length >= 1"),
        (RULE.replace('"', ""), "account ids and values stand in quotes"),
        (RULE.replace("read-only", "admin"), "Invalid enum value 'admin'"),
        (RULE.replace("access: read-only", ""), "rule 1 needs either access"),
        (RULE.replace("read-only", "read-only, allow: [x:y]"), "rule 1 needs either access"),
        (RULE.replace("access: read-only", "allow: [everything]"), "'everything' is no action"),
        (RULE.replace("value: a", "values: [a]"), "unknown field `values`"),
        (RULE.replace("111111111111", "1111"), "matching regex"),
        (RULE.replace("111111111111", "\u0661" * 12), "matching regex"),
        (RULE.replace("111111111111", "111111111111\\n"), "matching regex"),
    ],
)
def test_wrong_rules_are_named(tmp_path: Path, rules: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        client_of(settings_of(tmp_path, rules))

    assert said in str(caught.value)
    assert "oidc_access_file" in str(caught.value)


def test_settings_of_a_provider_that_is_not_named_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="setting oidc_issuer: oidc_client_id is set"):
        openid_of(settings_of(tmp_path, oidc_issuer=""), None, lambda source, now: 0.0)


def test_with_auth_off_there_is_nothing_to_sign_in_to(tmp_path: Path) -> None:
    assert openid_of(settings_of(tmp_path), None, lambda source, now: 0.0) is None
