"""The fleet's own risk model, and the rules of how much risk is taken, as the state keeps them."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, insert, select

from compute_optimizer.model.risk import RiskModel
from compute_optimizer.model.risk_rules import RiskRule, RiskScope
from compute_optimizer.store.schema import risk_models, risk_rules

FLEET = "fleet"
"""Name of the model that `calibrate` fits."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(RiskModel).decode


def save_model(connection: Connection, model: RiskModel, now: datetime) -> None:
    """Replace the fleet's own model."""
    forget_model(connection)
    connection.execute(insert(risk_models).values(name=FLEET, fitted_at=now, body=_encode(model)))


def forget_model(connection: Connection) -> bool:
    """Remove the fleet's own model and return whether there was one."""
    return connection.execute(delete(risk_models)).rowcount > 0


def fleet_model(connection: Connection) -> RiskModel | None:
    """Return the fleet's own model; None where none was fitted."""
    body = connection.execute(select(risk_models.c.body)).scalar()
    return None if body is None else _decode(body)


def save_rule(connection: Connection, rule: RiskRule) -> None:
    """Replace the rule of one scope."""
    remove_rule(connection, rule.scope, rule.value)
    connection.execute(
        insert(risk_rules).values(
            scope=rule.scope.value,
            value=rule.value,
            cap=rule.cap,
            incident_usd=rule.incident_usd,
            profile=rule.profile,
        )
    )


def remove_rule(connection: Connection, scope: RiskScope, value: str) -> bool:
    """Remove the rule of one scope and return whether there was one."""
    wanted = (risk_rules.c.scope == scope.value, risk_rules.c.value == value)
    return connection.execute(delete(risk_rules).where(*wanted)).rowcount > 0


def all_rules(connection: Connection) -> tuple[RiskRule, ...]:
    """Return every rule, from wide to narrow scopes, then by value."""
    order = list(RiskScope)
    rows = connection.execute(select(risk_rules)).mappings()
    found = [RiskRule(**{**row, "scope": RiskScope(row["scope"])}) for row in rows]
    return tuple(sorted(found, key=lambda rule: (order.index(rule.scope), rule.value)))
