"""SQL Server on the database machines of a generated fleet, and what is counted of its features."""

from collections.abc import Mapping, Sequence

import numpy as np

from compute_optimizer.model.license import (
    ENTERPRISE,
    FREE,
    LICENSE_INCLUDED,
    STANDARD,
    SqlServer,
)
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.scenario.fleet import Machine

FEATURES = MetricKey("mssql_enterprise_features_used", Statistic.MAXIMUM)

DATABASE_ROLE = "db"
LICENSED_SHARE = 0.4
"""Share of the database machines that run SQL Server; this and the next are no real fleet's."""

EDITION_SHARES: Mapping[str, float] = {ENTERPRISE: 0.6, STANDARD: 0.3, FREE: 0.1}
"""They add up to 1."""

WATCHED_SHARE = 0.8
"""Share of the licenses whose features are counted by Application Insights."""

USING_SHARE = 0.4
"""Share of the Enterprise editions that use a feature of Enterprise."""

MOST_FEATURES = 3


def generate_licenses(
    seed: int, fleet: Sequence[Machine]
) -> tuple[Mapping[str, SqlServer], Mapping[str, int]]:
    """Return licenses by the ARN of their machine, and how many features those watched use.

    Both are the same for the same seed.
    """
    generator = np.random.default_rng((seed, len(fleet), len(DATABASE_ROLE)))
    licenses: dict[str, SqlServer] = {}
    used: dict[str, int] = {}
    for machine in fleet:
        one = machine.resource
        if one.tags["Application"] != DATABASE_ROLE or generator.random() >= LICENSED_SHARE:
            continue
        edition = str(generator.choice(list(EDITION_SHARES), p=list(EDITION_SHARES.values())))
        watched, uses = generator.random() < WATCHED_SHARE, generator.random() < USING_SHARE
        place = f"{one.region}:{one.account_id}:application/resource-group/{one.name}"
        licenses[one.arn] = SqlServer(
            edition,
            LICENSE_INCLUDED,
            version="2019",
            metrics_source_arn=f"arn:aws:applicationinsights:{place}" if watched else None,
            production=one.tags["Environment"] == "prod",
        )
        if watched:
            features = int(generator.integers(1, MOST_FEATURES + 1))
            used[one.arn] = features if uses and edition == ENTERPRISE else 0
    return licenses, used


def generate_license_samples(used: Mapping[str, int], window: Window) -> ShardSamples:
    """Return what was counted in a window: the same number all the time."""
    arns = tuple(sorted(used))
    counts = np.array([used[arn] for arn in arns], np.float32)
    shape = (len(arns), window.days * SLOTS_PER_DAY)
    series: Matrix = np.broadcast_to(counts[:, None], shape).copy()
    return ShardSamples(arns, window, {FEATURES: series})
