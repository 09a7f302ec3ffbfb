"""Recommendation preferences with the service's defaults (spec 4.1)."""

import msgspec
from msgspec import structs

CURRENT = "CURRENT"
AWS_ARM64 = "AWS_ARM64"
ARCHITECTURES = (CURRENT, AWS_ARM64)
"""Values of cpuVendorArchitectures."""

AFTER_DISCOUNTS = "AfterDiscounts"
BEFORE_DISCOUNTS = "BeforeDiscounts"
"""Values of savingsEstimationMode."""

PUBLISHED = "published"
CALIBRATED = "calibrated"
PROFILES = (PUBLISHED, CALIBRATED)
"""What decides: the service's published rule, or the predicted risk of every option."""

AUTO = "auto"
"""Stands for the calibrated profile where the fleet has a risk model of its own, else for the
published rule: risks that were fitted elsewhere are shown, but have not earned the decision."""

DEFAULT_RISK_CAP = 0.2
"""Where no rule says otherwise. On public traces the cheapest options within it violated 4 to 5 %
of the machines in quiet fortnights, and 12 to 15 % at the end of a quarter (docs/quality.md)."""


class Preferences(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The effective preferences of one analysis.

    A default here is what a stored record means that leaves it out, so it never changes; should the
    service's change, DEFAULT_PREFERENCES says so.
    """

    cpu_percentile: float = 99.5
    """Threshold P99_5; P95 and P90 are the other values on the wire."""
    cpu_headroom: float = 0.20
    memory_headroom: float = 0.20
    other_headroom: float = 0.20
    """Every dimension without a preference: P99.5 with 20 % (spec 15, question 15; proposal)."""
    lookback_days: int = 14
    """14, 32 or 93."""
    enhanced_infrastructure_metrics: bool = False
    """Whether a look-back period of 93 days may be chosen."""
    inferred_workload_types: bool = True
    external_metrics_source: str | None = None
    """Datadog, Dynatrace, NewRelic or Instana; None where memory comes from no such provider."""
    include_types: tuple[str, ...] = ()
    exclude_types: tuple[str, ...] = ()
    """Preferred instance types: types, families or patterns; an empty list restricts nothing."""
    savings_estimation_mode: str = AFTER_DISCOUNTS
    profile: str = PUBLISHED
    """One of PROFILES; the service knows no such preference."""
    risk_cap: float = DEFAULT_RISK_CAP
    """Of the profile `calibrated`: the highest risk that an option may have, 0 to 1."""
    incident_usd: float | None = None
    """Of the same: what one violation is held to cost; None for what the risk model says."""


DEFAULT_PREFERENCES = Preferences()


def with_shared_defaults(preferences: Preferences) -> Preferences:
    """Return the same preferences, in which what equals a default is the default itself.

    Only that is left out of what is stored, and a process that was sent them has copies: without
    this, bodies would differ by where they were made.
    """
    own = structs.fields(Preferences)
    stated = {one.name: getattr(preferences, one.name) for one in own}
    return Preferences(
        **{one.name: stated[one.name] for one in own if stated[one.name] != one.default}
    )
