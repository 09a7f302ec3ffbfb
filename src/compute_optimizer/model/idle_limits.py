"""Limits of idleness that somebody states in place of the published ones."""

from collections.abc import Mapping

IdleLimits = Mapping[str, Mapping[str, float]]
"""By type (enum IdleRecommendationResourceType) and the name of a limit."""

NO_LIMITS: IdleLimits = {}
"""Nobody states any: the published ones hold."""
