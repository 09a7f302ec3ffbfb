"""One resource as of two moments: the engine again, with each input exchanged alone."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from compute_optimizer.engine.comparison import Comparison, Exchange, Moment, Side
from compute_optimizer.engine.evidence import ONLY
from compute_optimizer.engine.explanation import Answer, Explanation
from compute_optimizer.model.metrics import SLOTS_PER_DAY, Matrix, MetricKey, ShardSamples, Window
from compute_optimizer.model.preferences import CURRENT, Preferences
from compute_optimizer.model.resource import Resource

ENTERED = "samples that entered the window"
LEFT = "samples that left the window"


@dataclass(frozen=True, slots=True, eq=False)
class _Input:
    """The samples of both sides, the earlier first, with one input exchanged."""

    name: str
    forward: ShardSamples
    backward: ShardSamples


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """How one resource is answered, and by which inputs the answer may differ."""

    explained: Callable[[Moment], Explanation]
    answered: Callable[[ShardSamples, datetime], Answer]
    """From samples and the moment of the analysis, all else as it is."""
    inputs: Mapping[str, Collection[str]]
    """By name the metrics that are exchanged together."""


def comparison_of(moments: tuple[Moment, Moment], compared: Compared) -> Comparison:
    """Return the answers as of both moments and what each input that differs changes alone.

    Inventory, catalog, prices, preferences and risk model are the same on both sides: they have no
    history.
    """
    earlier, later = sorted(moments, key=lambda moment: moment.as_of)

    def side(moment: Moment) -> Side:
        answer = compared.answered(moment.samples, moment.as_of)
        return _side(compared.explained(moment), answer)

    before, after = side(earlier), side(later)
    exchanges = tuple(
        _exchange(one, (before, after), compared.answered)
        for one in _inputs(earlier.samples, later.samples, compared.inputs)
    )
    changes = after.answer.differs(before.answer)
    return Comparison(
        resource_arn=earlier.samples.resource_arns[ONLY],
        before=before,
        after=after,
        changes=changes,
        exchanges=exchanges,
        decisive=tuple(e.input for e in exchanges if changes and e.forward == after.answer),
    )


def comparing(
    explain: Callable[..., Explanation], inputs: Mapping[str, Collection[str]]
) -> Callable[..., Comparison]:
    """Return the `compare` of a type whose explanation tells the whole answer."""

    def compare(
        resource: Resource,
        moments: tuple[Moment, Moment],
        catalog: Any,
        *,
        preferences: Preferences,
        **others: Any,
    ) -> Comparison:
        def explained(moment: Moment) -> Explanation:
            asked = {"as_of": moment.as_of, "preferences": preferences, **others}
            return explain(resource, moment.samples, catalog, **asked)

        def answered(samples: ShardSamples, as_of: datetime) -> Answer:
            return answer_of(explained(Moment(as_of, samples)))

        return comparison_of(moments, Compared(explained, answered, inputs))

    return compare


def answer_of(told: Explanation) -> Answer:
    """Return the answer of an explanation: of a database that for its class and for its storage."""
    finding = told.finding
    if told.storage_finding is not None:
        finding = f"{finding}, storage {told.storage_finding}"
    first = [one.instance_type for one in told.considered if one.ranks.get(CURRENT) == 1]
    first += [one.configuration for one in told.choices if one.rank == 1]
    return Answer(finding, ", ".join(first) or None)


def _side(told: Explanation, answer: Answer) -> Side:
    hourly = {one.instance_type: one.hourly_usd for one in told.considered}
    hourly |= {told.instance_type: told.current_hourly_usd} if told.current_hourly_usd else {}
    prices = [hourly[name] for name in _parts(answer) if name in hourly]
    monthly = [one.monthly_usd for one in told.choices if one.rank == 1]
    return Side(
        as_of=told.as_of,
        window=told.window,
        answer=answer,
        finding_reason_codes=told.finding_reason_codes,
        binding_dimension=told.binding_dimension,
        idle=told.idle,
        instance_type=told.instance_type,
        current_hourly_usd=told.current_hourly_usd,
        first_option_hourly_usd=prices[0] if prices else None,
        price_date=told.price_date,
        types_date=told.types_date,
        history=told.history,
        dimensions=told.dimensions,
        current=told.current,
        current_monthly_usd=told.current_monthly_usd,
        first_option_monthly_usd=monthly[0] if monthly else None,
    )


def _parts(answer: Answer) -> list[str]:
    return (answer.first_option or "").split(", ")


def _exchange(
    one: _Input, sides: tuple[Side, Side], answer: Callable[[ShardSamples, datetime], Answer]
) -> Exchange:
    before, after = (side.answer for side in sides)
    forward = answer(one.forward, sides[0].as_of)
    backward = answer(one.backward, sides[1].as_of)
    return Exchange(
        input=one.name,
        forward=forward,
        changes=forward.differs(before),
        backward=backward,
        undoes=backward.differs(after),
    )


def _inputs(
    before: ShardSamples, after: ShardSamples, inputs: Mapping[str, Collection[str]]
) -> Iterator[_Input]:
    """Yield the inputs that differ: the samples dimension by dimension, then by their time."""
    for name, metrics in inputs.items():
        # Slot by slot both windows are as long, so one may take the other's place.
        forward = _with_series(before, after, metrics)
        if not _same(before, forward):
            backward = _with_series(after, before, metrics)
            yield _Input(f"{name} samples", forward, backward)
    if after.window.first <= before.window.last:
        yield from _inputs_by_time(before, after)


def _with_series(
    samples: ShardSamples, other: ShardSamples, metrics: Collection[str]
) -> ShardSamples:
    """Return samples whose series of some metrics are the other's."""
    kept = {key: m for key, m in samples.series.items() if key.metric not in metrics}
    taken = {key: m for key, m in other.series.items() if key.metric in metrics}
    return replace(samples, series=kept | taken)


def _same(one: ShardSamples, other: ShardSamples) -> bool:
    ours, theirs = _with_data(one), _with_data(other)
    return ours.keys() == theirs.keys() and all(
        np.array_equal(matrix, theirs[key], equal_nan=True) for key, matrix in ours.items()
    )


def _with_data(samples: ShardSamples) -> dict[MetricKey, Matrix]:
    return {key: m for key, m in samples.series.items() if not np.isnan(m).all()}


def _inputs_by_time(before: ShardSamples, after: ShardSamples) -> Iterator[_Input]:
    """Yield what entered and what left, on the window that holds both."""
    whole = Window(before.window.first, after.window.last)
    earlier, later = _stretched(before, whole), _stretched(after, whole)
    both = _merged(earlier, later, lambda one, other: np.where(np.isnan(one), other, one))
    shared = _merged(earlier, later, lambda one, other: np.where(np.isnan(other), other, one))
    if not _same(both, earlier):
        yield _Input(ENTERED, forward=both, backward=shared)
    if not _same(shared, earlier):
        yield _Input(LEFT, forward=shared, backward=both)


def _stretched(samples: ShardSamples, whole: Window) -> ShardSamples:
    """Return the samples on a longer window, without data in the rest of it."""
    slots = whole.days * SLOTS_PER_DAY
    start = (samples.window.first - whole.first).days * SLOTS_PER_DAY
    series = {}
    for key, matrix in samples.series.items():
        series[key] = np.full((len(matrix), slots), np.nan, np.float32)
        series[key][:, start : start + matrix.shape[1]] = matrix
    return replace(samples, window=whole, series=series)


def _merged(
    one: ShardSamples, other: ShardSamples, merge: Callable[[Matrix, Matrix], Matrix]
) -> ShardSamples:
    """Return the samples merged series by series; a series that one side lacks is all gaps."""
    any_matrix = next(iter((one.series | other.series).values()), np.empty((1, 0), np.float32))
    gaps = np.full_like(any_matrix, np.nan)
    keys = one.series.keys() | other.series.keys()
    merged = {
        key: merge(one.series.get(key, gaps), other.series.get(key, gaps)) for key in sorted(keys)
    }
    return replace(one, series=merged)
