"""A recommendation of each type that can be exported."""

from typing import Any

from tests.functions import function_recommendation
from tests.groups import group_recommendation
from tests.idleness import idle_recommendation
from tests.licenses import license_recommendation
from tests.recommended_databases import CLUSTER
from tests.records import recommendation
from tests.services import service_recommendation
from tests.volumes import volume_recommendation

SAMPLES: dict[str, Any] = {
    "AutoScalingGroup": group_recommendation(1),
    "EbsVolume": volume_recommendation(1),
    "Ec2Instance": recommendation(1),
    "EcsService": service_recommendation(),
    "Idle": idle_recommendation(1),
    "LambdaFunction": function_recommendation(timeout_seconds=30.0),
    "License": license_recommendation(),
    "RdsDBInstance": CLUSTER,
}
