"""What is remembered: the state database and the metric tiles."""

from compute_optimizer.store.state import State

__all__ = ["State"]
