"""How the containers of a task go with its size."""

from collections.abc import Sequence

from msgspec import structs

from compute_optimizer.model.ecs_service import Container

Size = tuple[int, int]
"""CPU units and MiB."""


def containers_for(containers: Sequence[Container], now: Size, then: Size) -> tuple[Container, ...]:
    """Return the containers as another size of their task needs them; empty where they fit.

    They keep their shares of the task: a size that grows is of no use to containers with limits,
    and in one that shrinks their sum must fit (spec 6.5 says that they do, not how; assumed).
    """
    sums = (
        sum(one.cpu or 0 for one in containers),
        sum(one.memory or one.memory_reservation or 0 for one in containers),
    )
    cpu, memory = (
        1.0 if total <= new <= old else new / old
        for total, old, new in zip(sums, now, then, strict=True)
    )
    found = tuple(
        structs.replace(
            one,
            cpu=_scaled(one.cpu, cpu),
            memory=_scaled(one.memory, memory),
            memory_reservation=_scaled(one.memory_reservation, memory),
        )
        for one in containers
    )
    return () if found == tuple(containers) else found


def _scaled(value: int | None, factor: float) -> int | None:
    return None if value is None else int(value * factor)
