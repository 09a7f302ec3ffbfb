"""How often somebody may come: token buckets that refill with time, bounded in memory."""

import ipaddress
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple, Protocol

BUCKETS_KEPT = 10_000
"""Buckets in memory; beyond it the one touched longest ago is dropped, which refills it."""

SECONDS_PER_MINUTE = 60.0

IPV6_PREFIX_BITS = 64
"""One subscriber owns a whole /64 (RFC 6177), so its addresses share one bucket."""


class Level(NamedTuple):
    """What a bucket held when somebody last looked."""

    tokens: float
    counted: float
    """Seconds, by the clock of whoever takes."""


class Levels(Protocol):
    """Where the levels of buckets are kept."""

    def hold(self, key: str) -> AbstractContextManager[object]:
        """Keep everybody else from the bucket of a key."""

    def level(self, key: str) -> Level | None:
        """Return the level of a key; None for one that is not kept."""

    def keep(self, key: str, level: Level) -> None:
        """Keep a level."""


class OwnLevels:
    """Levels in the memory of this process."""

    def __init__(self) -> None:
        self._levels: dict[str, Level] = {}
        """Least recently touched first."""
        self._lock = Lock()

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._levels)

    def hold(self, key: str) -> AbstractContextManager[object]:
        """Keep other threads from the levels."""
        return self._lock

    def level(self, key: str) -> Level | None:
        """Return the level of a key."""
        return self._levels.get(key)

    def keep(self, key: str, level: Level) -> None:
        """Keep a level, as the one touched last."""
        self._levels.pop(key, None)
        self._levels[key] = level
        if len(self._levels) > BUCKETS_KEPT:
            del self._levels[next(iter(self._levels))]


@dataclass(frozen=True, slots=True)
class TokenBuckets:
    """One token bucket per key; a rate of 0 lets everything pass.

    `now` is in seconds; a clock that is set back neither fills nor empties a bucket.
    """

    rate: float
    """Tokens that come back per second."""
    burst: float
    """Tokens that a full bucket holds."""
    levels: Levels = field(default_factory=OwnLevels)

    def take(self, key: str, now: float) -> float:
        """Take a token and return 0, or return the seconds until there is one again."""
        if not self.rate:
            return 0.0
        with self.levels.hold(key):
            tokens, counted = self.levels.level(key) or Level(self.burst, now)
            tokens = min(self.burst, tokens + max(0.0, now - counted) * self.rate)
            wait = 0.0 if tokens >= 1 else (1 - tokens) / self.rate
            self.levels.keep(key, Level(tokens if wait else tokens - 1, now))
        return wait


def per_minute(allowed: float, levels: Levels | None = None) -> TokenBuckets:
    """Return buckets that let `allowed` pass at once and as many again in every minute."""
    rate, burst = allowed / SECONDS_PER_MINUTE, max(allowed, 1.0)
    return TokenBuckets(rate, burst, OwnLevels() if levels is None else levels)


def source_of(address: str) -> str:
    """Return what stands for a source address: the address, or the /64 that an IPv6 one is in."""
    if ":" not in address:
        return address
    try:
        network = ipaddress.ip_network((address.partition("%")[0], IPV6_PREFIX_BITS), strict=False)
    except ValueError:
        return address
    return str(network)
