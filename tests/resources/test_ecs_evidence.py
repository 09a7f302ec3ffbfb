"""The evidence of a service: the very figures that its recommendation rests on."""

from typing import Any

import pytest

from compute_optimizer.catalog.fargate_sizes import load_task_sizes
from compute_optimizer.engine.explanation import ChoiceEvidence, Explanation
from compute_optimizer.model.ecs_service import TRACKS_CPU, EcsService
from compute_optimizer.model.metrics import MetricKey
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.resources.ecs_service import explain
from compute_optimizer.resources.services.reading import size_text, summary_of
from tests.fleets import AS_OF, CPU, shard
from tests.services import busy, recommended_service, service


def explained(one: EcsService, series: dict[MetricKey, Any]) -> Explanation:
    return explain(
        one,
        shard([one], series),
        load_task_sizes(),
        as_of=AS_OF,
        preferences=DEFAULT_PREFERENCES,
    )


def choice(told: Explanation, cpu_units: int, memory: int) -> ChoiceEvidence:
    text = size_text(cpu_units, memory)
    (found,) = [one for one in told.choices if one.configuration == text]
    return found


@pytest.mark.parametrize(
    ("one", "cpu", "memory"),
    [
        (service("api", 1024, 3072), 20.0, 30.0),
        (service("api", 1024, 3072), 95.0, 30.0),
        (service("api", 256, 512), 5.0, 5.0),
        (service("api", 1024, 3072, auto_scaling=(TRACKS_CPU,)), 20.0, 30.0),
        (service("api", 1024, 3072, platform="windows"), 20.0, 30.0),
        (service("api", 1024, 2048, desired_count=4), 20.0, 70.0),
    ],
)
def test_finding_prices_and_options_are_those_of_the_recommendation(
    one: EcsService, cpu: float, memory: float
) -> None:
    told, found = explained(one, busy(cpu, memory)), recommended_service(one, busy(cpu, memory))

    assert (told.finding, told.finding_reason_codes) == (
        found.finding.value,
        found.finding_reason_codes,
    )
    assert told.current == summary_of(found).current
    assert told.current_monthly_usd == found.monthly_usd
    assert (told.price_date, told.idle) == (found.price_date, found.idle)
    ranked = {c.configuration: c.monthly_usd for c in told.choices if c.rank is not None}
    assert ranked == {size_text(o.cpu_units, o.memory): o.monthly_usd for o in found.options}


def test_demand_is_told_in_units_of_the_task_and_every_size_says_why_it_is_refused() -> None:
    told = explained(service("api", 1024, 3072), busy(20.0, 30.0))
    cpu, memory = told.dimensions

    # 20 % of 1,024 units are 204.8, and 256 with a fifth left free; 30 % of 3,072 MiB are 921.6
    # and 1,152.
    assert (cpu.demand, cpu.required, cpu.limit) == pytest.approx((204.8, 256, 256), rel=1e-6)
    assert (memory.demand, memory.required) == pytest.approx((921.6, 1_152), rel=1e-6)
    # 1,152 of 3,072 are three eighths, 256 of 1,024 a quarter.
    assert told.binding_dimension == "Memory"
    assert choice(told, 256, 1024).refused_because == ("Memory too small",)
    assert choice(told, 256, 2048).rank == 1
    assert choice(told, 1024, 3072).refused_because == ("the size as it is",)
    # What would do as well stands behind the first that fits.
    assert choice(told, 512, 2048).refused_because == ()
    assert sum(one.types for one in told.refusals) + told.fitting_types == len(told.choices)


def test_a_target_that_a_policy_holds_keeps_its_size_and_says_so() -> None:
    one = service("api", 1024, 3072, auto_scaling=(TRACKS_CPU,))
    told = explained(one, busy(20.0, 30.0))

    cpu = told.dimensions[0]
    assert cpu.required == pytest.approx(256, rel=1e-6)
    assert cpu.limit == 1_024
    held, short = choice(told, 512, 2048).refused_because
    assert held.startswith("the service's scaling policy holds")
    assert short == "CPU too small"


def test_unknown_memory_is_never_reduced() -> None:
    told = explained(service("api", 1024, 3072), {CPU: 20.0})
    memory = told.dimensions[1]

    assert (memory.samples, memory.demand, memory.limit) == (0, None, 3_072)


def test_a_service_without_a_recommendation_is_explained_by_its_error() -> None:
    told = explained(service("api", 1024, 3072, instance_type="EC2"), busy(20.0, 30.0))

    assert (told.finding, told.finding_reason_codes) == ("UNSUPPORTED_RESOURCE", ())
