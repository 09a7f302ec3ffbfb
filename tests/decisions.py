"""One piece of advice, and a decision on it in any state."""

from datetime import UTC, datetime, timedelta

from compute_optimizer.model.decision import Advice, Decision, Prediction, State, recommendation_id

NOW = datetime(2026, 3, 15, 6, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
ARN = "arn:aws:ec2:us-east-1:222222222222:instance/i-1"
HERE = ("222222222222", "us-east-1", ARN, "Ec2Instance")
ID = recommendation_id(*HERE, {"instanceType": "m5.large"})
ADVICE = Advice(
    ID,
    "222222222222",
    "us-east-1",
    "Ec2Instance",
    ARN,
    "web-1",
    "Overprovisioned",
    {"instanceType": "m5.xlarge"},
    {"instanceType": "m5.large"},
    "m5.xlarge",
    "m5.large",
    Prediction(NOW),
)


def in_state(state: State) -> Decision:
    until = LATER if state is State.SNOOZED else None
    return Decision(ADVICE, state, NOW, "bob", snoozed_until=until)
