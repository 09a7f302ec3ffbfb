"""Properties of the whole analysis of EC2 instances, and its answers at the edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.catalog.prices import hourly_prices
from compute_optimizer.engine.departures import departures
from compute_optimizer.model.metrics import MetricKey, ShardSamples
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES, Preferences
from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    Finding,
    RecommendationError,
    Savings,
)
from compute_optimizer.model.resource import EC2_INSTANCE, Resource
from compute_optimizer.resources import RESOURCE_TYPES
from compute_optimizer.resources.ec2.dimensions import METRICS
from compute_optimizer.resources.ec2_instance import explain, recommend
from tests.fleets import (
    AS_OF,
    CPU,
    CPU_AVERAGE,
    MEMORY,
    analyzed,
    counter,
    instance,
    option_types,
    recommended,
    shard,
)
from tests.mixed_fleet import DAY, FLEET_TYPES, NAN, mixed_shard

TYPES = load_instance_types()
Answer = Ec2InstanceRecommendation | RecommendationError


def run(
    fleet: list[Resource],
    samples: ShardSamples,
    preferences: Preferences = DEFAULT_PREFERENCES,
) -> dict[str, Answer]:
    """Return each resource's recommendation, or its error, by ARN."""
    found = recommend(fleet, samples, TYPES, as_of=AS_OF, preferences=preferences)
    everything: tuple[Answer, ...] = (*found.recommendations, *found.errors)
    return {one.resource_arn: one for one in everything}


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_is_its_rows(seed: int) -> None:
    fleet, samples = mixed_shard(seed)

    together = run(fleet, samples)

    assert list(together) != [] and len(together) == len(fleet)
    for row, resource in enumerate(fleet):
        assert run([resource], samples.row(row))[resource.arn] == together[resource.arn]


def test_the_order_of_resources_does_not_matter() -> None:
    fleet, samples = mixed_shard(11)
    order = np.random.default_rng(1).permutation(len(fleet))
    shuffled = ShardSamples(
        tuple(samples.resource_arns[row] for row in order),
        samples.window,
        {key: matrix[order] for key, matrix in samples.series.items()},
    )

    assert run([fleet[row] for row in order], shuffled) == run(fleet, samples)


def test_the_samples_are_left_as_they_were() -> None:
    fleet, samples = mixed_shard(12)
    before = {key: matrix.copy() for key, matrix in samples.series.items()}

    run(fleet, samples)

    for key, matrix in samples.series.items():
        np.testing.assert_array_equal(matrix, before[key])


def test_explanation_and_recommendation_agree() -> None:
    fleet, samples = mixed_shard(13)
    together = run(fleet, samples)

    for row, resource in enumerate(fleet):
        evidence = explain(
            resource, samples.row(row), TYPES, as_of=AS_OF, preferences=DEFAULT_PREFERENCES
        )
        found = together[resource.arn]
        if not isinstance(found, Ec2InstanceRecommendation):
            assert evidence.finding == found.code
            continue
        assert (evidence.finding, evidence.idle) == (found.finding.value, found.idle)
        ranked = {
            (pool, rank): one.instance_type
            for one in evidence.considered
            for pool, rank in one.ranks.items()
        }
        assert ranked == {(o.architecture_pool, o.rank): o.instance_type for o in found.options}


loads = st.tuples(
    st.sampled_from(["m5.xlarge", "m4.2xlarge", "t3.large", "m7a.large", "m6g.xlarge"]),
    st.floats(1, 95),
    st.floats(1, 95),
    st.floats(0, 0.03),
)


def load(cpu: float, memory: float, bursts: float) -> dict[MetricKey, np.ndarray]:
    busy = np.random.default_rng(5).random(14 * DAY) < bursts
    return {CPU: np.where(busy, min(3 * cpu, 100), cpu), MEMORY: np.full(14 * DAY, memory)}


def top_price(found: Ec2InstanceRecommendation) -> float:
    price = found.options[0].hourly_usd
    assert price is not None
    return price


def stays(found: Ec2InstanceRecommendation) -> bool:
    return option_types(found) == [found.current_instance_type]


@settings(max_examples=60, deadline=None)
@given(loads, st.floats(1, 2), st.floats(1, 2))
def test_more_demand_never_makes_the_top_option_cheaper(
    at: tuple[str, float, float, float], more_cpu: float, more_memory: float
) -> None:
    kind, cpu, memory, bursts = at
    small = recommended(instance(1, kind), load(cpu, memory, bursts))
    large = recommended(
        instance(1, kind),
        load(min(cpu * more_cpu, 100), min(memory * more_memory, 100), bursts),
    )

    # Where nothing larger exists the instance stays as it is: that is a refusal, not an option.
    refused = stays(large) and not stays(small) and top_price(small) > top_price(large)
    assert refused or top_price(large) >= top_price(small)


@settings(max_examples=60, deadline=None)
@given(loads, st.sampled_from([(0.0, 0.2), (0.2, 0.3), (0.0, 0.3)]))
def test_more_headroom_never_saves_more(
    at: tuple[str, float, float, float], headrooms: tuple[float, float]
) -> None:
    kind, *levels = at
    savings = []
    for headroom in headrooms:
        found = recommended(instance(1, kind), load(*levels), Preferences(cpu_headroom=headroom))
        assert found.options[0].savings is not None
        savings.append(found.options[0].savings.monthly_usd)

    assert savings[1] <= savings[0]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(FLEET_TYPES[:12]), st.floats(0, 100), st.booleans())
def test_unknown_memory_is_never_reduced(kind: str, cpu: float, stated: bool) -> None:
    resource = instance(1, kind, memory_mib=50_000 if stated else None)
    found = recommended(resource, {CPU: cpu})

    today = resource.memory_mib or TYPES.memory_mib[TYPES.index[kind]]
    for option in found.options:
        if option.instance_type != kind:
            assert TYPES.memory_mib[TYPES.index[option.instance_type]] >= today
    assert "MemoryOverprovisioned" not in found.finding_reason_codes
    assert [metric.name for metric in found.utilization] == ["Cpu"]


@pytest.mark.parametrize("factor", [0.5, 8.0])
def test_scaled_prices_rank_alike(factor: float, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet, samples = mixed_shard(14)
    before = run(fleet, samples)
    monkeypatch.setattr(
        "compute_optimizer.resources.ec2.analysis.hourly_prices",
        lambda types, *market: factor * hourly_prices(types, *market),
    )

    after = run(fleet, samples)

    def ranks(found: dict[str, Answer]) -> list[list[str]]:
        return [
            [option.instance_type for option in one.options]
            for one in found.values()
            if isinstance(one, Ec2InstanceRecommendation)
        ]

    assert ranks(after) == ranks(before)


def test_thirty_hours_are_enough_and_need_not_be_in_a_row() -> None:
    cpu = np.full((2, 14 * DAY), NAN)
    cpu[:, ::10] = 5.0
    cpu[0, 10 * 360 :] = NAN
    cpu[1, 10 * 359 :] = NAN
    fleet = [instance(1, "m5.large"), instance(2, "m5.large")]

    found = analyzed(fleet, {CPU: cpu})

    assert [one.resource_arn for one in found.recommendations] == [fleet[0].arn]
    assert [(one.resource_arn, one.code, one.message) for one in found.errors] == [
        (
            fleet[1].arn,
            "INSUFFICIENT_METRIC_DATA",
            "The resource doesn't have enough metric data to generate a recommendation.",
        )
    ]


@pytest.mark.parametrize("kind", ["mac2.metal", "no.such"])
def test_unsupported_and_unknown_types_are_errors(kind: str) -> None:
    (error,) = analyzed([instance(1, kind)], {CPU: 5.0}).errors

    assert (error.code, error.message) == (
        "UNSUPPORTED_RESOURCE",
        "The resource type or configuration isn't supported.",
    )


def test_no_resources_and_no_samples_are_no_accident() -> None:
    assert analyzed([], {CPU: 5.0}).recommendations == ()
    assert [e.code for e in analyzed([instance(1, "m5.large")], {}).errors] == [
        "INSUFFICIENT_METRIC_DATA"
    ]


def test_use_is_projected_by_the_measured_speed() -> None:
    found = recommended(instance(1, "m4.xlarge"), {CPU: 55.508, MEMORY: 50.0})

    assert found.options
    for option in found.options:
        now, then = TYPES.index["m4.xlarge"], TYPES.index[option.instance_type]
        vcpus, speed, memory = TYPES.vcpus, TYPES.relative_speed, TYPES.memory_mib
        assert [metric.value for metric in option.projected_utilization] == pytest.approx(
            [
                55.508 * vcpus[now] * speed[now] / (vcpus[then] * speed[then]),
                50.0 * memory[now] / memory[then],
            ],
            abs=1e-3,
        )


def test_current_type_projects_to_its_own_values() -> None:
    # Nothing on Intel is cheaper than a t3.nano.
    found = recommended(instance(1, "t3.nano"), {CPU: 4.0, MEMORY: 75.0})

    assert found.finding is Finding.OPTIMIZED
    assert stays(found)
    assert [(m.name, m.value) for m in found.options[0].projected_utilization] == [
        ("Cpu", 4.0),
        ("Memory", 75.0),
    ]
    assert found.options[0].savings == Savings(percentage=0, monthly_usd=0)


def test_unknown_prices_leave_the_savings_out() -> None:
    found = recommended(instance(1, "m5.2xlarge", region="eu-central-1", platform="suse"), {CPU: 2})

    assert stays(found)
    assert (found.options[0].savings, found.options[0].hourly_usd) == (None, None)


def test_stated_capacity_is_the_base_of_percentages() -> None:
    # The machine has 16 of the type's 64 vCPUs and 32 of its 256 GiB.
    stated = instance(1, "m7i.16xlarge", vcpus=16, memory_mib=32 * 1024)

    found = recommended(stated, {CPU: 50.0, MEMORY: 50.0})

    demand = 0.5 * 16 * TYPES.relative_speed[TYPES.index["m7i.16xlarge"]]
    assert found.options
    for option in found.options:
        then = TYPES.index[option.instance_type]
        capacity = TYPES.vcpus[then] * TYPES.relative_speed[then]
        assert [metric.value for metric in option.projected_utilization] == pytest.approx(
            [100 * demand / capacity, 100 * 16 * 1024 / TYPES.memory_mib[then]], abs=1e-3
        )


def test_the_list_of_use_has_every_metric_by_its_name() -> None:
    series = {counter("VolumeReadOps"): 300.0, CPU: 12.5, counter("NetworkOut"): 150.0}

    found = recommended(instance(1, "m5.large"), series)

    assert [(m.name, m.value, m.source_statistic) for m in found.utilization] == [
        ("Cpu", 12.5, "Maximum"),
        ("EBS_READ_OPS_PER_SECOND", 1.0, "Sum"),
        ("NETWORK_OUT_BYTES_PER_SECOND", 0.5, "Sum"),
    ]


def test_credits_are_judged_by_averages() -> None:
    # Every slot touches 70 %, but on average the machine rests: credits last.
    spiky = {CPU: 70.0}
    resting = {CPU: 70.0, CPU_AVERAGE: 5.0}

    def burstable(series: dict[MetricKey, float]) -> bool:
        found = recommended(instance(1, "m5.large"), dict(series))
        return any(name.startswith("t") for name in option_types(found))

    assert burstable(resting)
    assert not burstable(spiky)


def test_the_table_of_resource_types_names_what_it_wants() -> None:
    ec2 = next(kind for kind in RESOURCE_TYPES if kind.name == EC2_INSTANCE)

    assert (ec2.name, ec2.metrics) == ("Ec2Instance", METRICS)
    # CPU, memory and three of GPUs as averages and maxima, and twelve sums.
    assert len(METRICS) == len(set(METRICS)) == 2 * (2 + 3) + 12


def test_explanation_of_an_unknown_type_makes_up_no_capacity() -> None:
    resource = instance(1, "no.such")

    evidence = explain(
        resource,
        shard([resource], {CPU: 5.0}),
        TYPES,
        as_of=AS_OF,
        preferences=DEFAULT_PREFERENCES,
    )

    assert evidence.finding == "UNSUPPORTED_RESOURCE"
    assert {one.current_capacity for one in evidence.dimensions} == {None}
    assert (evidence.considered, evidence.refusals, evidence.fitting_types) == ((), (), 0)


def test_explanation_shows_what_decided() -> None:
    # 20 of 4,032 samples may lie above the threshold: 20.16 x 5 minutes are 1.68 hours.
    resource = instance(1, "m5.xlarge")
    series = {CPU: 30.0, MEMORY: 60.0, counter("NetworkIn"): NAN}

    evidence = explain(
        resource, shard([resource], series), TYPES, as_of=AS_OF, preferences=DEFAULT_PREFERENCES
    )

    cpu, memory, *others = evidence.dimensions
    assert cpu.forgiven_hours == pytest.approx(1.68)
    assert (cpu.demand, cpu.required, cpu.current_capacity) == pytest.approx((1.2, 1.5, 4))
    assert (memory.demand, memory.required) == pytest.approx((0.6 * 16384, 0.75 * 16384))
    assert {one.demand for one in others} == {None}
    assert evidence.binding_dimension == "Memory"
    assert [(m.metric, m.samples, m.missing_share) for m in evidence.metrics] == [
        ("CPUUtilization", 4032, 0),
        ("mem_used_percent", 4032, 0),
        ("NetworkIn", 0, 1),
    ]
    # Every type of the catalog is either refused for a first reason or fits.
    assert sum(one.types for one in evidence.refusals) + evidence.fitting_types == len(TYPES.names)
    misses = [one for one in evidence.considered if not one.ranks]
    assert misses
    assert all(one.refused_because for one in misses)
    assert evidence.current_hourly_usd == 0.192


def test_credits_that_run_out_are_named() -> None:
    resource = instance(1, "m7i.large")
    series = {CPU: 30.0, MEMORY: 30.0}

    evidence = explain(
        resource, shard([resource], series), TYPES, as_of=AS_OF, preferences=DEFAULT_PREFERENCES
    )

    assert "CPU credits run out" in [one.reason for one in evidence.refusals]


def test_a_recommendation_stores_what_decided_it() -> None:
    series = {CPU: 30.0, MEMORY: 60.0, counter("NetworkPacketsIn"): 3e6}
    resource = instance(1, "m5.xlarge")
    gap = np.where(np.arange(14 * DAY) < 7 * DAY, 60.0, NAN)

    evidence = recommended(resource, series | {MEMORY: gap}).evidence

    assert evidence is not None
    assert evidence.binding_dimension == "Memory"
    assert evidence.price_date is not None
    cpu, memory, packets = evidence.demands  # and nothing of what nobody measured
    assert (cpu.dimension, cpu.samples, cpu.missing_share) == ("CPU", 4032, 0)
    assert (cpu.demand, cpu.required) == pytest.approx((1.2, 1.5))
    assert (memory.dimension, memory.samples, memory.missing_share) == ("Memory", 2016, 0.5)
    assert (memory.demand, memory.required) == pytest.approx((0.6 * 16384, 0.75 * 16384))
    # 3,000,000 packets in 300 seconds.
    assert packets.dimension == "NetworkPPS"
    assert packets.demand == pytest.approx(10_000)


def test_what_is_stored_is_what_is_explained() -> None:
    fleet, samples = mixed_shard(15)
    together = run(fleet, samples)

    for row, resource in enumerate(fleet):
        found = together[resource.arn]
        if not isinstance(found, Ec2InstanceRecommendation):
            continue
        told = explain(
            resource, samples.row(row), TYPES, as_of=AS_OF, preferences=DEFAULT_PREFERENCES
        )
        assert departures(told, found) == ()
        assert found.evidence is not None
        assert found.evidence.binding_dimension == told.binding_dimension
