"""How each resource of a fleet is made of a profile.

    a profile, drawn by the share of its source
    -> shifted in time, going round at its end     the same slots of every series
    -> scaled                                      CPU and traffic by one factor, memory by another
    -> noise, for each slot and series its own
    -> gaps of some length, in which nothing arrived

A resource depends on the seed and on its own number, and on nothing else: a fleet of a thousand is
the beginning of one of a million, whoever writes which part.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np

from benchmarks.fleets.profiles import (
    CEILING_PERCENT,
    CPU,
    MEMORY,
    PERCENT,
    SERIES,
    Profile,
    Series,
)
from compute_optimizer.catalog import InstanceTypes, load_instance_types
from compute_optimizer.model.metrics import SLOTS_PER_DAY, Matrix, MetricKey, Window
from compute_optimizer.model.resource import EC2_INSTANCE, Resource

ACCOUNT = "111111111111"
REGIONS = ("us-east-1", "eu-west-1")

SHARES = {"Bitbrains": 0.6, "Azure": 0.2, "PlanetLab": 0.15, "NAB": 0.05}
"""How many resources are made of each source (assumed: most of a fleet has an agent that measures
memory, as only Bitbrains does). What is absent counts for nothing."""

SMALLEST_FACTOR, LARGEST_FACTOR = 0.5, 2.0
"""Loads are halved or doubled at most, evenly on a log scale, and never cut off at the top."""

GAP_SLOTS = 6.0
"""Mean length of a gap: half an hour."""

PERCENT_STEP = 100
"""Steps to a percent: the traces tell hundredths."""

FAMILIES = ("c5", "c6i", "c7i", "m5", "m6i", "m7i", "r5", "r6i", "r7i", "t3")
"""Types that a fleet runs on: processors of one vendor, generations that are sold everywhere."""

LIKELY_TYPES = 3
"""How many types come close to a machine; a resource has one of them."""

BUSY_PERCENT = 10.0
"""Mean CPU from which a machine of unknown size counts as a busy one."""
IDLE_VCPUS, BUSY_VCPUS, MIB_PER_VCPU = 2.0, 4.0, 4096.0
"""What stands in for the size of a machine that the trace does not tell."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a fleet is like."""

    seed: int = 2026
    days: int = 14
    last: date = date(2026, 1, 14)
    noise: float = 0.02
    """Standard deviation of a sample, as a share of it."""
    gaps: float = 0.01
    """Share of the slots without samples, beside those of the trace."""
    regions: tuple[str, ...] = REGIONS
    """In turn."""
    account: str = ACCOUNT
    shares: Mapping[str, float] = field(default_factory=lambda: SHARES)

    @property
    def window(self) -> Window:
        """Return the days with samples."""
        return Window(self.last - timedelta(days=self.days - 1), self.last)

    @property
    def as_of(self) -> datetime:
        """Return the end of the samples."""
        return datetime(self.last.year, self.last.month, self.last.day, tzinfo=UTC) + timedelta(1)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What chance decided about one resource."""

    profile: int
    """Its place."""
    shift: int
    """Slots of the profile before its first sample."""
    load_factor: float
    memory_factor: float
    likely_type: int
    """Which of the types that come close, 0 to LIKELY_TYPES - 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """All resources that there could be."""

    recipe: Recipe
    profiles: tuple[Profile, ...]
    chances: Any
    """Of each profile to be drawn, summed up to 1."""
    highest: tuple[Mapping[MetricKey, float], ...]
    """By profile, of each percentage."""
    types: tuple[tuple[str, ...], ...]
    """By profile, the types that come close to its machine."""


def fleet_of(recipe: Recipe, profiles: Sequence[Profile]) -> Fleet:
    """Return the fleet that a recipe makes of some profiles."""
    counts = Counter(one.source for one in profiles)
    shares = recipe.shares if set(counts) & set(recipe.shares) else dict.fromkeys(counts, 1.0)
    weights = np.cumsum([shares.get(one.source, 0.0) / counts[one.source] for one in profiles])
    return Fleet(
        recipe,
        tuple(profiles),
        weights / weights[-1],
        tuple(_highest(one) for one in profiles),
        tuple(likely_types(one) for one in profiles),
    )


def draw(fleet: Fleet, number: int) -> Drawn:
    """Return what chance decides about a resource."""
    return _draw(fleet, _generator(fleet.recipe, number))


def samples_of(fleet: Fleet, numbers: Sequence[int]) -> dict[MetricKey, Matrix]:
    """Return the samples of some resources, (resources, slots) for each of SERIES."""
    slots = fleet.recipe.days * SLOTS_PER_DAY
    found: dict[MetricKey, Matrix] = {
        key: np.full((len(numbers), slots), np.nan, np.float32) for key in SERIES
    }
    for row, number in enumerate(numbers):
        _fill(fleet, number, {key: matrix[row] for key, matrix in found.items()})
    return found


def resource_of(fleet: Fleet, number: int) -> Resource:
    """Return a resource as the inventory has it."""
    recipe, drawn = fleet.recipe, draw(fleet, number)
    resource_id, region = f"i-{number:017x}", recipe.regions[number % len(recipe.regions)]
    source, types = fleet.profiles[drawn.profile].source, fleet.types[drawn.profile]
    return Resource(
        arn=f"arn:aws:ec2:{region}:{recipe.account}:instance/{resource_id}",
        account_id=recipe.account,
        region=region,
        resource_type=EC2_INSTANCE,
        resource_id=resource_id,
        instance_type=types[drawn.likely_type],
        name=f"{source.lower()}-{number}",
        tags={"Source": source},
    )


def number_of(arn: str) -> int:
    """Return the number of a resource of a fleet."""
    return int(arn.rpartition("-")[2], 16)


def likely_types(profile: Profile) -> tuple[str, ...]:
    """Return the LIKELY_TYPES types that come closest to a machine in vCPUs and memory.

    The size of one whose trace does not tell it is assumed by how busy it is.
    """
    busy = np.nanmean(profile.series[CPU]) >= BUSY_PERCENT
    assumed = BUSY_VCPUS if busy else IDLE_VCPUS
    vcpus = assumed if np.isnan(profile.vcpus) else profile.vcpus
    memory = vcpus * MIB_PER_VCPU if np.isnan(profile.memory_mib) else profile.memory_mib
    types, places = _offered()
    apart = np.abs(np.log2(types.vcpus[places] / vcpus))
    apart = apart + np.abs(np.log2(types.memory_mib[places] / memory))
    return tuple(types.names[place] for place in places[np.argsort(apart, kind="stable")])[
        :LIKELY_TYPES
    ]


@cache
def _offered() -> tuple[InstanceTypes, Any]:
    types = load_instance_types()
    known = [name.partition(".")[0] in FAMILIES for name in types.names]
    return types, np.flatnonzero(np.array(known) & ~types.bare_metal)


def _highest(profile: Profile) -> dict[MetricKey, float]:
    return {key: float(np.nanmax(profile.series[key])) for key in PERCENT if key in profile.series}


def _generator(recipe: Recipe, number: int) -> np.random.Generator:
    # Philox takes its key as it is: seeding another generator costs more than all that is drawn.
    return np.random.Generator(np.random.Philox(key=np.array([recipe.seed, number], np.uint64)))


def _draw(fleet: Fleet, generator: np.random.Generator) -> Drawn:
    place = int(np.searchsorted(fleet.chances, generator.random(), side="right"))
    highest = fleet.highest[place]
    return Drawn(
        place,
        int(generator.integers(fleet.profiles[place].slots)),
        _factor(generator, highest[CPU]),
        _factor(generator, highest.get(MEMORY, 0.0)),
        int(generator.integers(LIKELY_TYPES)),
    )


def _factor(generator: np.random.Generator, highest: float) -> float:
    """Return a factor that leaves the highest sample within the ceiling."""
    largest = min(LARGEST_FACTOR, CEILING_PERCENT / max(highest, 1.0))
    return float(np.exp(generator.uniform(np.log(SMALLEST_FACTOR), np.log(largest))))


def _fill(fleet: Fleet, number: int, targets: Mapping[MetricKey, Series]) -> None:
    """Write the samples of a resource; the targets of series that it lacks stay as they are."""
    recipe, generator = fleet.recipe, _generator(fleet.recipe, number)
    drawn = _draw(fleet, generator)
    profile = fleet.profiles[drawn.profile]
    slots = recipe.days * SLOTS_PER_DAY
    taken = (drawn.shift + np.arange(slots)) % profile.slots
    missing = _gaps(recipe, slots, generator)
    for key in SERIES:
        if key not in profile.series:
            continue
        factor = drawn.memory_factor if key is MEMORY else drawn.load_factor
        found = profile.series[key][taken] * np.float32(factor)
        if recipe.noise:
            wobble = generator.standard_normal(slots, np.float32)
            found *= np.maximum(1 + np.float32(recipe.noise) * wobble, 0)
        found[missing] = np.nan
        targets[key][:] = _rounded(key, found)


def _rounded(key: MetricKey, found: Series) -> Series:
    if key not in PERCENT:
        return np.round(found)
    hundredths = np.round(np.minimum(found, CEILING_PERCENT) * PERCENT_STEP)
    return np.asarray(hundredths / PERCENT_STEP, np.float32)


def _gaps(recipe: Recipe, slots: int, generator: np.random.Generator) -> Any:
    """Return the slots in which nothing arrived."""
    missing = np.zeros(slots, bool)
    count = generator.poisson(recipe.gaps * slots / GAP_SLOTS)
    lengths = generator.geometric(1 / GAP_SLOTS, count)
    for start, length in zip(generator.integers(slots, size=count), lengths, strict=True):
        missing[start : start + length] = True
    return missing
