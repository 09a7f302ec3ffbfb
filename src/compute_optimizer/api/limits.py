"""How often somebody may come: token buckets that refill with time, bounded in memory."""

import ipaddress
from dataclasses import dataclass, field
from threading import Lock

BUCKETS_KEPT = 10_000
"""Buckets in memory; beyond it the one touched longest ago is dropped, which refills it."""

SECONDS_PER_MINUTE = 60.0

IPV6_PREFIX_BITS = 64
"""One subscriber owns a whole /64 (RFC 6177), so its addresses share one bucket."""


@dataclass(slots=True)
class TokenBuckets:
    """One token bucket per key; a rate of 0 lets everything pass.

    `now` is in seconds; a clock that is set back neither fills nor empties a bucket.
    """

    rate: float
    """Tokens that come back per second."""
    burst: float
    """Tokens that a full bucket holds."""
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Tokens left and the time they were counted, least recently touched first."""
    _lock: Lock = field(default_factory=Lock)

    def take(self, key: str, now: float) -> float:
        """Take a token and return 0, or return the seconds until there is one again."""
        if not self.rate:
            return 0.0
        with self._lock:
            tokens, counted = self._levels.pop(key, (self.burst, now))
            tokens = min(self.burst, tokens + max(0.0, now - counted) * self.rate)
            wait = 0.0 if tokens >= 1 else (1 - tokens) / self.rate
            self._levels[key] = (tokens if wait else tokens - 1, now)
            if len(self._levels) > BUCKETS_KEPT:
                del self._levels[next(iter(self._levels))]
        return wait


def per_minute(allowed: float) -> TokenBuckets:
    """Return buckets that let `allowed` pass at once and as many again in every minute."""
    return TokenBuckets(allowed / SECONDS_PER_MINUTE, max(allowed, 1.0))


def source_of(address: str) -> str:
    """Return what stands for a source address: the address, or the /64 that an IPv6 one is in."""
    if ":" not in address:
        return address
    try:
        network = ipaddress.ip_network((address.partition("%")[0], IPV6_PREFIX_BITS), strict=False)
    except ValueError:
        return address
    return str(network)
