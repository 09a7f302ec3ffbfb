"""Lambda's memory sizes, and how the duration of a function goes with its memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.catalog.own_prices import NO_OWN_PRICES, OwnPrices
from compute_optimizer.model.lambda_function import ARCHITECTURES

MINIMUM_MB = 128
"""The smallest memory size (AWS Lambda Developer Guide, quotas)."""

MAXIMUM_ANALYZED_MB = 1792
"""Functions with more are not analyzed (spec 2.1), and no size beyond is recommended (spec 6.4)."""

HALF_MB = 75.0
"""The memory at which a function computes for half of its duration and waits for the other half.

Lambda gives CPU in proportion to memory, so what is computed takes the longer the less memory
there is, and what is waited for does not. Fitted on the warm runs of mbwilding/lambda-benchmark
(MIT; four runtimes on two architectures, 128 to 1,792 MB): of 5, 10, ... 400 the value with the
least mean error for every step from a size to a smaller one. docs/lambda-functions.md has the
error."""

Figures = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FunctionTypes:
    """The instruction sets of functions."""

    index: Mapping[str, int]
    own_prices: OwnPrices = NO_OWN_PRICES


@cache
def load_function_types() -> FunctionTypes:
    """Return the instruction sets by name."""
    return FunctionTypes({name: place for place, name in enumerate(ARCHITECTURES)})


def expected_factor(now: Figures, then: Figures) -> Figures:
    """Return by what the mean duration is multiplied from one memory size to another, in MB."""
    factor: Figures = (1 + HALF_MB / then) / (1 + HALF_MB / now)
    return factor


def factor_bounds(now: Figures, then: Figures) -> tuple[Figures, Figures]:
    """Return the lowest and highest factor: of functions that only wait or only compute."""
    computing = now / then
    return np.minimum(computing, 1.0), np.maximum(computing, 1.0)
