"""A served account with recommendations of instances, written without an analysis."""

from collections.abc import Sequence

from compute_optimizer.model.recommendation import Ec2InstanceRecommendation, RecommendationError
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.store.analysis_runs import Scope
from tests.end_to_end.conftest import ACCOUNT, REGION, Served
from tests.written_runs import store_run


def publish(
    served: Served,
    found: Sequence[Ec2InstanceRecommendation],
    errors: Sequence[RecommendationError] = (),
) -> None:
    """Opt the account in and store one complete run for it."""
    change_enrollment(served.state, served.clock, ACCOUNT, "Active")
    scope = Scope(ACCOUNT, REGION, EC2_INSTANCE)
    store_run(served.state, scope, found, errors, now=served.clock.now())
