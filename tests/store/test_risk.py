"""The fleet's own risk model and the rules of risk, on every database."""

from dataclasses import replace
from datetime import UTC, datetime

from compute_optimizer.catalog.risk_prior import load_risk_prior
from compute_optimizer.model.risk_rules import RiskRule, RiskScope
from compute_optimizer.store import State, risk

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PROD = RiskRule(RiskScope.TAG, "env=prod", cap=0.01)
ACCOUNT = RiskRule(RiskScope.ACCOUNT, "111111111111", incident_usd=50.0, profile="published")


def test_a_fleet_has_no_model_until_one_is_kept(state: State) -> None:
    with state.writing() as connection:
        assert risk.fleet_model(connection) is None

        risk.save_model(connection, load_risk_prior(), NOW)

        assert risk.fleet_model(connection) == load_risk_prior()


def test_a_model_replaces_the_former_one_and_can_be_forgotten(state: State) -> None:
    with state.writing() as connection:
        risk.save_model(connection, load_risk_prior(), NOW)
        other = replace(load_risk_prior(), incident_usd={"0.05": 7.0})
        risk.save_model(connection, other, NOW.replace(day=2))

        assert risk.fleet_model(connection) == other
        assert risk.forget_model(connection)
        assert risk.fleet_model(connection) is None
        assert not risk.forget_model(connection)


def test_rules_are_listed_from_wide_to_narrow_and_replaced_by_scope(state: State) -> None:
    with state.writing() as connection:
        for rule in (PROD, ACCOUNT, RiskRule(RiskScope.TAG, "env=prod", cap=0.02)):
            risk.save_rule(connection, rule)

        found = risk.all_rules(connection)

    assert found == (ACCOUNT, RiskRule(RiskScope.TAG, "env=prod", cap=0.02))


def test_a_rule_is_removed_once(state: State) -> None:
    with state.writing() as connection:
        risk.save_rule(connection, PROD)

        assert risk.remove_rule(connection, RiskScope.TAG, "env=prod")
        assert not risk.remove_rule(connection, RiskScope.TAG, "env=prod")
        assert risk.all_rules(connection) == ()
