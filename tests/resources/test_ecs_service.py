"""ECS services: what the cases do not show of the analysis of a shard."""

from datetime import timedelta

import numpy as np
import pytest

from compute_optimizer.catalog.fargate_sizes import load_task_sizes
from compute_optimizer.model.ecs_service import Container
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.resources.ecs_service import recommend
from compute_optimizer.resources.services.containers import containers_for
from compute_optimizer.resources.services.reading import counted_savings, summary_of
from tests.fleets import AS_OF, CPU, CPU_AVERAGE, MEMORY, shard
from tests.services import (
    analyzed_services,
    busy,
    recommended_service,
    service,
    service_recommendation,
)


def test_nothing_is_asked_of_an_empty_shard() -> None:
    assert analyzed_services([], {}).recommendations == ()


def test_each_service_of_a_shard_is_answered_as_if_it_were_alone() -> None:
    services = [
        service("a", 1024, 3072),
        service("b", 256, 512),
        service("c", 1024, 3072, auto_scaling=("StepScaling",)),
        service("d", 2048, 4096, desired_count=2),
    ]
    cpu = np.array([[9.0], [90.0], [9.0], [20.0]]) * np.ones(4032)
    memory = np.array([[11.0], [50.0], [11.0], [30.0]]) * np.ones(4032)

    together = analyzed_services(services, busy(cpu, memory))
    alone = [
        analyzed_services([one], busy(cpu[row], memory[row])) for row, one in enumerate(services)
    ]

    assert list(together.recommendations) == [one for each in alone for one in each.recommendations]
    assert list(together.errors) == [one for each in alone for one in each.errors]
    assert len(together.errors) == 1


def test_averages_stand_in_where_nobody_sent_maxima() -> None:
    found = recommended_service(service("api", 1024, 3072), {CPU_AVERAGE: 9.0, MEMORY: 11.0})

    assert [one.value for one in found.utilization] == [9.0, 11.0]
    assert (found.options[0].cpu_units, found.options[0].memory) == (256, 512)


def test_without_any_sample_there_is_an_error() -> None:
    (error,) = analyzed_services([service("api", 1024, 3072)], {}).errors

    assert error.code == "INSUFFICIENT_METRIC_DATA"


def test_savings_count_where_something_is_overprovisioned() -> None:
    over = service_recommendation()
    under = service_recommendation(finding=Finding.UNDER_PROVISIONED)
    fine = service_recommendation(finding=Finding.OPTIMIZED, options=())

    assert [counted_savings(one) for one in (over, under, fine)] == [30.275, 0.0, 0.0]
    assert summary_of(over).current == "1,024 CPU units, 3,072 MiB"
    assert summary_of(over).recommended == "256 CPU units, 512 MiB"
    assert summary_of(fine).recommended is None


TASK = (1024, 2048)


@pytest.mark.parametrize(
    ("containers", "then", "expected"),
    [
        # They fill the task: half of it is half of each.
        (
            (Container("a", 768, 1536, 1024), Container("b", 256, 512)),
            (512, 1024),
            (Container("a", 384, 768, 512), Container("b", 128, 256)),
        ),
        # They fit as they are.
        ((Container("a", 128, 256), Container("b", 128, None, 512)), (512, 1024), ()),
        # Memory has to shrink, CPU fits.
        ((Container("a", 256, 2048),), (512, 1024), (Container("a", 256, 1024),)),
        # A task that grows is of no use to a container with a limit.
        ((Container("a", 1024, 2048),), (2048, 4096), (Container("a", 2048, 4096),)),
        # Nothing is stated, so there is nothing to change.
        ((Container("a"),), (512, 1024), ()),
        ((), (512, 1024), ()),
    ],
)
def test_containers_go_with_their_task_where_they_have_to(
    containers: tuple[Container, ...], then: tuple[int, int], expected: tuple[Container, ...]
) -> None:
    assert containers_for(containers, TASK, then) == expected


def test_the_option_tells_the_containers() -> None:
    one = service("api", 1024, 3072, containers=(Container("api", 1024, 3072),))

    found = recommended_service(one, {CPU: 9.0, MEMORY: 11.0})

    assert found.containers == (Container("api", 1024, 3072),)
    assert found.options[0].containers == (Container("api", 256, 512),)


def test_a_month_is_extrapolated_from_the_time_that_was_looked_at() -> None:
    one = service("api", 1024, 3072)
    load = np.full(4032, 9.0)
    # Twelve hours of the last day have not been yet.
    load[-144:] = np.nan
    samples = shard([one], busy(load, load))
    noon = AS_OF - timedelta(hours=12)

    (found,) = recommend(
        [one], samples, load_task_sizes(), as_of=noon, preferences=DEFAULT_PREFERENCES
    ).recommendations

    # 1 x 0.04048 + 3 x 0.004445 = 0.053815 USD an hour, all of the 730.
    assert found.monthly_usd == pytest.approx(39.285, abs=0.0005)
