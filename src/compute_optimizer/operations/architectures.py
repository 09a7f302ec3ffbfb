"""How a request wants instance types to be shown: recommendationPreferences of a Get operation."""

from collections.abc import Mapping
from typing import Any

from compute_optimizer.model.preferences import CURRENT
from compute_optimizer.operations.catalog import known_types
from compute_optimizer.operations.context import Context
from compute_optimizer.views.ec2_instance import Presentation, gpu_infos

DEFAULT_ARCHITECTURES = (CURRENT,)
"""Value of cpuVendorArchitectures where a request states none (spec 3.8, a proposal)."""


def presentation_of(context: Context, request: Mapping[str, Any]) -> Presentation:
    """Return the Region, spelling and architectures of the answer."""
    preferences = request.get("recommendationPreferences", {})
    asked = tuple(preferences.get("cpuVendorArchitectures", ())) or DEFAULT_ARCHITECTURES
    gpus = gpu_infos(known_types(context.state))
    return Presentation(context.region, tuple(dict.fromkeys(asked)), context.enum_style, gpus)
