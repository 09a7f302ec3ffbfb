"""What stands around the operations: each layer sees a call, answers it or hands it on."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from compute_optimizer.operations import Operation
from compute_optimizer.operations.context import Context

Layer = Callable[[str, Operation, Context, dict[str, Any]], dict[str, Any]]
"""Takes the name of an operation, what to hand on to, the context and the request."""


def layered(operations: Mapping[str, Operation], layers: Sequence[Layer]) -> dict[str, Operation]:
    """Return the operations with layers around them, the first one outermost."""
    return {name: _around(name, operation, layers) for name, operation in operations.items()}


def _around(name: str, operation: Operation, layers: Sequence[Layer]) -> Operation:
    for layer in reversed(layers):
        operation = partial(layer, name, operation)
    return operation
