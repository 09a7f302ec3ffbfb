"""The operations of the API: (context, request) -> response over plain dicts.

Every operation of the service model stands either in OPERATIONS or in NOT_YET.
"""

from collections.abc import Callable
from typing import Any

from compute_optimizer.operations.context import Context

Operation = Callable[[Context, dict[str, Any]], dict[str, Any]]
"""The request is decoded and valid by the service model; the response is encoded as returned."""

OPERATIONS: dict[str, Operation] = {}

NOT_YET = (
    "DeleteRecommendationPreferences",
    "DescribeRecommendationExportJobs",
    "ExportAutoScalingGroupRecommendations",
    "ExportEBSVolumeRecommendations",
    "ExportEC2InstanceRecommendations",
    "ExportECSServiceRecommendations",
    "ExportIdleRecommendations",
    "ExportLambdaFunctionRecommendations",
    "ExportLicenseRecommendations",
    "ExportRDSDatabaseRecommendations",
    "GetAutoScalingGroupRecommendations",
    "GetEBSVolumeRecommendations",
    "GetEC2InstanceRecommendations",
    "GetEC2RecommendationProjectedMetrics",
    "GetECSServiceRecommendationProjectedMetrics",
    "GetECSServiceRecommendations",
    "GetEffectiveRecommendationPreferences",
    "GetEnrollmentStatus",
    "GetEnrollmentStatusesForOrganization",
    "GetIdleRecommendations",
    "GetLambdaFunctionRecommendations",
    "GetLicenseRecommendations",
    "GetRDSDatabaseRecommendationProjectedMetrics",
    "GetRDSDatabaseRecommendations",
    "GetRecommendationPreferences",
    "GetRecommendationSummaries",
    "PutRecommendationPreferences",
    "UpdateEnrollmentStatus",
)
"""Operations of the model that are not built: they answer UnknownOperationException (404)."""
