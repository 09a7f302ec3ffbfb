"""The daily score: what was predicted 14 days ago held against what came since.

After an analysis its predictions are kept, because recommendations themselves are superseded the
next day. Once the 14 days that they speak of are over, the samples of those days say which options
would have been exceeded, by the one event of docs/risk.md.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from operator import itemgetter

import numpy as np
from sqlalchemy import Connection

from compute_optimizer.backtest.calibration import Forecast, proper_scores, reliability
from compute_optimizer.backtest.intervals import wilson
from compute_optimizer.catalog.risk_prior import load_risk_prior
from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.peaks import HORIZON_DAYS
from compute_optimizer.interfaces import Clock
from compute_optimizer.jobs.readings import forget_after, forget_before
from compute_optimizer.model.forecast import (
    AccountScore,
    Counted,
    ForecastPart,
    MachineForecast,
    OptionForecast,
    Score,
)
from compute_optimizer.model.metrics import Window
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.model.resource import EC2_INSTANCE, Resource, ShardKey
from compute_optimizer.resources.ec2.analysis import UNKNOWN_TYPE
from compute_optimizer.resources.ec2.dimensions import METRICS, PEAK_MODELS
from compute_optimizer.resources.ec2.realized import Realized, realized
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import Scope
from compute_optimizer.store.described_types import instance_types
from compute_optimizer.store.enrollments import opted_in_accounts
from compute_optimizer.store.forecasts import (
    MadeForecast,
    due_runs,
    keep,
    pack,
    parts_of,
    runs_to_keep,
    save_score,
    scopes_of_run,
)
from compute_optimizer.store.inventory import resources_of, shards
from compute_optimizer.store.recommendations import read_page
from compute_optimizer.store.risk import fleet_model
from compute_optimizer.store.tiles import TileStore, read_samples

HORIZON = timedelta(days=HORIZON_DAYS)

KEPT_WITHIN = timedelta(days=1)
"""A prediction as of a day before yesterday or earlier was made knowing what came."""

PAGE = 1_000
"""Machines read, kept and judged at once: 15 days of one metric are 17 MB."""

Fence = Callable[[Connection], None]


@dataclass(slots=True)
class _Tally:
    """What was gathered of one run on the way."""

    reasons: Counter[str] = field(default_factory=Counter)
    risk: list[Floats] = field(default_factory=list)
    hit: list[Booleans] = field(default_factory=list)
    first: list[Booleans] = field(default_factory=list)
    accounts: dict[str, AccountScore] = field(default_factory=dict)


def has_scores_to_make(state: State, clock: Clock) -> bool:
    """Whether predictions wait to be kept or to be held against what came; two short reads."""
    now = clock.now()
    with state.reading() as connection:
        waiting = runs_to_keep(connection, EC2_INSTANCE, now - KEPT_WITHIN)
        return bool(waiting or due_runs(connection, now - HORIZON))


def make_scores(
    state: State,
    tiles: TileStore,
    clock: Clock,
    fence: Fence = lambda connection: None,
    check: Callable[[], None] = lambda: None,
) -> list[Score]:
    """Keep the predictions of new runs, and score those whose 14 days are over.

    Each run is one transaction, in which `fence` is called; `check` is called between, and what
    either raises ends it. Raises StoreUnavailable for a tile that cannot be read.
    """
    now, found = clock.now(), []
    with state.reading() as connection:
        new = runs_to_keep(connection, EC2_INSTANCE, now - KEPT_WITHIN)
        due = due_runs(connection, now - HORIZON)
    for made in new:
        check()
        _keep_run(state, made, fence)
    for made in due:
        check()
        score = _score_run(state, tiles, clock, made, check)
        with state.writing() as connection:
            fence(connection)
            save_score(connection, score)
        found.append(score)
    return found


def _keep_run(state: State, made: MadeForecast, fence: Fence) -> None:
    with state.reading() as connection:
        model = fleet_model(connection) or load_risk_prior()
        known = tuple(name for name, peak in PEAK_MODELS.items() if peak in model.peaks)
        scopes = scopes_of_run(connection, made.run_id, EC2_INSTANCE)
        packed = {scope: _packed(connection, made, scope, known) for scope in scopes}
    with state.writing() as connection:
        fence(connection)
        for scope, parts in packed.items():
            keep(connection, made, scope, parts)


def _packed(
    connection: Connection, made: MadeForecast, scope: Scope, dimensions: tuple[str, ...]
) -> list[bytes]:
    parts: list[bytes] = []
    after = ""
    while True:
        page = read_page(
            connection, made.run_id, scope, Ec2InstanceRecommendation, limit=PAGE, after=after
        )
        machines = tuple(one for one in map(_forecast, page) if one is not None)
        if machines or not parts:
            parts.append(pack(ForecastPart(dimensions, machines)))
        if len(page) < PAGE:
            return parts
        after = page[-1].resource_arn


def _forecast(one: Ec2InstanceRecommendation) -> MachineForecast | None:
    """Return what was predicted of a machine by itself; None where nothing was."""
    if one.follows_group:
        return None
    options = tuple(
        OptionForecast(option.instance_type, option.violation_risk, place == 0)
        for place, option in enumerate(one.options)
        if option.violation_risk is not None
    )
    if not options:
        return None
    return MachineForecast(one.resource_arn, one.current_instance_type, options)


def _score_run(
    state: State, tiles: TileStore, clock: Clock, made: MadeForecast, check: Callable[[], None]
) -> Score:
    tally = _Tally()
    with state.reading() as connection:
        opted_in = opted_in_accounts(connection)
        by_scope = groupby(parts_of(connection, made.run_id), key=itemgetter(0))
        for scope, parts in by_scope:
            places = _places(connection, scope) if scope.account_id in opted_in else {}
            for _, part in parts:
                check()
                _judge_part(connection, tiles, made, part, places, tally)
    return _scored(made, clock, tally)


def _places(connection: Connection, scope: Scope) -> dict[str, tuple[ShardKey, Resource]]:
    """Return the machines of a scope that the inventory still has, by ARN."""
    return {
        one.arn: (key, one)
        for key in shards(connection, [scope.account_id])
        if (key.region, key.resource_type) == (scope.region, scope.resource_type)
        for one in resources_of(connection, key)
    }


def _judge_part(
    connection: Connection,
    tiles: TileStore,
    made: MadeForecast,
    part: ForecastPart,
    places: dict[str, tuple[ShardKey, Resource]],
    tally: _Tally,
) -> None:
    by_shard: dict[ShardKey, list[tuple[MachineForecast, Resource]]] = {}
    for machine in part.machines:
        tally.reasons["machines"] += 1
        if machine.resource_arn not in places:
            tally.reasons["gone"] += 1
            continue
        key, now = places[machine.resource_arn]
        if now.instance_type != machine.instance_type:
            tally.reasons["changed"] += 1
            continue
        by_shard.setdefault(key, []).append((machine, now))
    for key, pairs in by_shard.items():
        for some in _batches(pairs):
            _judge(connection, tiles, made, part, key, some, tally)


def _batches(
    pairs: Sequence[tuple[MachineForecast, Resource]],
) -> list[Sequence[tuple[MachineForecast, Resource]]]:
    return [pairs[first : first + PAGE] for first in range(0, len(pairs), PAGE)]


def _judge(
    connection: Connection,
    tiles: TileStore,
    made: MadeForecast,
    part: ForecastPart,
    key: ShardKey,
    pairs: Sequence[tuple[MachineForecast, Resource]],
    tally: _Tally,
) -> None:
    machines = [now for _, now in pairs]
    end = made.as_of + HORIZON
    window = Window(made.as_of.date(), end.date())
    arns = [one.arn for one in machines]
    samples = read_samples(connection, tiles, key, window, METRICS, arns)
    forget_before(samples, made.as_of)
    forget_after(samples, end)
    types = instance_types(connection)
    widest = max(len(machine.options) for machine, _ in pairs)
    options = np.full((len(pairs), widest), UNKNOWN_TYPE, np.int64)
    risk, first = np.zeros(options.shape), np.zeros(options.shape, np.bool_)
    for row, (machine, _) in enumerate(pairs):
        for column, option in enumerate(machine.options):
            options[row, column] = types.index.get(option.instance_type, UNKNOWN_TYPE)
            risk[row, column], first[row, column] = option.risk, option.first
    came = realized(machines, samples, types, options, part.dimensions)
    _add(tally, came, risk, first, key.account_id)


def _add(tally: _Tally, came: Realized, risk: Floats, first: Booleans, account_id: str) -> None:
    tally.reasons["unseen"] += int((~came.seen).sum())
    tally.reasons["judged"] += int(came.seen.sum())
    counted = came.smaller & came.seen[:, None]
    tally.risk.append(risk[counted])
    tally.hit.append(came.exceeded[counted])
    tally.first.append(first[counted])
    mine, before = counted & first, tally.accounts.get(account_id)
    options, expected = int(mine.sum()), float(risk[mine].sum())
    observed = int(came.exceeded[mine].sum())
    if before is not None:
        options, expected = options + before.options, expected + before.expected
        observed += before.observed
    tally.accounts[account_id] = AccountScore(account_id, options, expected, observed)


def _scored(made: MadeForecast, clock: Clock, tally: _Tally) -> Score:
    risk = np.concatenate([np.zeros(0), *tally.risk])
    hit = np.concatenate([np.zeros(0, np.bool_), *tally.hit])
    first = np.concatenate([np.zeros(0, np.bool_), *tally.first])
    return Score(
        run_id=made.run_id,
        as_of=made.as_of,
        scored_at=clock.now(),
        machines=tally.reasons["machines"],
        judged=tally.reasons["judged"],
        unseen=tally.reasons["unseen"],
        changed=tally.reasons["changed"],
        gone=tally.reasons["gone"],
        every=_counted(risk, hit),
        first=_counted(risk[first], hit[first]),
        reliability=tuple(reliability(_as_forecast(risk, hit))),
        accounts=tuple(tally.accounts.values()),
    )


def _counted(risk: Floats, hit: Booleans) -> Counted:
    number, observed = len(risk), int(hit.sum())
    low, high = wilson(observed, number)
    return Counted(
        options=number,
        expected=float(risk.sum()),
        observed=observed,
        interval=(low * number, high * number),
        brier=proper_scores(_as_forecast(risk, hit))["brier"],
    )


def _as_forecast(risk: Floats, hit: Booleans) -> Forecast:
    """Return options as a backtest tells them; every one is a row of its own."""
    column = risk[:, None]
    return Forecast(column, hit[:, None], column, np.ones(column.shape, np.bool_))
