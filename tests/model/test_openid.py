"""Which claims open which accounts."""

from typing import Any

import pytest

from compute_optimizer.model.openid import AccessRule, claim_values, opened_accounts, person_of

LOOK, CHANGE = ("compute-optimizer:Get*",), ("compute-optimizer:*",)
RULES = (
    AccessRule("groups", "a", ("111111111111", "222222222222"), LOOK),
    AccessRule("groups", "b", ("222222222222",), CHANGE),
)


def opened(**claims: Any) -> dict[str, tuple[str, ...]]:
    return opened_accounts(RULES, person_of("https://id", {"sub": "x", **claims}, RULES))


def test_nothing_is_open_without_a_rule_that_fits() -> None:
    assert opened() == {}
    assert opened(groups=["A", "aa", " a"]) == {}
    assert opened(groups="") == {}
    assert opened(groups={"a": True}) == {}
    assert opened(roles=["a"]) == {}
    assert opened_accounts((), person_of("https://id", {"sub": "x", "groups": ["a"]}, ())) == {}


def test_rules_add_up() -> None:
    assert opened(groups=["a"]) == {"111111111111": LOOK, "222222222222": LOOK}
    assert opened(groups=["b", "a"]) == {
        "111111111111": LOOK,
        "222222222222": ("compute-optimizer:*", "compute-optimizer:Get*"),
    }
    assert opened(groups="b") == {"222222222222": CHANGE}


@pytest.mark.parametrize(
    ("claims", "name", "values"),
    [
        ({"realm_access": {"roles": ["a", 7, None]}}, "realm_access.roles", ("a",)),
        (
            {"realm_access.roles": "b", "realm_access": {"roles": ["a"]}},
            "realm_access.roles",
            ("b",),
        ),
        ({"https://example.com/groups": ["a"]}, "https://example.com/groups", ("a",)),
        ({"a": {"b": {"c": "d"}}}, "a.b", ()),
        ({"a": "b"}, "a.b.c", ()),
        ({"email": "x@example.com"}, "email", ()),
        ({"email": "x@example.com", "email_verified": False}, "email", ()),
        ({"email": "x@example.com", "email_verified": "false"}, "email", ()),
        ({"email": "x@example.com", "email_verified": 1.5}, "email", ()),
        ({"email": "x@example.com", "email_verified": True}, "email", ("x@example.com",)),
        ({"email": "x@example.com", "email_verified": "true"}, "email", ("x@example.com",)),
    ],
)
def test_values_of_claims(claims: dict[str, Any], name: str, values: tuple[str, ...]) -> None:
    assert claim_values(claims, name) == values


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        (
            {"email": "x@example.com", "email_verified": True, "preferred_username": "y"},
            "x@example.com",
        ),
        ({"email": "x@example.com", "preferred_username": "y"}, "y"),
        ({"email": "x@example.com"}, "auth0%7C7"),
        ({"preferred_username": "a/b:*\n"}, "a%2Fb%3A%2A%0A"),
    ],
)
def test_people_are_named_in_a_way_that_nothing_else_can_be_read_from(
    claims: dict[str, Any], name: str
) -> None:
    person = person_of("https://id.example.com/x/", {"sub": "auth0|7", **claims}, ())

    assert person.principal_arn("111111111111") == (
        f"arn:aws:iam::111111111111:oidc-provider/id.example.com/x/{name}"
    )


def test_no_more_is_kept_of_claims_than_rules_ask_for() -> None:
    person = person_of("https://id", {"sub": "x", "groups": ["a"], "address": "secret"}, RULES)

    assert dict(person.claims) == {"groups": ("a",)}
