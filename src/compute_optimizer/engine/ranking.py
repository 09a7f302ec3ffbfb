"""The best few options of each resource: by savings, then by risk, then by name."""

from dataclasses import dataclass

import numpy as np

from compute_optimizer.engine.arrays import Booleans, Floats, Integers

MAX_OPTIONS = 3
"""Options per resource and architecture pool (spec 3.7)."""

NONE = -1
"""Stands for no candidate."""


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """Types to choose from, (resources, pools, choices) each."""

    types: Integers
    """Places in the catalog, which is sorted by name; NONE where there is no more."""
    prices: Floats
    """USD per hour; NaN where unknown."""
    risks: Floats
    """0 to 4."""


def cheapest(fit: Booleans, prices: Floats) -> Integers:
    """Return the first fitting candidates of each row with all ties of the last price.

    `prices` ascend over the candidates. Shape (resources, at least 3); NONE fills up. For one
    resource the largest savings are the lowest price.
    """
    left = fit.copy()
    rows = np.arange(len(fit))
    columns: list[Integers] = []
    while left.shape[1]:
        place = np.argmax(left, axis=1)
        found = left[rows, place]
        left[rows, place] = False
        if len(columns) >= MAX_OPTIONS:
            found &= prices[place] == prices[columns[MAX_OPTIONS - 1]]
        if not found.any():
            break
        columns.append(np.where(found, place, NONE))
    while len(columns) < MAX_OPTIONS:
        columns.append(np.full(len(fit), NONE))
    return np.stack(columns, axis=1)


def best(options: Options) -> Options:
    """Return the three best choices: lowest price, then lowest risk, then by name."""
    price = np.where(options.types == NONE, np.inf, options.prices)
    order = np.lexsort((options.types, options.risks, price), axis=-1)[..., :MAX_OPTIONS]
    return Options(
        np.take_along_axis(options.types, order, axis=-1),
        np.take_along_axis(options.prices, order, axis=-1),
        np.take_along_axis(options.risks, order, axis=-1),
    )
