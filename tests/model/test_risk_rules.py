"""Rules of risk: the narrowest scope decides, field by field."""

from dataclasses import replace

import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.preferences import CALIBRATED, PUBLISHED, Preferences
from compute_optimizer.model.risk_rules import RiskRule, RiskScope, check_rule, ruled
from tests.fleets import instance

ORGANIZATION = "o-1234567890"
MACHINE = replace(instance(1, "m5.large"), tags={"env": "prod", "team": "web"})
PLAIN = Preferences(profile=CALIBRATED)

OF_ORGANIZATION = RiskRule(RiskScope.ORGANIZATION, ORGANIZATION, cap=0.3)
OF_ACCOUNT = RiskRule(RiskScope.ACCOUNT, MACHINE.account_id, cap=0.2)
OF_TAG = RiskRule(RiskScope.TAG, "env=prod", cap=0.01)
OF_RESOURCE = RiskRule(RiskScope.RESOURCE, MACHINE.arn, cap=0.5)


def cap(*rules: RiskRule) -> float:
    return ruled(PLAIN, MACHINE, rules, ORGANIZATION).risk_cap


def test_without_a_rule_the_preferences_stay() -> None:
    assert ruled(PLAIN, MACHINE, ()) == PLAIN


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((OF_ORGANIZATION,), 0.3),
        ((OF_ACCOUNT, OF_ORGANIZATION), 0.2),
        ((OF_TAG, OF_ORGANIZATION, OF_ACCOUNT), 0.01),
        ((OF_RESOURCE, OF_TAG, OF_ACCOUNT, OF_ORGANIZATION), 0.5),
    ],
)
def test_the_narrowest_scope_decides(rules: tuple[RiskRule, ...], expected: float) -> None:
    assert cap(*rules) == expected
    assert cap(*reversed(rules)) == expected


def test_of_several_tags_the_most_careful_counts() -> None:
    loose = RiskRule(RiskScope.TAG, "team=web", cap=0.4, incident_usd=10.0)
    dear = RiskRule(RiskScope.TAG, "env=prod", cap=0.02, incident_usd=900.0)

    found = ruled(PLAIN, MACHINE, (loose, dear))

    assert (found.risk_cap, found.incident_usd) == (0.02, 900.0)


def test_fields_are_resolved_each_by_itself() -> None:
    wide = RiskRule(RiskScope.ACCOUNT, MACHINE.account_id, incident_usd=50.0, profile=PUBLISHED)

    found = ruled(PLAIN, MACHINE, (wide, OF_TAG))

    assert (found.risk_cap, found.incident_usd, found.profile) == (0.01, 50.0, PUBLISHED)


@pytest.mark.parametrize(
    "rule",
    [
        RiskRule(RiskScope.ORGANIZATION, "o-other", cap=0.9),
        RiskRule(RiskScope.ACCOUNT, "999999999999", cap=0.9),
        RiskRule(RiskScope.TAG, "env=dev", cap=0.9),
        RiskRule(RiskScope.RESOURCE, "arn:aws:ec2:::instance/i-2", cap=0.9),
    ],
)
def test_rules_of_others_do_not_count(rule: RiskRule) -> None:
    assert cap(rule) == PLAIN.risk_cap


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (RiskRule(RiskScope.ACCOUNT, "1"), "states nothing; expected a cap"),
        (RiskRule(RiskScope.ACCOUNT, "1", cap=20), "20 is no probability; expected 0.01 for 1 %"),
        (RiskRule(RiskScope.ACCOUNT, "1", cap=-0.1), "no probability"),
        (RiskRule(RiskScope.ACCOUNT, "1", incident_usd=-1), "is not possible; expected 0 or more"),
        (RiskRule(RiskScope.ACCOUNT, "1", profile="bold"), "expected one of published, calibrated"),
        (RiskRule(RiskScope.TAG, "prod", cap=0.1), "has no value; expected one such as env=prod"),
    ],
)
def test_impossible_rules_are_refused(rule: RiskRule, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        check_rule(rule)
