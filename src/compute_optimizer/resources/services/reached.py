"""Whether services whose tasks were made smaller have come up against what a task has now."""

from dataclasses import replace

from compute_optimizer.catalog.fargate_sizes import TaskSizes
from compute_optimizer.engine.reached import MadeChange, Resized, judged_by, shrunk
from compute_optimizer.model.decision import Configuration
from compute_optimizer.model.ecs_service import EcsService
from compute_optimizer.resources.services.replay import REPLAY


def _configured(service: EcsService, now: Configuration) -> EcsService:
    return replace(service, cpu_units=now["cpuUnits"], task_memory=now["memoryMib"])


def _resized(change: MadeChange, _sizes: TaskSizes) -> Resized:
    before, now = _task(change.former), _task(change.now)
    return Resized(shrunk(before, now), now)


def _task(one: Configuration) -> tuple[float, float]:
    """Return CPU units and MiB."""
    return float(one["cpuUnits"]), float(one["memoryMib"])


JUDGE = judged_by(REPLAY, _configured, _resized)
