"""The service's own shapes, generated from its model: TypedDicts, Literals and exceptions."""

from compute_optimizer.shapes.compute_optimizer import *  # noqa: F403 - its __all__ is the list
from compute_optimizer.shapes.exceptions import ServiceException as ServiceException
