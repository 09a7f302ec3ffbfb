"""What was predicted of one instance, as evidence."""

from collections.abc import Iterator, Sequence

import numpy as np

from compute_optimizer.engine import peaks
from compute_optimizer.engine.arrays import Floats
from compute_optimizer.engine.evidence import ONLY
from compute_optimizer.engine.explanation import PeakEvidence, PredictionEvidence
from compute_optimizer.engine.prediction import Prediction
from compute_optimizer.engine.risk import predicted_risks
from compute_optimizer.model.preferences import CALIBRATED, PUBLISHED, Preferences
from compute_optimizer.model.risk import RiskModel
from compute_optimizer.resources.ec2.analysis import Ec2Analysis, published_because
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS

SHARES = (0.5, 0.9, 0.99)
"""Probabilities with which the coming peak stays below what is shown."""


def prediction_evidence(
    analysis: Ec2Analysis, preferences: Preferences, risk_model: RiskModel | None
) -> PredictionEvidence | None:
    """Return what was predicted of a batch of one; None without a risk model."""
    if risk_model is None or analysis.predicted is None or analysis.predicted.prediction is None:
        return None
    prediction = analysis.predicted.prediction
    decided = bool(analysis.decisions.predicted[ONLY])
    obstacle = analysis.obstacles[ONLY]
    return PredictionEvidence(
        profile=CALIBRATED if decided else PUBLISHED,
        published_because=None if obstacle else published_because(analysis, preferences)[ONLY],
        risk_cap=prediction.risk_cap,
        incident_usd=prediction.incident_usd,
        fitted_on=str(risk_model.card.get("fleet", "")),
        peaks=tuple(_peaks(prediction)),
    )


def _peaks(prediction: Prediction) -> Iterator[PeakEvidence]:
    columns = zip(DIMENSIONS, prediction.models, prediction.histories, strict=True)
    for place, (dimension, model, history) in enumerate(columns):
        if model is None or history is None or not prediction.judged[ONLY, place]:
            continue
        (coming,) = peaks.coming_peaks(model, history, SHARES).tolist()
        yield PeakEvidence(
            dimension=dimension.name,
            unit=dimension.unit,
            last_peak=float(history.peak[ONLY]),
            coming={f"{share:g}": level for share, level in zip(SHARES, coming, strict=True)},
            days_with_data=int(history.days[ONLY]),
        )


def capped_peak(analysis: Ec2Analysis, place: int) -> float:
    """Return the capacity whose risk in one dimension alone is the cap, at most today's.

    NaN where nothing is predicted.
    """
    prediction = analysis.predicted.prediction if analysis.predicted else None
    if prediction is None:
        return float("nan")
    model, history = prediction.models[place], prediction.histories[place]
    if model is None or history is None or not prediction.judged[ONLY, place]:
        return float("nan")
    peak = peaks.coming_peaks(model, history, [1 - prediction.risk_cap])[ONLY, 0]
    return float(min(peak, prediction.own[ONLY, place]))


def type_risks(analysis: Ec2Analysis, places: Sequence[int]) -> Floats:
    """Return the predicted risks of types for a batch of one, (types, dimensions); NaN if none."""
    types = np.array([places], np.int64).reshape(1, -1)
    if analysis.predicted is None:
        return np.full((len(places), len(DIMENSIONS)), np.nan)
    found: Floats = predicted_risks(analysis.predicted, analysis.market.capacity, types)[ONLY]
    return found
