"""Instance types and prices as arrays, each figure with its source and date."""

from compute_optimizer.catalog.instance_types import InstanceTypes, load_instance_types

__all__ = ["InstanceTypes", "load_instance_types"]
