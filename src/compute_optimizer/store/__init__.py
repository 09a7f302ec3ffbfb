"""What is remembered: the state database and the metric tiles."""

# Whoever walks over all tables must meet those that a module of their own declares.
from compute_optimizer.store import (
    decision_tables,
    quality_tables,
    search_tables,
    what_if_tables,
)
from compute_optimizer.store.state import State

__all__ = ["State", "decision_tables", "quality_tables", "search_tables", "what_if_tables"]
