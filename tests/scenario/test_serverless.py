"""Generated functions and services can be imported and show every finding."""

from collections import Counter
from datetime import UTC, date, datetime

import numpy as np
import pytest

from compute_optimizer.catalog.fargate_sizes import load_task_sizes
from compute_optimizer.catalog.lambda_memory import load_function_types
from compute_optimizer.model.metrics import Window
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.resources import ecs_service, lambda_function
from compute_optimizer.scenario.fleet import generate_fleet
from compute_optimizer.scenario.serverless import (
    POLICY_SHARES,
    TASK_SIZES,
    generate_function_samples,
    generate_functions,
    generate_service_samples,
    generate_services,
)

FLEET = generate_fleet(111)
DAYS = Window(date(2026, 3, 1), date(2026, 3, 14))
AS_OF = datetime(2026, 3, 15, tzinfo=UTC)


def test_they_are_the_same_for_the_same_seed_only() -> None:
    for generate in (generate_functions, generate_services):
        assert generate(1, FLEET) == generate(1, FLEET)
        assert generate(1, FLEET) != generate(2, FLEET)
        assert generate(1, ()) == ()


def test_every_size_of_a_task_is_valid() -> None:
    sizes = load_task_sizes()
    valid = set(zip(sizes.cpu_units.tolist(), sizes.memory.tolist(), strict=True))

    assert set(TASK_SIZES) <= valid
    assert sum(POLICY_SHARES) == pytest.approx(1.0)


def test_functions_show_every_finding() -> None:
    functions = generate_functions(111, FLEET)
    samples = generate_function_samples(functions, DAYS, 111)

    found = lambda_function.recommend(
        [one.resource for one in functions],
        samples,
        load_function_types(),
        as_of=AS_OF,
        preferences=DEFAULT_PREFERENCES,
    ).recommendations

    assert set(Counter(one.finding.value for one in found)) == {
        "NotOptimized",
        "Optimized",
        "Unavailable",
    }


def test_services_show_every_finding_and_what_is_not_supported() -> None:
    services = generate_services(111, FLEET)
    samples = generate_service_samples(services, DAYS, 111)

    found = ecs_service.recommend(
        [one.resource for one in services],
        samples,
        load_task_sizes(),
        as_of=AS_OF,
        preferences=DEFAULT_PREFERENCES,
    )

    assert {one.finding.value for one in found.recommendations} == {
        "Overprovisioned",
        "Underprovisioned",
        "Optimized",
    }
    assert {one.code for one in found.errors} == {"UNSUPPORTED_RESOURCE"}


def test_without_functions_and_services_there_are_no_samples() -> None:
    for samples in (
        generate_function_samples((), DAYS, 1),
        generate_service_samples((), DAYS, 1),
    ):
        assert samples.resource_arns == ()
        assert all(matrix.shape == (0, 14 * 288) for matrix in samples.series.values())


def test_nothing_takes_longer_than_its_timeout_nor_more_than_its_memory() -> None:
    functions = generate_functions(111, FLEET)
    samples = generate_function_samples(functions, DAYS, 111)

    by_name = {key.column: matrix for key, matrix in samples.series.items()}
    size = np.array([[one.resource.memory_size] for one in functions])
    timeout = np.array([[one.resource.timeout_seconds or 0] for one in functions]) * 1000
    assert np.nanmax(by_name["used_memory_max_Maximum"] / size) <= 1
    assert np.nanmax(by_name["Duration_Maximum"] / timeout) < 1
