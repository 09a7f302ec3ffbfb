"""What fails of the calls of a function, as CloudWatch counts them."""

from compute_optimizer.engine.failures import FailureShare
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.resources.functions.use import INVOCATIONS

ERRORS = MetricKey("Errors", Statistic.SUM)
THROTTLES = MetricKey("Throttles", Statistic.SUM)

FAILURES = (
    # Runs out of memory or time are errors, so are those of the code.
    FailureShare(ERRORS.metric, ERRORS, (INVOCATIONS,)),
    # Less CPU makes runs longer, and so more of them at once. Throttled calls are not invocations.
    FailureShare(THROTTLES.metric, THROTTLES, (INVOCATIONS, THROTTLES)),
)
