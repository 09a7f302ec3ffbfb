"""What was predicted of a resource, for people."""

from rich.console import Console

from compute_optimizer.cli.figures import number, percent
from compute_optimizer.cli.output import Format, print_rows
from compute_optimizer.engine.explanation import Explanation, PredictionEvidence
from compute_optimizer.model.preferences import CALIBRATED
from compute_optimizer.model.recommendation import OtherAnswer

PEAKS = {
    "dimension": "Dimension",
    "unit": "Unit",
    "days": "Days seen",
    "last": "Last peak",
    "half": "Coming: 50 % below",
    "most": "90 % below",
    "nearly_all": "99 % below",
}


def print_prediction(explanation: Explanation) -> None:
    """Print what decided, the coming peaks, and what the other profile says."""
    prediction = explanation.prediction
    if prediction is None:
        return
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(_decided(prediction))
    if explanation.other is not None:
        console.print(_other(explanation.other))
    if not prediction.peaks:
        return
    rows = [
        {
            "dimension": one.dimension,
            "unit": one.unit,
            "days": one.days_with_data,
            "last": number(one.last_peak),
            "half": number(one.coming["0.5"]),
            "most": number(one.coming["0.9"]),
            "nearly_all": number(one.coming["0.99"]),
        }
        for one in prediction.peaks
    ]
    title = f"Peaks of the next 14 days, predicted by what {prediction.fitted_on} did"
    print_rows(rows, PEAKS, Format.TABLE, title)


def _decided(prediction: PredictionEvidence) -> str:
    if prediction.profile == CALIBRATED:
        return (
            f"Decided by predicted risk: at most {percent(prediction.risk_cap, 0)} for any option, "
            f"and {prediction.incident_usd:g} USD for a violation within 14 days"
        )
    because = prediction.published_because
    return "Decided by the published rule" + (f": {because}" if because else "")


def _other(other: OtherAnswer) -> str:
    told = f"By the profile {other.profile}: {other.finding.value}, {other.instance_type or 'none'}"
    if other.savings is not None:
        told += f", saving {other.savings.monthly_usd:,.2f} USD a month"
    if other.violation_risk is not None:
        told += f", violated with a probability of {percent(other.violation_risk)}"
    return told
