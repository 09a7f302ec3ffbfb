"""Whether forecasts hold: observed against expected, where the advice lies and over all options."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from compute_optimizer.backtest.fleet import CPU
from compute_optimizer.backtest.intervals import wilson
from compute_optimizer.backtest.trial import Train, Trial
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.risk import SCORE_RISKS, scored

JOINT = "joint"
"""Any dimension: stands beside the dimensions where there are several."""

RELIABILITY_EDGES = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Bins of forecast probability, logarithmic between .001 and .3."""

LEAST, MOST = 1e-4, 1 - 1e-4
"""A forecast counts as no surer than this, or one surprise would cost an infinite log score."""

COVERED_SHARE = 0.95
"""Share of the slots before the origin from which a resource counts as well covered."""

WELL_COVERED = "well covered"
"""Under which a trial remembers who is."""


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Probabilities of excess violations in one dimension, for unclipped resources."""

    probability: Floats
    """(resources, options); 0 where no excess harm is possible."""
    violated: Booleans
    """(resources, options)."""
    reference: Floats
    """The forecast to beat, (resources, options): how often options as tight were violated."""
    judged: Booleans
    """(resources, options): options with less than today's capacity and known use."""


def calibration_of(
    forecast: Forecast, chosen: Integers, groups: Mapping[str, Booleans]
) -> dict[str, Any]:
    """Return the scores of one dimension at the chosen options, the next cheaper, and over all."""
    return {
        **at_choice(forecast, chosen, np.ones(len(chosen), np.bool_)),
        "groups": {name: at_choice(forecast, chosen, rows) for name, rows in groups.items()},
        **proper_scores(forecast),
        "reliability": reliability(forecast),
    }


def at_choice(forecast: Forecast, chosen: Integers, rows: Booleans) -> dict[str, Any]:
    """Return observed and expected violations of some resources, chosen and next cheaper."""
    counted = np.flatnonzero(rows)
    at = chosen[counted]
    cheaper = np.flatnonzero(at > 0)
    observed = int(forecast.violated[counted, at].sum())
    expected = float(forecast.probability[counted, at].sum())
    following = (counted[cheaper], at[cheaper] - 1)
    next_observed = int(forecast.violated[following].sum())
    next_expected = float(forecast.probability[following].sum())
    return {
        "resources": len(counted),
        "observed": observed,
        "expected": expected,
        "ratio": _ratio(observed, expected),
        "ratio_interval": _ratio_interval(observed, expected, len(counted)),
        "next_resources": len(cheaper),
        "next_observed": next_observed,
        "next_expected": next_expected,
        "next_ratio": _ratio(next_observed, next_expected),
    }


def _ratio(observed: int, expected: float) -> float | None:
    return observed / expected if expected else None


def _ratio_interval(observed: int, expected: float, number: int) -> list[float] | None:
    if not expected:
        return None
    return [share * number / expected for share in wilson(observed, number)]


def proper_scores(forecast: Forecast) -> dict[str, float | None]:
    """Return Brier and log score over judged options, and the skill against the reference."""
    hit = forecast.violated[forecast.judged]
    p = np.clip(forecast.probability[forecast.judged], LEAST, MOST)
    if not len(p):
        return {"brier": None, "brier_skill": None, "log_score": None, "log_skill": None}
    base = np.clip(forecast.reference[forecast.judged], LEAST, MOST)
    brier, plain = _brier(p, hit), _brier(base, hit)
    log, plain_log = _log(p, hit), _log(base, hit)
    return {
        "brier": brier,
        "brier_skill": 1 - brier / plain if plain else None,
        "log_score": log,
        "log_skill": 1 - log / plain_log if plain_log else None,
    }


def _brier(p: Floats, hit: Booleans) -> float:
    return float(np.mean((p - hit) ** 2))


def _log(p: Floats, hit: Booleans) -> float:
    return float(-np.mean(np.where(hit, np.log(p), np.log(1 - p))))


def reliability(forecast: Forecast) -> list[dict[str, Any]]:
    """Return expected and observed shares of the judged options by bins of probability."""
    p, hit = forecast.probability[forecast.judged], forecast.violated[forecast.judged]
    rows = []
    for low, high in pairwise(RELIABILITY_EDGES):
        inside = (p >= low) & ((p < high) | (high == RELIABILITY_EDGES[-1]))
        number, count = int(inside.sum()), int(hit[inside].sum())
        if number:
            rows.append(
                {
                    "from": low,
                    "to": high,
                    "options": number,
                    "expected": float(p[inside].mean()),
                    "observed": count / number,
                    "interval": list(wilson(count, number)),
                }
            )
    return rows


def whole_of(forecasts: Mapping[str, Forecast]) -> Forecast:
    """Return the forecast of any dimension."""
    return forecasts.get(JOINT) or next(iter(forecasts.values()))


def by_score(
    forecasts: Mapping[str, Forecast], violated: Booleans, chosen: Integers
) -> list[dict[str, Any]]:
    """Return by score of the wire, 0 to 4, what the risks said and what came.

    The score of an option is its highest over the dimensions; `violated` is (resources, options),
    in any dimension. Counted over judged options, and over the chosen ones of all resources.
    """
    single = [one.probability for name, one in forecasts.items() if name != JOINT]
    highest = scored(np.max(single, axis=0))
    judged = np.logical_or.reduce([one.judged for one in forecasts.values()])
    risk = whole_of(forecasts).probability
    rows = np.arange(len(chosen))
    found = []
    for score in range(len(SCORE_RISKS) + 1):
        options, mine = judged & (highest == score), highest[rows, chosen] == score
        count, hits = int(options.sum()), int(violated[options].sum())
        found.append(
            {
                "score": score,
                "options": count,
                "expected": float(risk[options].mean()) if count else None,
                "observed": hits / count if count else None,
                "interval": list(wilson(hits, count)),
                "chosen": int(mine.sum()),
                "chosen_expected": float(risk[rows, chosen][mine].sum()),
                "chosen_observed": int(violated[rows, chosen][mine].sum()),
            }
        )
    return found


def groups_of(trial: Trial) -> dict[str, Booleans]:
    """Return unclipped resources by size and by coverage before the origin."""
    counted = trial.counted
    vcpus = trial.train.current[counted, trial.options.dimensions.index(CPU)]
    covered = well_covered(trial)[counted]
    return {
        "up to 2 vCPU": vcpus <= 2,
        "more than 2 vCPU": vcpus > 2,
        "well covered": covered,
        "with gaps": ~covered,
    }


def well_covered(trial: Trial) -> Booleans:
    """Return which resources sent nearly all of their CPU samples before the origin."""
    return trial.remembered(WELL_COVERED, lambda: _well_covered(trial.train))


def _well_covered(train: Train) -> Booleans:
    found: Booleans = np.isfinite(train.demand[CPU]).mean(axis=1) >= COVERED_SHARE
    return found
