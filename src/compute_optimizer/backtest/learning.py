"""What the past teaches about the risk of every option, by who may know what.

A fold is advised by what was learned on other folds, in windows that end before the origin. What
is learned in the past is tried there too, on groups that it was not learned on: so it is seen by
how much choosing misleads.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.backtest.fleet import MEMORY
from compute_optimizer.backtest.origin import Origin
from compute_optimizer.backtest.trial import TEST_DAYS, Train, Trial, forgiven
from compute_optimizer.engine import peaks
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.peaks import Lesson, PeakHistory
from compute_optimizer.model.metrics import SLOTS_PER_DAY
from compute_optimizer.model.risk import PeakModel

INCIDENT_USD = tuple(float(usd) for usd in np.round(np.geomspace(3, 3000, 61), 2))
"""What a violation may be held to cost: from next to nothing to more than two weeks of any machine
that is not among the largest."""

LIKELIEST = 0.8
"""Risk beyond which no option is advised, however little a violation costs: without it the budget
of a fleet is spent on its few largest machines, which are then short of most of what they need
(docs/decisions/0015-risk-is-a-predicted-peak.md)."""

SELECTED_FOR = (0.01, 0.02, 0.05, 0.1)
"""Shares of violated machines: at what would be chosen for them, choosing is seen to mislead."""

DOUBT = 2.0
"""Violations added to the observed and to the expected ones: of few, little is learned."""

SHORTER = (3, 7)
"""Days of history from which the same is learned, to see how much less one knows."""

HORIZON_HOURS = TEST_DAYS * 24

HISTORY, LESSON = "history", "lesson"
"""What a trial remembers by learner and dimension."""

Models = Mapping[str, PeakModel]
"""By dimension."""

Describe = Callable[[Train, str], PeakHistory]
"""From what was seen and a dimension to the history that a model is fitted on."""


@dataclass(frozen=True, slots=True)
class Learner:
    """How histories are described; the name tells apart what is remembered."""

    name: str
    describe: Describe

    def key(self, what: str, dimension: str) -> tuple[str, str, str]:
        """Return under which a trial remembers a HISTORY or a LESSON."""
        return (what, self.name, dimension)

    def history(self, trial: Trial, dimension: str) -> PeakHistory:
        """Return what was seen of one dimension before an origin."""
        return trial.remembered(
            self.key(HISTORY, dimension), lambda: self.describe(trial.train, dimension)
        )

    def lesson(self, trial: Trial, dimension: str) -> Lesson:
        """Return what a past window teaches about one dimension."""
        return trial.remembered(self.key(LESSON, dimension), lambda: self._lesson(trial, dimension))

    def _lesson(self, trial: Trial, dimension: str) -> Lesson:
        train = trial.train
        capacity = train.current[:, train.dimensions.index(dimension)]

        def taught(seen: Train) -> tuple[PeakHistory, Floats]:
            history = self.describe(seen, dimension)
            return history, peaks.log_ratio(history, trial.coming[dimension], capacity)

        days = train.demand[dimension].shape[1] // SLOTS_PER_DAY
        shorter = {few: taught(train.last_days(few)) for few in SHORTER if few < days}
        return Lesson(*taught(train), shorter)


def engine_history(train: Train, dimension: str) -> PeakHistory:
    """Return the history as the engine describes it."""
    series = train.demand[dimension]
    capacity = train.current[:, train.dimensions.index(dimension)]
    return peaks.history_of(series, peaks.peak_of(series, forgiven(dimension)), capacity)


ENGINE = Learner("engine", engine_history)
"""What ships."""


def models_of(
    learner: Learner, trials: Sequence[Trial], rows: Sequence[Booleans]
) -> dict[str, PeakModel]:
    """Return the models of all dimensions from past windows and the given resources of each."""
    found = {}
    for name in trials[0].options.dimensions if trials else ():
        lessons = [
            learner.lesson(trial, name).of(known) for trial, known in zip(trials, rows, strict=True)
        ]
        if (model := peaks.fit(lessons)) is not None:
            found[name] = model
    return found


def risks(learner: Learner, models: Models, trial: Trial) -> dict[str, Floats]:
    """Return the probability of an excess violation by dimension, (resources, options).

    Zero where the capacity is no less than today's; certain where nothing is known of the memory,
    or where nothing could be learned.
    """
    return {
        name: _risk(models.get(name), trial, name, learner.history(trial, name))
        for name in trial.options.dimensions
    }


def _risk(model: PeakModel | None, trial: Trial, name: str, history: PeakHistory) -> Floats:
    place = trial.options.dimensions.index(name)
    capacity = trial.options.capacity[:, place]
    harmless = capacity[None, :] >= trial.train.current[:, place, None]
    if model is None:
        return np.where(harmless, 0.0, 1.0)
    found = peaks.exceedance(model, history, capacity)
    blind = 1.0 if name == MEMORY else 0.0
    return np.where(harmless, 0.0, np.where(np.isnan(found), blind, found))


def joint_risk(learner: Learner, models: Models, trial: Trial) -> Floats:
    """Return the probability of an excess violation in any dimension, (resources, options)."""
    return peaks.joint(list(risks(learner, models, trial).values()))


def allowing(models: Models, selection: float) -> dict[str, PeakModel]:
    """Return the models with what choosing and a shift of the whole fleet add to every risk."""
    return {name: peaks.allowing(model, selection) for name, model in models.items()}


def least_loss(
    trial: Trial,
    risk: Floats,
    incident_usd: Sequence[float],
    rows: slice | Integers = slice(None),
) -> Integers:
    """Return the options of least price and expected harm over the horizon, (prices, rows).

    No option is larger than today's, and none likelier violated than LIKELIEST. `risk` is
    (resources, options), and `incident_usd` what a violation may cost.
    """
    mine, current = risk[rows], trial.current[rows, None]
    places = np.arange(len(trial.options.price))
    refused = (places > current) | ((places < current) & (mine > LIKELIEST))
    price = np.where(refused, np.inf, trial.options.price * HORIZON_HOURS)
    chosen: Integers = np.stack([(price + usd * mine).argmin(axis=1) for usd in incident_usd])
    return chosen


def cheapest_within(trial: Trial, risk: Floats, cap: float) -> Integers:
    """Return the cheapest option whose risk is within a cap, (resources,); at worst today's."""
    places = np.arange(len(trial.options.price))
    allowed = (risk <= cap) | (places >= trial.current[:, None])
    chosen: Integers = allowed.argmax(axis=1)
    return chosen


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """What each price of a violation would have chosen in the past; arrays (INCIDENT_USD,)."""

    expected: Floats
    """Violations by the models as they were fitted."""
    violated: Floats
    price: Floats
    """USD per hour of what was chosen."""
    resources: int

    def within(self, share: float) -> int | None:
        """Return the place of the cheapest one that kept to a share of violated resources."""
        allowed = np.flatnonzero(self.violated <= share * self.resources)
        return int(allowed[self.price[allowed].argmin()]) if len(allowed) else None


def tried(parts: Sequence[tuple[Trial, Integers, Floats, Floats]]) -> Tried:
    """Return what least loss would have chosen: trials, rows, and risks for those two purposes.

    The first risk is that of the fitted models; the second, which also allows for a shift, decides.
    """
    expected, violated, price = (np.zeros(len(INCIDENT_USD)) for _ in range(3))
    for trial, rows, plain, deciding in parts:
        chosen = least_loss(trial, deciding, INCIDENT_USD, rows)
        expected += plain[rows, chosen].sum(axis=1)
        violated += trial.harm.excess[rows, chosen].sum(axis=1)
        price += trial.options.price[chosen].sum(axis=1)
    return Tried(expected, violated, price, sum(len(rows) for _, rows, _, _ in parts))


def misled(past: Tried) -> float:
    """Return by how many log-odds the risks of what was chosen were too low."""
    chosen = [place for share in SELECTED_FOR if (place := past.within(share)) is not None]
    doubt = DOUBT * len(chosen)
    observed, expected = past.violated[chosen].sum() + doubt, past.expected[chosen].sum() + doubt
    return float(np.log(observed / expected)) if chosen else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """What may be known at an origin."""

    learner: Learner
    origin: Origin

    def fitted(self, fold: int, group: int | None = None) -> Models:
        """Return the models as fitted without a fold, and without a group of the past."""
        origin = self.origin
        rows = [origin.learnable(trial, fold, group) for trial in origin.past]
        key = ("models", self.learner.name, fold, group)
        return origin.remembered(key, lambda: models_of(self.learner, origin.past, rows))

    def selection(self, fold: int) -> float:
        """Return by how many log-odds choosing misleads, as a fold may know it."""
        key = ("selection", self.learner.name, fold)
        return self.origin.remembered(key, lambda: misled(tried(list(self._trials(fold)))))

    def _trials(self, fold: int) -> list[tuple[Trial, Integers, Floats, Floats]]:
        found = []
        for trial in self.origin.past:
            known = self.origin.learnable(trial, fold, None)
            groups = self.origin.past_groups[trial.resources]
            for group in np.unique(groups[known]).tolist():
                models = self.fitted(fold, group)
                plain, deciding = (
                    joint_risk(self.learner, one, trial) for one in (models, allowing(models, 0.0))
                )
                found.append((trial, np.flatnonzero(known & (groups == group)), plain, deciding))
        return found

    def models(self, fold: int, group: int | None = None) -> Models:
        """Return the models whose risks hold at what is chosen."""
        return allowing(self.fitted(fold, group), self.selection(fold))

    def risk(self, trial: Trial, fold: int, group: int | None = None) -> Floats:
        """Return the joint risk of every option of a trial, (resources, options)."""
        return joint_risk(self.learner, self.models(fold, group), trial)
