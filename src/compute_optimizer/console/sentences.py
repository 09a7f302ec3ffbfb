"""An explanation in sentences."""

from collections.abc import Iterator

from compute_optimizer.console import words
from compute_optimizer.console.metric_titles import metric_title
from compute_optimizer.engine.explanation import DimensionEvidence, Explanation, PredictionEvidence
from compute_optimizer.model.preferences import CALIBRATED
from compute_optimizer.model.recommendation import OtherAnswer

MOST_REFUSALS = 3
"""Reasons that are told of why other types are no options, those that refused most first."""


def sentences_of(told: Explanation) -> list[str]:
    """Return what decided, in the order in which it decided."""
    return [
        *_history(told),
        *_demand(told),
        *_refused(told),
        *(_decided(told.prediction) if told.prediction else ()),
        *(_other(told.other) if told.other else ()),
        *_prices(told),
    ]


def _history(told: Explanation) -> Iterator[str]:
    history, window = told.history, told.window
    yield (
        f"The answer rests on {window.first} to {window.last}: {history.days_with_data} of "
        f"{history.days} days have samples of {metric_title(history.of)}, "
        f"{words.share(history.share)} of the intervals ({history.samples:,} samples; "
        f"{history.samples_needed:,} are needed)."
    )


def _demand(told: Explanation) -> Iterator[str]:
    binding = next((d for d in told.dimensions if d.dimension == told.binding_dimension), None)
    if binding is None:
        return
    name = words.spaced(binding.dimension)
    yield (
        f"{name} binds: it asks for the largest share of what there is now. P"
        f"{binding.percentile:g} of its use is {_amount(binding, binding.demand)}; with "
        f"{words.share(binding.headroom, 0)} headroom it needs {_amount(binding, binding.limit)}, "
        f"and there is {_amount(binding, binding.current_capacity)}."
    )
    if binding.forgiven_hours:
        yield (
            f"The percentile forgives the highest {binding.forgiven_hours:.1f} hours; the highest "
            f"use was {_amount(binding, binding.maximum)}."
        )


def _amount(dimension: DimensionEvidence, value: float | None) -> str:
    return "unknown" if value is None else f"{words.figure(value)} {dimension.unit}"


def _refused(told: Explanation) -> Iterator[str]:
    if not told.refusals:
        return
    one_of_them = "type" if told.considered else "configuration"
    fit = f"{one_of_them} fits" if told.fitting_types == 1 else f"{one_of_them}s fit"
    first = sorted(told.refusals, key=lambda one: -one.types)[:MOST_REFUSALS]
    reasons = ", ".join(f"{one.types:,} for “{one.reason}”" for one in first)
    yield f"{told.fitting_types:,} {fit}. Most of the others were refused: {reasons}."


def _decided(prediction: PredictionEvidence) -> Iterator[str]:
    if prediction.profile == CALIBRATED:
        cap, cost = words.share(prediction.risk_cap, 0), words.money(prediction.incident_usd)
        yield (
            f"Predicted risk decided: at most {cap} for any option, and a violation within 14 days "
            f"is taken to cost {cost}."
        )
        return
    because = prediction.published_because
    yield "The published rule decided" + (f": {because}." if because else ".")


def _other(other: OtherAnswer) -> Iterator[str]:
    saving = ""
    if other.savings is not None:
        saving = f", saving {words.money(other.savings.monthly_usd)} a month"
    violated = ""
    if other.violation_risk is not None:
        risk = words.share(other.violation_risk)
        violated = f"; demand exceeds it within 14 days with a probability of {risk}"
    yield (
        f"The {other.profile} profile says {words.spaced(other.finding)}: "
        f"{other.instance_type or 'no option'}{saving}{violated}."
    )


def _prices(told: Explanation) -> Iterator[str]:
    if told.price_date is not None:
        yield f"Prices are list prices; the oldest of them is of {told.price_date}."
