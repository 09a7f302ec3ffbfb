"""The resource types that can be analyzed: one record each, listed by hand."""

from collections.abc import Callable
from dataclasses import dataclass

from compute_optimizer.engine.comparison import Comparison
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.model.metrics import MetricKey
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.resources import ec2_instance


@dataclass(frozen=True, slots=True)
class ResourceType:
    """The facts and functions of one resource type."""

    name: str
    """The service's own name (enum ResourceType)."""
    metrics: tuple[MetricKey, ...]
    """The series wanted from the tiles."""
    recommend: Callable[..., ec2_instance.ShardResult]
    explain: Callable[..., Explanation]
    compare: Callable[..., Comparison]
    recommendation: type[Ec2InstanceRecommendation]
    """The class of its recommendations."""


RESOURCE_TYPES = (
    ResourceType(
        EC2_INSTANCE,
        ec2_instance.METRICS,
        ec2_instance.recommend,
        ec2_instance.explain,
        ec2_instance.compare,
        Ec2InstanceRecommendation,
    ),
)
