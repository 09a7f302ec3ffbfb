"""What every executor says of a task that failed."""

from collections.abc import Callable

from compute_optimizer.errors import ComputeOptimizerError
from compute_optimizer.interfaces import Found, Task
from compute_optimizer.model.resource import ShardKey


def named(shard: ShardKey) -> str:
    """Return what people call a shard."""
    return (
        f"shard {shard.shard} of {shard.resource_type} in {shard.region} of account "
        f"{shard.account_id}"
    )


def attempt(work: Callable[[Task], Found], task: Task) -> Found:
    """Work off a task; whatever is raised on purpose names its shard."""
    try:
        return work(task)
    except ComputeOptimizerError as error:
        raise type(error)(f"{named(task.shard)}: {error}") from error
