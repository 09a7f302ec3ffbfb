"""What every executor says of a task that failed."""

from collections.abc import Callable

from compute_optimizer.errors import ComputeOptimizerError
from compute_optimizer.interfaces import Found, Task


def attempt(work: Callable[[Task], Found], task: Task) -> Found:
    """Work off a task; whatever is raised on purpose names it."""
    try:
        return work(task)
    except ComputeOptimizerError as error:
        raise type(error)(f"{task.name}: {error}") from error
