"""How a request wants instance types to be shown: recommendationPreferences of a Get operation."""

from collections.abc import Mapping
from typing import Any

from compute_optimizer.operations.catalog import known_types
from compute_optimizer.operations.context import Context
from compute_optimizer.shapes import CpuVendorArchitecture
from compute_optimizer.views.ec2_instance import Presentation, gpu_infos

DEFAULT_ARCHITECTURES: tuple[CpuVendorArchitecture, ...] = ("CURRENT",)
"""Value of cpuVendorArchitectures where a request states none (spec 3.8, a proposal)."""


def architectures_of(request: Mapping[str, Any]) -> tuple[CpuVendorArchitecture, ...]:
    """Return of which architectures a request wants options, each once."""
    preferences = request.get("recommendationPreferences") or {}
    asked = preferences.get("cpuVendorArchitectures") or DEFAULT_ARCHITECTURES
    return tuple(dict.fromkeys(asked))


def presentation_of(context: Context, request: Mapping[str, Any]) -> Presentation:
    """Return the Region, spelling and architectures of the answer."""
    types = known_types(context.state)
    architectures, gpus = architectures_of(request), gpu_infos(types)
    return Presentation(context.region, architectures, context.enum_style, gpus, types)
