"""The operations of the API: (context, request) -> response over plain dicts.

Every operation of the service model stands in OPERATIONS.
"""

from collections.abc import Callable
from typing import Any

from compute_optimizer.operations.auto_scaling_groups import (
    get_auto_scaling_group_recommendations,
)
from compute_optimizer.operations.context import Context
from compute_optimizer.operations.databases import get_rds_database_recommendations
from compute_optimizer.operations.ebs_volumes import get_ebs_volume_recommendations
from compute_optimizer.operations.ec2_instances import get_ec2_instance_recommendations
from compute_optimizer.operations.ecs_projected_metrics import get_ecs_service_projected_metrics
from compute_optimizer.operations.ecs_services import get_ecs_service_recommendations
from compute_optimizer.operations.enrollment import (
    get_enrollment_status,
    get_enrollment_statuses_for_organization,
    update_enrollment_status,
)
from compute_optimizer.operations.export_jobs import describe_recommendation_export_jobs
from compute_optimizer.operations.exports import EXPORT_KINDS, exporting
from compute_optimizer.operations.idle import get_idle_recommendations
from compute_optimizer.operations.lambda_functions import get_lambda_function_recommendations
from compute_optimizer.operations.licenses import get_license_recommendations
from compute_optimizer.operations.preferences import (
    delete_recommendation_preferences,
    get_effective_recommendation_preferences,
    get_recommendation_preferences,
    put_recommendation_preferences,
)
from compute_optimizer.operations.projected_metrics import (
    get_ec2_recommendation_projected_metrics,
)
from compute_optimizer.operations.rds_projected_metrics import (
    get_rds_database_recommendation_projected_metrics,
)
from compute_optimizer.operations.summaries import get_recommendation_summaries

Operation = Callable[[Context, dict[str, Any]], dict[str, Any]]
"""The request is decoded and valid by the service model; the response is encoded as returned."""

OPERATIONS: dict[str, Operation] = {
    "DeleteRecommendationPreferences": delete_recommendation_preferences,
    "DescribeRecommendationExportJobs": describe_recommendation_export_jobs,
    **{operation: exporting(operation) for operation in EXPORT_KINDS},
    "GetAutoScalingGroupRecommendations": get_auto_scaling_group_recommendations,
    "GetEBSVolumeRecommendations": get_ebs_volume_recommendations,
    "GetEC2InstanceRecommendations": get_ec2_instance_recommendations,
    "GetEC2RecommendationProjectedMetrics": get_ec2_recommendation_projected_metrics,
    "GetECSServiceRecommendationProjectedMetrics": get_ecs_service_projected_metrics,
    "GetECSServiceRecommendations": get_ecs_service_recommendations,
    "GetEffectiveRecommendationPreferences": get_effective_recommendation_preferences,
    "GetEnrollmentStatus": get_enrollment_status,
    "GetEnrollmentStatusesForOrganization": get_enrollment_statuses_for_organization,
    "GetIdleRecommendations": get_idle_recommendations,
    "GetLambdaFunctionRecommendations": get_lambda_function_recommendations,
    "GetLicenseRecommendations": get_license_recommendations,
    "GetRDSDatabaseRecommendationProjectedMetrics": (
        get_rds_database_recommendation_projected_metrics
    ),
    "GetRDSDatabaseRecommendations": get_rds_database_recommendations,
    "GetRecommendationPreferences": get_recommendation_preferences,
    "GetRecommendationSummaries": get_recommendation_summaries,
    "PutRecommendationPreferences": put_recommendation_preferences,
    "UpdateEnrollmentStatus": update_enrollment_status,
}
