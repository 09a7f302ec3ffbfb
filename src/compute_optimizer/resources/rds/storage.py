"""The EBS storage of RDS DB instances: what each has, needs and might have instead.

Arrays are (databases,) or (databases, choices); the choices are the entries of `storage_types`,
then what there is today.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.catalog.database_prices import StorageRates, storage_rates
from compute_optimizer.catalog.database_storage import LEAST_GROWTH, storage_types, type_name
from compute_optimizer.catalog.own_prices import OwnPrices
from compute_optimizer.catalog.volume_types import (
    ROUNDING,
    Needed,
    Performance,
    VolumeType,
    needed,
    performance_of,
)
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.demand import FIT_TOLERANCE, OTHER_PERCENTILE
from compute_optimizer.engine.matching import Fleet
from compute_optimizer.engine.ranking import MAX_OPTIONS, NONE
from compute_optimizer.engine.savings import WORTHWHILE_USD
from compute_optimizer.engine.statistics import percentile, tail_depth, upper_tail
from compute_optimizer.model.database import Database
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Statistic
from compute_optimizer.model.units import BYTES_PER_GIB, BYTES_PER_MIB
from compute_optimizer.resources.rds.dimensions import FREE_STORAGE, IOPS_PLACE, THROUGHPUT_PLACE

TOO_SMALL = "too small at the most that the type can do"
NEEDLESS = "larger than the type needs to be"
PREVIOUS = "previous generation"
AS_IT_IS = "the storage as it is"
NOT_CHEAPER = "saves nothing"
OTHERS_BETTER = "something else is better"

UNKNOWN = -1
"""Stands for storage that gets no recommendation: of Aurora, or of another type."""


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """One storage configuration for each database, or several."""

    gib: Floats
    iops: Floats
    throughput: Floats
    """MiB/s."""
    monthly_usd: Floats
    """NaN where unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class StorageAnalysis:
    """Every intermediate array of the storage of a shard."""

    entries: Integers
    """(databases,): places in `storage_types`, or UNKNOWN."""
    choices: Figures
    """(databases, choices); the last is what there is."""
    refused: Mapping[str, Booleans]
    """By reason, in the order in which they are told, (databases, choices): why what would be is
    no option; only of databases whose storage is known."""
    needs: "Needs"
    ranked: Integers
    """(databases, MAX_OPTIONS): choices, best first; NONE where there are fewer."""
    under_space: Booleans
    under_iops: Booleans
    under_throughput: Booleans
    over_iops: Booleans
    over_throughput: Booleans
    newer: Booleans
    """(databases,) each; `newer`: a newer generation of the type is among the options."""
    peak_space: Floats
    """(databases,): the highest share of the space in use, percent; NaN where unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Needs:
    """What the databases require of their storage, (databases,); 0 where nothing is known."""

    used_gib: Floats
    """Space at the percentile; NaN where unknown."""
    gib: Floats
    iops: Floats
    throughput: Floats
    peak_space: Floats


def analyze_storage(
    databases: Sequence[Database],
    samples: ShardSamples,
    fleet: Fleet,
    headroom: float,
    own: OwnPrices,
) -> StorageAnalysis:
    """Return what the storage is, what it lacks and what it might be."""
    kinds = storage_types()
    entries = np.array([_entry_of(one, kinds) for one in databases])
    allocated = np.array([float(one.allocated_gib) for one in databases])
    needs = _needs(samples, fleet, allocated, headroom)
    now = _present(databases, entries, allocated, kinds, own)
    found = [_choice(kind, databases, allocated, needs, own) for kind in kinds]
    choices = _stacked([figures for figures, _ in found], now)
    refused = _refused(np.stack([fits for _, fits in found], axis=1), entries, choices, kinds)
    known = (entries != UNKNOWN)[:, None]
    allowed: Booleans = known & ~np.any(np.stack(list(refused.values())), axis=0)
    less_iops, less_throughput = _less_would_do(entries, choices, allowed, kinds)
    tolerance = 1 - FIT_TOLERANCE
    others = np.any(allowed[:, :-1], axis=1, keepdims=True)[:, 0]
    under = [
        others & (asked * tolerance > has)
        for asked, has in (
            (needs.gib, allocated),
            (needs.iops, now.iops),
            (needs.throughput, now.throughput),
        )
    ]
    moves: Booleans = np.any(np.stack(under), axis=0, keepdims=False)
    saved = choices.monthly_usd[:, -1:] - choices.monthly_usd
    newer = _successors(entries, kinds) & ~(saved < 0)
    worth = allowed & (moves[:, None] | (saved >= WORTHWHILE_USD) | newer)
    over = less_iops | less_throughput
    worth |= over[:, None] & allowed & _own_entry(entries, kinds)
    worth[:, -1] = (entries != UNKNOWN) & ~worth[:, :-1].any(axis=1)
    return StorageAnalysis(
        entries=entries,
        choices=choices,
        refused={**refused, **_not_worth(allowed & ~worth)},
        needs=needs,
        ranked=_ranked(choices, worth, kinds, entries),
        under_space=under[0],
        under_iops=under[1],
        under_throughput=under[2],
        over_iops=less_iops & ~moves,
        over_throughput=less_throughput & ~moves,
        newer=np.any(newer & worth, axis=1, keepdims=False),
        peak_space=needs.peak_space,
    )


def _entry_of(one: Database, kinds: Sequence[VolumeType]) -> int:
    """Return the place of the entry that describes the storage, by its type and size."""
    if one.is_aurora or one.is_cluster or not one.allocated_gib:
        return UNKNOWN
    fitting = [
        place for place, kind in enumerate(kinds) if type_name(kind.name) == one.storage_type
    ]
    within = [place for place in fitting if one.allocated_gib <= kinds[place].most_gib]
    return within[0] if within else UNKNOWN


def _needs(samples: ShardSamples, fleet: Fleet, allocated: Floats, headroom: float) -> Needs:
    free = samples.series.get(MetricKey(FREE_STORAGE, Statistic.AVERAGE))
    used = peak = np.full(len(allocated), np.nan)
    if free is not None:
        in_use = allocated[:, None] - free / np.float32(BYTES_PER_GIB)
        depth = tail_depth(free.shape[1], OTHER_PERCENTILE)
        tail, counts = upper_tail(in_use.astype(np.float32), depth)
        used = percentile(tail, counts, OTHER_PERCENTILE)
        share = np.divide(tail[:, 0], allocated, out=np.zeros(len(used)), where=allocated > 0)
        peak = np.where(counts > 0, share * 100, np.nan)
    required = fleet.demand.required
    return Needs(
        used_gib=used,
        gib=np.nan_to_num(used) / (1 - headroom),
        iops=np.nan_to_num(required[:, IOPS_PLACE]),
        throughput=np.nan_to_num(required[:, THROUGHPUT_PLACE]) / BYTES_PER_MIB,
        peak_space=peak,
    )


def present_monthly_usd(databases: Sequence[Database], own: OwnPrices) -> Floats:
    """Return what the storage of each database costs a month as it is; NaN where unknown."""
    kinds = storage_types()
    entries = np.array([_entry_of(one, kinds) for one in databases])
    allocated = np.array([float(one.allocated_gib) for one in databases])
    return _present(databases, entries, allocated, kinds, own).monthly_usd


def _present(
    databases: Sequence[Database],
    entries: Integers,
    allocated: Floats,
    kinds: Sequence[VolumeType],
    own: OwnPrices,
) -> Figures:
    iops = np.array([np.nan if one.iops is None else one.iops for one in databases])
    flow = [one.throughput_mibps for one in databases]
    throughput = np.array([np.nan if one is None else one for one in flow])
    has = np.full((3, len(databases)), np.nan)
    for place in np.unique(entries[entries != UNKNOWN]).tolist():
        rows = np.flatnonzero(entries == place)
        here = performance_of(kinds[place], allocated[rows], iops[rows], throughput[rows])
        some = [databases[row] for row in rows.tolist()]
        usd = _prices(kinds[place], some, allocated[rows], here, own)
        has[:, rows] = here.iops, here.throughput, usd
    return Figures(allocated, *has)


def _choice(
    kind: VolumeType,
    databases: Sequence[Database],
    allocated: Floats,
    needs: Needs,
    own: OwnPrices,
) -> tuple[Figures, Booleans]:
    """Return the smallest storage of an entry that carries the needs, and where it does.

    Storage never shrinks; where it grows, it does by a tenth at least.
    """
    enlarged = np.ceil(allocated * LEAST_GROWTH - ROUNDING)
    least = np.where(needs.gib * (1 - FIT_TOLERANCE) > allocated, enlarged, allocated)
    found = needed(kind, np.maximum(least, _whole(needs.gib)), needs.iops, needs.throughput)
    grown = needed(kind, np.maximum(found.gib, enlarged), needs.iops, needs.throughput)
    found = _either(found.gib > allocated, grown, found)
    usd = _prices(kind, databases, found.gib, found.performance, own)
    figures = Figures(found.gib, found.performance.iops, found.performance.throughput, usd)
    return figures, found.feasible


def _whole(gib: Floats) -> Floats:
    found: Floats = np.ceil(gib * (1 - FIT_TOLERANCE))
    return found


def _either(where: Booleans, first: Needed, second: Needed) -> Needed:
    one, other = first.performance, second.performance
    return Needed(
        np.where(where, first.feasible, second.feasible),
        np.where(where, first.gib, second.gib),
        Performance(
            np.where(where, one.iops, other.iops),
            np.where(where, one.burst_iops, other.burst_iops),
            np.where(where, one.throughput, other.throughput),
            np.where(where, one.burst_throughput, other.burst_throughput),
        ),
    )


def _prices(
    kind: VolumeType,
    databases: Sequence[Database],
    gib: Floats,
    performance: Performance,
    own: OwnPrices,
) -> Floats:
    """Return USD a month; NaN where a figure is missing, as that of throughput may be."""
    keys = [(one.region, one.multi_az) for one in databases]
    name = type_name(kind.name)
    rates = {key: storage_rates(key[0], name, multi_az=key[1], own=own) for key in set(keys)}
    rate: list[StorageRates] = [rates[key] for key in keys]
    usd = gib * np.array([one.gib for one in rate])
    if kind.provisioned_iops:
        # Of io1 every one of the IOPS is paid, of gp3 what exceeds the baseline.
        free = 0.0 if kind.provisioned_throughput is None else kind.provisioned_iops.included
        usd = usd + _beyond(performance.iops, free, [one.iops for one in rate])
    if kind.provisioned_throughput:
        free = kind.provisioned_throughput.included
        usd = usd + _beyond(performance.throughput, free, [one.mibps for one in rate])
    priced: Floats = usd
    return priced


def _beyond(value: Floats, free: float, rate: Sequence[float]) -> Floats:
    """Return what is paid beyond the free part: NaN where something is and has no figure."""
    paid = np.maximum(value - free, 0.0)
    cost: Floats = np.where(paid > 0, paid * np.array(rate), 0.0)
    return cost


def _stacked(found: Sequence[Figures], now: Figures) -> Figures:
    every = [*found, now]
    return Figures(
        np.stack([one.gib for one in every], axis=1),
        np.stack([one.iops for one in every], axis=1),
        np.stack([one.throughput for one in every], axis=1),
        np.stack([one.monthly_usd for one in every], axis=1),
    )


def _own_entry(entries: Integers, kinds: Sequence[VolumeType]) -> Booleans:
    """Return which choices are of today's entry, (databases, choices); never the last."""
    places = np.append(np.arange(len(kinds)), UNKNOWN - 1)
    own: Booleans = places == entries[:, None]
    return own


def _refused(
    fits: Booleans, entries: Integers, choices: Figures, kinds: Sequence[VolumeType]
) -> dict[str, Booleans]:
    """Return by reason which choices do not carry the needs, or may not be had.

    Never back to a previous generation; what there is today is not refused.
    """
    previous = np.array([kind.successor is not None for kind in kinds])
    own = _own_entry(entries, kinds)[:, :-1]
    now = (choices.gib, choices.iops, choices.throughput)
    same = own & np.all([one[:, :-1] == one[:, -1:] for one in now], axis=0)
    others = {
        TOO_SMALL: ~fits,
        NEEDLESS: _needlessly_large(fits, kinds),
        PREVIOUS: previous & ~own,
        AS_IT_IS: same,
    }
    today = np.zeros((len(entries), 1), np.bool_)
    return {reason: np.concatenate([against, today], axis=1) for reason, against in others.items()}


def _not_worth(left: Booleans) -> dict[str, Booleans]:
    """Return by reason which choices would do and are no options, (databases, choices)."""
    today = np.arange(left.shape[1]) == left.shape[1] - 1
    return {NOT_CHEAPER: left & ~today, OTHERS_BETTER: left & today}


def _needlessly_large(fits: Booleans, kinds: Sequence[VolumeType]) -> Booleans:
    """Return which fitting choices are the large entry of a type whose small one fits too."""
    names = [type_name(kind.name) for kind in kinds]
    found = np.zeros_like(fits)
    for place, name in enumerate(names):
        earlier = names.index(name)
        if earlier != place:
            found[:, place] = fits[:, earlier]
    return found


def _less_would_do(
    entries: Integers, choices: Figures, allowed: Booleans, kinds: Sequence[VolumeType]
) -> tuple[Booleans, Booleans]:
    """Return where fewer of the IOPS, or less of the throughput, that are paid for would do."""
    own = _own_entry(entries, kinds) & allowed
    paid_iops = np.array([kind.provisioned_iops is not None for kind in kinds] + [False])
    paid_flow = np.array([kind.provisioned_throughput is not None for kind in kinds] + [False])
    fewer = choices.iops < choices.iops[:, -1:]
    slower = choices.throughput < choices.throughput[:, -1:]
    return (own & paid_iops & fewer).any(axis=1), (own & paid_flow & slower).any(axis=1)


def _successors(entries: Integers, kinds: Sequence[VolumeType]) -> Booleans:
    """Return which choices are of the newer generation of today's type, (databases, choices)."""
    after = np.array([kind.successor or "" for kind in kinds] + [""])[entries]
    names = np.array([type_name(kind.name) for kind in kinds] + [""])
    newer: Booleans = (names == after[:, None]) & (after != "")[:, None]
    return newer


def _ranked(
    choices: Figures, worth: Booleans, kinds: Sequence[VolumeType], entries: Integers
) -> Integers:
    """Return the best choices: the lowest price, then the newer generation, then the name."""
    previous = np.array([kind.successor is not None for kind in kinds])
    old = np.concatenate(
        [np.broadcast_to(previous, worth[:, :-1].shape), previous[entries, None]], axis=1
    )
    price = np.where(np.isnan(choices.monthly_usd), np.inf, choices.monthly_usd)
    order = np.lexsort((old, price, ~worth), axis=1)[:, :MAX_OPTIONS]
    return np.where(np.take_along_axis(worth, order, axis=1), order, NONE)
