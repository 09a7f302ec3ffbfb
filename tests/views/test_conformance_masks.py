"""Texts of errors without what identifies somebody."""

import pytest

from compute_optimizer.views.conformance_masks import masked, parts_of, word_or_mask


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "User: arn:aws:iam::123456789012:user/bob is not authorized",
            "User: *** is not authorized",
        ),
        ("account 123456789012 is no member", "account *** is no member"),
        ("i-0123456789abcdef0 and vol-0123456789abcdef0", "*** and ***"),
        ("no tag 'payroll' of \"acme\"", "no tag *** of ***"),
        ("ask bob@example.com or https://acme.example/x", "ask *** or ***"),
        ("10.0.0.12 and db.acme.example.com are away", "*** and *** are away"),
        ("token AQoDYXdzEJr1K2b3c4d5e6f7g8h9i0j1k2l3m4 is old", "token *** is old"),
        ("Aws account is not registered for recommendation.",) * 2,
        ("filters[0].values[0]: expected a string",) * 2,
    ],
)
def test_identifying_parts_are_masked_and_others_stay(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_names_of_the_resource_that_was_asked_about_are_masked() -> None:
    arn = "arn:aws:rds:us-east-1:123456789012:db:payroll"

    assert masked("payroll is no database", parts_of(arn)) == "*** is no database"


def test_a_value_of_an_enum_is_one_word() -> None:
    assert word_or_mask("OVER_PROVISIONED") == "OVER_PROVISIONED"
    assert word_or_mask("i-0123456789abcdef0") == "***"
