import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.catalog.risk_prior import load_risk_prior
from compute_optimizer.engine.digests import completed
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    ShardSamples,
    Statistic,
)
from compute_optimizer.model.preferences import (
    CALIBRATED,
    DEFAULT_PREFERENCES,
    PUBLISHED,
    Preferences,
)
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.ec2.analysis import analyze
from compute_optimizer.resources.ec2.dimensions import DIGESTED, WIRE_NAMES
from compute_optimizer.resources.ec2.idleness import MACHINE
from compute_optimizer.resources.ec2_instance import ShardResult, recommend, recommended
from compute_optimizer.resources.idleness import idle_recommendations
from tests.fleets import AS_OF, CPU, CPU_AVERAGE, MEMORY, counter, instance, shard
from tests.in_short import Reader, digested

TYPES = ("m5.large", "m5.4xlarge", "c5.xlarge", "t3.medium", "r5.2xlarge", "m4.xlarge", "i3.large")
COUNTERS = tuple(m for m in WIRE_NAMES if m not in ("CPUUtilization", "mem_used_percent"))
MEMORY_AVERAGE = MetricKey("mem_used_percent", Statistic.AVERAGE)


def fleet(rows: int) -> list[Resource]:
    return [instance(row, TYPES[row % len(TYPES)]) for row in range(rows)]


def random_samples(seed: int, rows: int, days: int) -> ShardSamples:
    """Return samples that meet every case by chance: gaps of slots, of whole days and rows, few
    maxima beside many averages, idle rows, rows at the ceiling, bursts of a single day."""
    random = np.random.default_rng(seed)
    slots = days * SLOTS_PER_DAY

    def series(level: float, highest: float) -> Matrix:
        levels = random.gamma(0.5, level, (rows, 1)) * random.choice([0.02, 1, 8], (rows, 1))
        burst = random.random((rows, days)) < random.choice([0, 0.1, 0.6], (rows, 1))
        shape = 1 + 6 * np.repeat(burst, SLOTS_PER_DAY, axis=1) * random.random((rows, slots))
        found = np.minimum(levels * shape * random.random((rows, slots)), highest)
        # Hundredths, as percentages are sent: so there are equal samples.
        rounded: Matrix = np.round(found, 2).astype(np.float32)
        absent = random.random((rows, slots)) < random.choice([0, 0.02, 0.6], (rows, 1))
        absent |= np.repeat(random.random((rows, days)) < 0.1, SLOTS_PER_DAY, axis=1)
        absent |= random.random((rows, 1)) < 0.1
        rounded[absent] = np.nan
        return rounded

    keys: dict[MetricKey, tuple[float, float]] = {
        CPU: (12, 100),
        CPU_AVERAGE: (8, 100),
        MEMORY: (25, 100),
        MEMORY_AVERAGE: (25, 100),
    }
    keys |= {counter(metric): (3e6, np.inf) for metric in COUNTERS}
    some = {key: at for key, at in keys.items() if random.random() < 0.8}
    return shard(fleet(rows), {key: series(*at) for key, at in some.items()}, days)


def both_ways(
    samples: ShardSamples, preferences: Preferences, *, predicted: bool = True
) -> tuple[ShardResult, ShardResult, Reader]:
    resources, read = fleet(len(samples.resource_arns)), Reader(samples)
    types, model = load_instance_types(), load_risk_prior() if predicted else None
    asked = {"as_of": AS_OF, "preferences": preferences, "risk_model": model}
    whole = recommend(resources, samples, types, **asked)  # type: ignore[arg-type]
    steps = recommended(resources, digested(samples, DIGESTED), types, **asked)  # type: ignore[arg-type]
    return whole, completed(steps, read), read


PREFERENCES = st.builds(
    lambda percentile, profile: structs.replace(
        DEFAULT_PREFERENCES, cpu_percentile=percentile, profile=profile
    ),
    st.sampled_from([99.5, 95.0, 90.0]),
    st.sampled_from([PUBLISHED, CALIBRATED]),
)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([2, 14, 32]), PREFERENCES, st.booleans())
def test_days_in_short_say_the_same_as_all_samples(
    seed: int, days: int, preferences: Preferences, predicted: bool
) -> None:
    whole, short, _ = both_ways(random_samples(seed, 24, days), preferences, predicted=predicted)

    assert short == whole


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([PUBLISHED, CALIBRATED]))
def test_hearing_both_profiles_changes_the_options_of_neither(seed: int, decides: str) -> None:
    samples, resources = random_samples(seed, 40, 14), fleet(40)
    types, model = load_instance_types(), load_risk_prior()
    first = structs.replace(DEFAULT_PREFERENCES, profile=decides)
    second = structs.replace(first, profile=CALIBRATED if decides == PUBLISHED else PUBLISHED)

    both = analyze(resources, samples, types, first, model, both=True)

    for heard, preferences in ((both.decisions, first), (both.other, second)):
        alone = analyze(resources, samples, types, preferences, model).decisions
        assert heard is not None
        assert (heard.options.types == alone.options.types).all()
        assert (heard.over == alone.over).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([1, 2, 14]))
def test_idleness_is_told_the_same_in_short(seed: int, days: int) -> None:
    samples, resources = random_samples(seed, 40, days), fleet(40)
    types = load_instance_types()

    whole = idle_recommendations(MACHINE, resources, samples, types, as_of=AS_OF)
    short = idle_recommendations(
        MACHINE, resources, digested(samples, DIGESTED), types, as_of=AS_OF
    )

    assert short == whole


def test_random_samples_meet_what_has_to_be_told_apart() -> None:
    found = [both_ways(random_samples(seed, 60, 14), DEFAULT_PREFERENCES)[0] for seed in range(4)]
    every = [one for result in found for one in result.recommendations]

    assert {one.finding.value for one in every} == {
        "Overprovisioned",
        "Underprovisioned",
        "Optimized",
    }
    assert any(one.idle for one in every) and any(result.errors for result in found)
    assert any(used.source_statistic == "Average" for one in every for used in one.utilization)


def test_default_preferences_ask_for_whole_rows_of_the_cpu_only() -> None:
    # A level per machine with noise of half of it: no row runs out of its tail.
    random = np.random.default_rng(5)
    level = random.uniform(2, 60, (200, 1))
    use = level * (0.75 + 0.5 * random.random((200, 14 * SLOTS_PER_DAY)))
    samples = shard(fleet(200), {CPU: use, MEMORY: use, counter("NetworkIn"): use * 1e5})

    _, _, read = both_ways(samples, DEFAULT_PREFERENCES)

    asked = {key: len(rows) for wanted in read.asked for key, rows in wanted.items()}
    # For the credits of burstable types where bounds do not settle them, a minority.
    assert set(asked) == {CPU}
    assert asked[CPU] < 100


@pytest.mark.parametrize(("percentile", "whole"), [(99.5, False), (90.0, True)])
def test_a_threshold_beyond_the_kept_tail_is_read_from_samples(
    percentile: float, whole: bool
) -> None:
    # P90 of 14 days asks for 405 samples, of which the days kept 308.
    samples = shard(fleet(3), {CPU: np.arange(14 * SLOTS_PER_DAY) / 41})

    _, _, read = both_ways(samples, structs.replace(DEFAULT_PREFERENCES, cpu_percentile=percentile))

    assert bool(read.asked and len(read.asked[0].get(CPU, ())) == 3) is whole
