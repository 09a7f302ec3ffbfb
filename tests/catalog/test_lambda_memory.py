"""How duration goes with memory, held against measured functions."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from compute_optimizer.catalog.lambda_memory import HALF_MB, expected_factor, factor_bounds

SIZES = np.arange(128.0, 1793.0, 128.0)
LARGER, SMALLER = np.array([(m, n) for m in SIZES for n in SIZES if n < m]).T
"""Every step from a size to a smaller one."""


@pytest.fixture(scope="module")
def durations(shared: Path) -> dict[float, np.ndarray]:
    """Return the mean of the warm runs by size, of every runtime and architecture."""
    runs: dict[tuple[str, str, float], list[float]] = defaultdict(list)
    with (shared / "traces/lambda_memory_benchmark.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            if row["iteration"] != "0":
                key = row["runtime"], row["architecture"], float(row["memory_mb"])
                runs[key].append(float(row["duration_ms"]))
    kinds = sorted({key[:2] for key in runs})
    assert len(kinds) == 8
    return {m: np.array([np.mean(runs[*kind, m]) for kind in kinds]) for m in SIZES}


def measured(durations: dict[float, np.ndarray]) -> np.ndarray:
    """Return the measured factor of every step, (steps, kinds)."""
    steps = zip(LARGER, SMALLER, strict=True)
    return np.array([durations[then] / durations[now] for now, then in steps])


def errors(durations: dict[float, np.ndarray], factor: np.ndarray) -> np.ndarray:
    """Return the relative errors of expected durations, (steps, kinds)."""
    return np.asarray(np.abs(factor[:, None] / measured(durations) - 1))


def test_measured_functions_take_what_is_expected_within_the_stated_error(
    durations: dict[float, np.ndarray],
) -> None:
    found = errors(durations, expected_factor(LARGER, SMALLER))

    # 91 steps of eight functions; these are the figures of docs/lambda-functions.md.
    assert found.size == 728
    assert found.mean() == pytest.approx(0.102, abs=0.0005)
    assert np.median(found) == pytest.approx(0.051, abs=0.0005)
    assert found.max() == pytest.approx(0.508, abs=0.0005)
    # It is the step to 128 MB that goes wrong: whoever has as little memory collects garbage.
    smallest = SMALLER == 128
    assert found[smallest].mean() == pytest.approx(0.329, abs=0.0005)
    assert found[~smallest].mean() == pytest.approx(0.065, abs=0.0005)


def test_the_constant_is_the_best_of_its_kind_and_better_than_no_change(
    durations: dict[float, np.ndarray],
) -> None:
    by_half = {
        half: errors(durations, (1 + half / SMALLER) / (1 + half / LARGER)).mean()
        for half in np.arange(5.0, 405.0, 5.0)
    }
    unchanged = errors(durations, np.ones(len(LARGER))).mean()
    computing = errors(durations, LARGER / SMALLER).mean()

    assert min(by_half, key=lambda half: by_half[half]) == HALF_MB
    assert unchanged == pytest.approx(0.119, abs=0.0005)
    assert computing == pytest.approx(1.434, abs=0.0005)


def test_measured_functions_lie_within_the_bounds(durations: dict[float, np.ndarray]) -> None:
    low, high = factor_bounds(LARGER, SMALLER)

    # Repeated runs of one function differ by 5 %.
    assert (measured(durations) >= low[:, None] * 0.95).all()
    assert (measured(durations) <= high[:, None] * 1.05).all()


def test_what_is_expected_lies_within_the_bounds_in_both_directions() -> None:
    for now, then in ((LARGER, SMALLER), (SMALLER, LARGER)):
        low, high = factor_bounds(now, then)
        expected = expected_factor(now, then)

        assert (low < expected).all()
        assert (expected < high).all()


def test_half_of_the_duration_is_computing_where_the_constant_says_so() -> None:
    # At 75 MB a second is half a second of each; half the memory doubles the computing: 1.5 s.
    (factor,) = expected_factor(np.array([HALF_MB]), np.array([HALF_MB / 2]))

    assert factor == pytest.approx(1.5)
