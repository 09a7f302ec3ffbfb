"""The risk model that ships: fitted on public traces, for fleets that have none of their own."""

from functools import cache

import msgspec

from compute_optimizer.catalog.tables import read_table
from compute_optimizer.model.risk import RiskModel

RISK_PRIOR_FILE = "risk_prior.json"


@cache
def load_risk_prior() -> RiskModel:
    """Return the model that ships; its card says what it was fitted on and where it ends."""
    return msgspec.convert(dict(read_table(RISK_PRIOR_FILE)), RiskModel)
