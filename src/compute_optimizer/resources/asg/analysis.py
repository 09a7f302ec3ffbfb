"""From the samples of the machines of groups to the arrays that decide: the engine of instances.

A group that mixes types is read in the safe direction: as strong as its strongest type, so that its
demand is never understated, and as dear as its cheapest, so that its savings are never overstated.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.catalog.prices import hourly_prices
from compute_optimizer.engine.arrays import Booleans, Floats, Singles
from compute_optimizer.engine.demand import percentiles
from compute_optimizer.engine.dimensions import CPU_PLACE, capacities
from compute_optimizer.engine.matching import Fleet
from compute_optimizer.engine.obstacles import UNSUPPORTED_RESOURCE, Obstacle
from compute_optimizer.engine.options import Current
from compute_optimizer.engine.recommender import decide
from compute_optimizer.engine.statistics import highest
from compute_optimizer.engine.usage import (
    AVERAGE_CPU,
    CPU_METRIC,
    MINIMUM_SAMPLES,
    Chosen,
    count_samples,
)
from compute_optimizer.model.auto_scaling_group import DYNAMIC, AutoScalingGroup
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Statistic
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.resources.asg.support import is_supported, mixable, types_of
from compute_optimizer.resources.ec2.analysis import (
    Ec2Analysis,
    Measured,
    fleet_at,
    idle_instances,
    measure_shard,
    preferring,
)
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS

MAXIMUM_CPU = MetricKey(CPU_METRIC, Statistic.MAXIMUM)


def analyze(
    groups: Sequence[AutoScalingGroup],
    samples: ShardSamples,
    types: InstanceTypes,
    preferences: Preferences,
) -> Ec2Analysis:
    """Return every array that decides; the samples are those of one machine of each group.

    Either all groups mix types, or none does.
    """
    following = np.array([group.scaling == DYNAMIC for group in groups])
    measured = _measured(groups, _means_where(following, samples), types, preferences)
    fleet = _keeping_cpu(fleet_at(measured, preferences), following)
    market = preferring(measured.market, preferences)
    if any(group.mixed_types for group in groups):
        market = replace(market, preferred=market.preferred & mixable(types))
    peaks = _cpu_peaks(measured.chosen, samples)
    is_idle = idle_instances(measured.chosen, peaks, types, measured.places)
    return Ec2Analysis(
        market, fleet, decide(fleet, market, DIMENSIONS), is_idle, measured.obstacles
    )


def cheapest_type(group: AutoScalingGroup, types: InstanceTypes) -> str:
    """Return the type of a group that costs least; the first one where no price is known."""
    if not group.mixed_types:
        return group.instance_type
    prices = hourly_prices(types, group.region, group.platform)
    known = [name for name in types_of(group) if name in types.index]
    priced = [name for name in known if np.isfinite(prices[types.index[name]])]
    return min(priced, key=lambda name: prices[types.index[name]], default=group.instance_type)


def _measured(
    groups: Sequence[AutoScalingGroup],
    samples: ShardSamples,
    types: InstanceTypes,
    preferences: Preferences,
) -> Measured:
    machines = [replace(one, instance_type=cheapest_type(one, types)) for one in groups]
    found = measure_shard(machines, samples, types, percentiles(DIMENSIONS, preferences))
    obstacles = tuple(
        obstacle if is_supported(group, types) else UNSUPPORTED_RESOURCE
        for group, obstacle in zip(groups, found.obstacles, strict=True)
    )
    return replace(
        found,
        capacity=_strongest(groups, found.capacity, types),
        currents=_where_possible(found, obstacles),
        obstacles=obstacles,
    )


def _where_possible(
    found: Measured, obstacles: Sequence[Obstacle | None]
) -> tuple[Current | None, ...]:
    pairs = zip(found.currents, obstacles, strict=True)
    return tuple(None if obstacle else now for now, obstacle in pairs)


def _strongest(
    groups: Sequence[AutoScalingGroup], capacity: Floats, types: InstanceTypes
) -> Floats:
    """Return the present capacities, (groups, dimensions): the largest of any of its types."""
    of_types = capacities(DIMENSIONS, types)
    found = capacity.copy()
    for row, group in enumerate(groups):
        places = [types.index[name] for name in group.mixed_types if name in types.index]
        if places:
            found[row] = np.fmax.reduce(of_types[places], axis=0)
    return found


def _means_where(following: Booleans, samples: ShardSamples) -> ShardSamples:
    """Return the samples with the mean CPU of all machines in place of the highest.

    Policies follow the mean of a group that scales with its load, so it tells the demand there
    (spec 6.2, a proposal).
    """
    means, maxima = (samples.series.get(key) for key in (AVERAGE_CPU, MAXIMUM_CPU))
    if means is None or maxima is None or not following.any():
        return samples
    enough = following & (count_samples(means) >= MINIMUM_SAMPLES)
    told = np.where(enough[:, None], np.float32(np.nan), maxima)
    return replace(samples, series={**samples.series, MAXIMUM_CPU: told})


def _keeping_cpu(fleet: Fleet, following: Booleans) -> Fleet:
    """Return the fleet in which groups that follow their load need the CPU that they have.

    Their policies size the CPU by the number of machines; the service does not resize it.
    """
    required = fleet.demand.required.copy()
    required[following, CPU_PLACE] = fleet.demand.capacity[following, CPU_PLACE]
    return replace(fleet, demand=replace(fleet.demand, required=required))


def _cpu_peaks(chosen: Chosen, samples: ShardSamples) -> Singles:
    """Return the highest CPU of any machine, (groups,), also where the mean tells the demand."""
    known = [samples.series[key] for key in (MAXIMUM_CPU, AVERAGE_CPU) if key in samples.series]
    peaks = [np.where(np.isfinite(m).any(axis=1), highest(m), np.nan) for m in known]
    none = np.full(chosen.rows, np.nan, np.float32)
    found: Singles = np.fmax.reduce([none, *peaks])
    return found
