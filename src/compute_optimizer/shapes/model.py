"""The vendored service models: what each operation takes, answers and may raise."""

import gzip
import json
from functools import cache
from importlib.resources import files
from typing import Any

from botocore.model import ServiceModel

MODEL_FILES = {
    "compute-optimizer": "compute-optimizer-2019-11-01.json.gz",
    "compute-optimizer-automation": "compute-optimizer-automation-2025-09-22.json.gz",
}
"""The files beside this module, by service; their origin is in README.md."""

NAMESPACES = {
    "compute-optimizer": "com.amazonaws.computeoptimizer",
    "compute-optimizer-automation": "com.amazonaws.computeoptimizerautomation",
}
"""Smithy namespace by service: the part of a shape id before `#`; botocore's model leaves it out.
Source: public SDKs generated from the Smithy models."""


def read_model(service: str) -> dict[str, Any]:
    """Return the service model as botocore writes it, documentation included."""
    packed = (files(__package__) / MODEL_FILES[service]).read_bytes()
    model: dict[str, Any] = json.loads(gzip.decompress(packed))
    return model


@cache
def service_model(service: str = "compute-optimizer") -> ServiceModel:
    """Return the loaded service model."""
    return ServiceModel(read_model(service), service)


@cache
def modelled_errors(operation_name: str, service: str = "compute-optimizer") -> frozenset[str]:
    """Return the codes of the errors that the operation lists: the only ones it may answer."""
    operation = service_model(service).operation_model(operation_name)
    return frozenset(shape.name for shape in operation.error_shapes)
